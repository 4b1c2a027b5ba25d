// Why a request of a gateway brought no result, told so that a person knows what to do. The codes
// are part of what users see in a step's error. Messages hold no secret: no header, no query.
import { urlForPeople } from "@pawl/protocol/gateway-wire";
import { codeOf } from "../driver/failure.ts";
import { AddressRefused } from "./guarded-connect.ts";

export type GatewayFailureCode =
  /** The URL is none, is not HTTP, or holds credentials. Never tried again. */
  | "gateway_url_invalid"
  /** A method or header that HTTP does not allow. Never tried again. */
  | "gateway_request_invalid"
  /** The body is larger than the limit. Never tried again. */
  | "gateway_request_too_large"
  /** The host is at an address that may not be reached. Never tried again. */
  | "gateway_address_refused"
  /** Redirected too often, or to somewhere that is not HTTP. Never tried again. */
  | "gateway_redirect_invalid"
  /** The response is larger than the limit. Never tried again. */
  | "gateway_response_too_large"
  /** No connection: refused, no such host, no route, TLS. */
  | "gateway_unreachable"
  /** The response was not complete in time. */
  | "gateway_timeout"
  /** The response stopped in the middle, and the connection stayed open. */
  | "gateway_idle"
  /** The connection ended before the response did. */
  | "gateway_connection_lost"
  /** What came back is not HTTP, or its encoding is broken. */
  | "gateway_response_malformed"
  /** `step.ai.infer`: the provider answered with a status other than 2xx. */
  | "gateway_status"
  /** A bug in Pawl. */
  | "gateway_fault";

const final: ReadonlySet<GatewayFailureCode> = new Set([
  "gateway_url_invalid",
  "gateway_request_invalid",
  "gateway_request_too_large",
  "gateway_address_refused",
  "gateway_redirect_invalid",
  "gateway_response_too_large",
] satisfies GatewayFailureCode[]);

export class GatewayFailure extends Error {
  override readonly name = "GatewayFailure";
  readonly code: GatewayFailureCode;
  /** Trying again can bring nothing else. */
  readonly final: boolean;

  constructor(code: GatewayFailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.final = final.has(code);
  }
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Nothing listens there.",
  ENOTFOUND: "No such host.",
  EAI_AGAIN: "The name could not be resolved. Check DNS on the machine of this server.",
  EHOSTUNREACH: "There is no route to the host.",
  ENETUNREACH: "There is no route to the network.",
  UND_ERR_CONNECT_TIMEOUT: "Nobody answered the connection attempt.",
  ETIMEDOUT: "Nobody answered the connection attempt.",
  DEPTH_ZERO_SELF_SIGNED_CERT:
    "The certificate is self-signed. Give this server the authority with NODE_EXTRA_CA_CERTS.",
  SELF_SIGNED_CERT_IN_CHAIN:
    "The certificate's authority is unknown. Give it to this server with NODE_EXTRA_CA_CERTS.",
  CERT_HAS_EXPIRED: "The certificate has expired.",
  ERR_TLS_CERT_ALTNAME_INVALID: "The certificate is for another host name.",
};

const lostCodes: ReadonlySet<string> = new Set([
  "UND_ERR_SOCKET",
  "ECONNRESET",
  "EPIPE",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
]);

/** What an error of the HTTP client means. `where`: method and URL, for people. */
export function transportFailure(where: string, error: Error, idleMs: number): GatewayFailure {
  const refused = findRefused(error);
  if (refused !== null) return addressRefused(where, refused);
  const code = codeOf(error);
  if (code === "UND_ERR_BODY_TIMEOUT") {
    return new GatewayFailure(
      "gateway_idle",
      `${where} sent nothing for ${String(idleMs / 1_000)} s in the middle of its response (limit gateway-idle-timeout).`,
    );
  }
  if (code === "UND_ERR_INVALID_ARG") {
    return new GatewayFailure(
      "gateway_request_invalid",
      `${where} cannot be sent: ${error.message}. Check the method and the headers that the step gives.`,
    );
  }
  if (
    code.startsWith("HPE_") ||
    code === "HTTPParserError" ||
    code === "UND_ERR_HEADERS_OVERFLOW"
  ) {
    return new GatewayFailure(
      "gateway_response_malformed",
      `What ${where} answered is not HTTP (${code}). Check the URL and its scheme.`,
    );
  }
  if (lostCodes.has(code)) {
    return new GatewayFailure(
      "gateway_connection_lost",
      `The connection of ${where} ended before the response did (${code}).`,
    );
  }
  const reason = reasons[code] ?? `${error.message}.`;
  return new GatewayFailure("gateway_unreachable", `${where} was not reached (${code}). ${reason}`);
}

/** The refusal of the guard, with the settings that would allow it. */
export function addressRefused(where: string, { host, address }: AddressRefused): GatewayFailure {
  return new GatewayFailure(
    "gateway_address_refused",
    `${where} was not sent: ${host} is at ${address}, which is no public address. To let apps reach it through this server, allow it with --gateway-allow ${host} (PAWL_GATEWAY_ALLOW), or all private addresses with --gateway-allow-private.`,
  );
}

/** Method and URL as they stand in messages. */
export function nameOfRequest(method: string, url: string): string {
  return `${method} ${urlForPeople(url)}`;
}

function findRefused(error: unknown): AddressRefused | null {
  if (error instanceof AddressRefused) return error;
  return error instanceof Error && error.cause !== undefined ? findRefused(error.cause) : null;
}
