// What a performed request means for its step: the memo of its result (protocol.md 2.2), or the
// error of an attempt. Both leave as the opcodes that an app would have answered with, so that
// retries, history and traces are those of every step. It must not know connections.
import type { Answer } from "@pawl/protocol/answer";
import { isOpenHeader, type GatewayKind, type GatewayRequest } from "@pawl/protocol/gateway-wire";
import { toJsonText, type JsonText } from "@pawl/protocol/json-text";
import { readRetryAfter } from "@pawl/protocol/retry-after";
import type { GatewayStep } from "../driver/driver.ts";
import { headerOf, type ResponseHeaders } from "../driver/http-exchange.ts";
import { type GatewayFailure, nameOfRequest } from "./gateway-failure.ts";
import type { GatewayResponse } from "./gateway-request.ts";

/** The names that the published SDKs know (protocol.md 5.4). */
const errorNames: Readonly<Record<GatewayKind, string>> = {
  fetch: "GatewayError",
  infer: "AIGatewayError",
};

/** A failure answer's body, in characters, as it stands in the error. */
const excerptCharsMax = 1_000;

/** The answer for a response. */
export function answerOf(
  step: GatewayStep,
  request: GatewayRequest,
  response: GatewayResponse,
  now: number,
): Answer {
  if (step.kind === "fetch") return succeeded(step, fetchMemo(response));
  const { status, headers } = response;
  const text = textOf(response).text;
  if (status >= 200 && status <= 299) return succeeded(step, inferMemo(text));
  const excerpt = withoutSecrets(text, request).slice(0, excerptCharsMax);
  const where = nameOfRequest(request.method, request.url);
  const error = {
    name: errorNames.infer,
    message: `${where} answered with status ${String(status)}${excerpt === "" ? "." : `: ${excerpt}`}`,
    code: "gateway_status",
    status,
  };
  const retryAfterMs = readRetryAfter(headerOf(headers, "retry-after"), now);
  return failed(step, toJsonText(error), isRefusal(status), retryAfterMs);
}

/** The answer for a request that brought no response. */
export function failureAnswer(step: GatewayStep, failure: GatewayFailure): Answer {
  const { code, message } = failure;
  const error = { name: errorNames[step.kind], message, code };
  return failed(step, toJsonText(error), failure.final, null);
}

/** Statuses after which the same request can only be refused again. */
function isRefusal(status: number): boolean {
  if (status === 408 || status === 409 || status === 425 || status === 429) return false;
  return status < 500;
}

function succeeded({ face }: GatewayStep, memo: JsonText): Answer {
  const opcode = { ...face, op: "StepRun", memo, startedAt: null, endedAt: null } as const;
  return { kind: "opcodes", opcodes: [opcode], retryAfterMs: null, requestVersion: null };
}

function failed(
  { face }: GatewayStep,
  error: JsonText,
  noRetry: boolean,
  retryAfterMs: number | null,
): Answer {
  const opcode = { ...face, op: "StepError", error, noRetry } as const;
  return { kind: "opcodes", opcodes: [opcode], retryAfterMs, requestVersion: null };
}

/** Statuses whose responses have no body: SDKs make responses of them that may not have one. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

/** Bytes that are no text travel as base64, and say so. */
function fetchMemo(response: GatewayResponse): JsonText {
  const { url, status, headers } = response;
  const { text, isBase64 } = textOf(response);
  return toJsonText({
    data: {
      url,
      headers: plainHeaders(headers),
      body: bodiless.has(status) ? null : text,
      status_code: status,
      ...(isBase64 ? { body_encoding: "base64" } : {}),
    },
  });
}

/** The provider's JSON as it came; a response that is none, such as a stream, as its text. */
function inferMemo(text: string): JsonText {
  try {
    JSON.parse(text);
    return `{"data":${text}}` as JsonText; // proof: JSON.parse accepted the text
  } catch {
    return toJsonText({ data: text });
  }
}

function plainHeaders(headers: ResponseHeaders): Record<string, string> {
  const plain = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain.set(name, typeof value === "string" ? value : value.join(", "));
  }
  return Object.fromEntries(plain);
}

/** The body as text, by the charset that it names, else UTF-8. */
function textOf({ headers, bytes }: GatewayResponse): { text: string; isBase64: boolean } {
  const type = headerOf(headers, "content-type") ?? "";
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(type)?.[1] ?? "utf-8";
  try {
    return { text: new TextDecoder(charset, { fatal: true }).decode(bytes), isBase64: false };
  } catch {
    return { text: Buffer.from(bytes).toString("base64"), isBase64: true };
  }
}

/** Shorter values would be found in any text. */
const secretCharsMin = 6;

/** Takes out what the request said in confidence, should the response repeat it. */
function withoutSecrets(text: string, { url, headers }: GatewayRequest): string {
  const secrets = Object.entries(headers)
    .filter(([name]) => !isOpenHeader(name))
    .flatMap(([, value]) => [value, ...value.split(" ")]);
  const query = URL.parse(url)?.searchParams.values() ?? [];
  let plain = text;
  for (const secret of [...secrets, ...query].toSorted((a, b) => b.length - a.length)) {
    if (secret.length >= secretCharsMin) plain = plain.replaceAll(secret, "[redacted]");
  }
  return plain;
}
