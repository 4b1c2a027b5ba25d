// Calls that brought no usable answer, told so that a person knows what to do. The codes are part
// of what users see in a run's attempts; failures that an app itself answered with are told by the
// protocol package. It must not know which driver met them.
import type { Answer } from "@pawl/protocol/answer";
import { toJsonText } from "@pawl/protocol/json-text";

export type CallFailureCode =
  /** No connection: refused, no such host, no route, TLS. */
  | "http_unreachable"
  /** The app did not finish its answer in time. */
  | "http_timeout"
  /** The connection ended in the middle of the answer, or before it. */
  | "http_body_incomplete"
  /** What came back is not HTTP. */
  | "http_answer_malformed"
  /** Redirected too often, in a circle, or to somewhere that is not HTTP. */
  | "http_redirect_invalid"
  /** The app's signature is missing or wrong. */
  | "sig_verification_failed"
  /** The app was synced without the function, or removed, while a run of it was under way. */
  | "function_unregistered"
  /** No driver serves the scheme of the function's URL. */
  | "driver_missing"
  /** The request could not be built, or the answer could not be taken: a bug in Pawl. */
  | "dispatch_fault";

/** A failed answer that this side found; the engine retries it as any other. */
export function callFailure(code: CallFailureCode, message: string): Answer {
  return {
    kind: "failed",
    error: toJsonText({ name: "Error", message, code }),
    noRetry: false,
    retryAfterMs: null,
    requestVersion: null,
  };
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Nothing listens there. Start the app, or sync it again if it has moved.",
  ENOTFOUND: "No such host. Check the URL that the app is registered with.",
  EAI_AGAIN: "The name could not be resolved. Check DNS on the machine of this server.",
  EHOSTUNREACH: "There is no route to the host. Check the network between this server and the app.",
  ENETUNREACH:
    "There is no route to the network. Check the network between this server and the app.",
  EACCES: "The system forbids the connection. Check the firewall of this machine.",
  UND_ERR_CONNECT_TIMEOUT:
    "Nobody answered the connection attempt. Check the address, and firewalls between this server and the app.",
  ETIMEDOUT:
    "Nobody answered the connection attempt. Check the address, and firewalls between this server and the app.",
  DEPTH_ZERO_SELF_SIGNED_CERT:
    "The certificate is self-signed. Give this server the authority with NODE_EXTRA_CA_CERTS.",
  CERT_HAS_EXPIRED: "The certificate has expired. Renew it.",
  ERR_TLS_CERT_ALTNAME_INVALID:
    "The certificate is for another host name. Check the URL that the app is registered with.",
};

/** Ends of a connection that was there; before any byte of an answer the app may have crashed. */
const brokenCodes: ReadonlySet<string> = new Set([
  "UND_ERR_SOCKET",
  "ECONNRESET",
  "EPIPE",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
]);

/** The failed answer for an error of the HTTP client. `answered`: a status had come already. */
export function transportFailure(url: string, error: Error, answered: boolean): Answer {
  const code = codeOf(error);
  const where = withoutQuery(url);
  if (code.startsWith("HPE_") || error.name === "HTTPParserError") {
    return callFailure(
      "http_answer_malformed",
      `What ${where} answered is not HTTP (${error.message}). Check that the URL is the app's and its scheme is right.`,
    );
  }
  if (brokenCodes.has(code)) {
    const when = answered ? "in the middle of the answer" : "before an answer came";
    return callFailure(
      "http_body_incomplete",
      `The connection to ${where} ended ${when} (${code}). Look for a crash, a restart or a timeout of the app or of a proxy before it.`,
    );
  }
  const advice = reasons[code] ?? `${error.message}.`;
  return callFailure(
    "http_unreachable",
    `The app could not be reached at ${where} (${code}). ${advice}`,
  );
}

/** The code of an error, or of the first of its parts: connecting tries several addresses. */
export function codeOf(error: Error): string {
  if ("code" in error && typeof error.code === "string") return error.code;
  if (error instanceof AggregateError && error.errors[0] instanceof Error)
    return codeOf(error.errors[0]);
  if (error.cause instanceof Error) return codeOf(error.cause);
  return error.name;
}

/** A URL for messages: its query may hold secrets. */
export function withoutQuery(url: string): string {
  const end = url.indexOf("?");
  return end === -1 ? url : url.slice(0, end);
}
