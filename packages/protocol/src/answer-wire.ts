// From the HTTP response of an app to an answer (protocol.md 2.3): status, headers and body in,
// plain data out. It never throws: whatever an app, a proxy or a login page answers becomes an
// answer, if only a failed one. It must not know sockets, nor what the engine does about a failure.
import type { Answer, FailedAnswer, OpcodesAnswer } from "./answer.ts";
import { readError } from "./error-wire.ts";
import {
  headerNoRetry,
  headerRequestVersion,
  headerRetryAfter,
  headerSdk,
  headerSdkHandled,
} from "./headers.ts";
import { type JsonText, type JsonValue, toJsonText } from "./json-text.ts";
import { isJsonObject, ObjectReader } from "./object-reader.ts";
import { memoText, opcodesOf } from "./opcode-wire.ts";
import type { Opcode } from "./opcode.ts";
import { ProtocolError } from "./protocol-error.ts";
import { readRetryAfter } from "./retry-after.ts";
import { exceedsBytes } from "./utf8.ts";

/** The `code` inside an error that the server, not the app, found. Closed. */
export type AnswerErrorCode =
  /** No connection, or it broke; set by drivers. */
  | "http_unreachable"
  /** The app did not answer in time; set by drivers. */
  | "http_timeout"
  /** A status that is no answer of an SDK: a proxy, a web server, a wrong path. */
  | "http_not_ok"
  /** A 2xx whose body is not the JSON it should be: half a body, a web page. */
  | "http_not_json"
  /** A 2xx of something that is no SDK. */
  | "not_sdk"
  /** The app refused the signature of the call. */
  | "signature_refused"
  /** The body of a streaming answer is not `{status, headers, body}`. */
  | "stream_invalid"
  /** An opcode is malformed; the message names it. */
  | "opcode_invalid"
  /** The body is larger than the limit. */
  | "output_too_large";

/** Default limit of an answer's body, in UTF-8 bytes. */
export const answerBytesMax = 4 * 1024 * 1024;
/** How much of a foreign body an error shows. */
const excerptChars = 500;

export interface HttpAnswer {
  readonly status: number;
  /** The value of a response header, by its lower-case name; null when it is missing. */
  readonly header: (name: string) => string | null;
  readonly body: string;
  /** Time of receipt, ms since the epoch: dates in `retry-after` count from it. */
  readonly now: number;
  /** Limit of the body in UTF-8 bytes; `answerBytesMax` unless given. */
  readonly bodyBytesMax?: number;
}

/** Reads the response to a call. Never throws. */
export function answerFromHttp(response: HttpAnswer): Answer {
  const bytesMax = response.bodyBytesMax ?? answerBytesMax;
  if (exceedsBytes(response.body, bytesMax)) return oversizedAnswer(bytesMax);
  return response.status === 201 ? streamedAnswer(response) : plainAnswer(response);
}

/** A failed answer in the words of the server; drivers use it for what HTTP cannot say. */
export function failedAnswer(input: {
  readonly code: AnswerErrorCode;
  readonly message: string;
  /** False unless given. */
  readonly noRetry?: boolean;
  readonly retryAfterMs?: number | null;
  readonly requestVersion?: number | null;
  /** Further fields of the error, for people. */
  readonly details?: { readonly [key: string]: JsonValue };
}): Answer {
  const { code, message, details } = input;
  return {
    kind: "failed",
    error: toJsonText({ name: "Error", message, code, ...details }),
    noRetry: input.noRetry ?? false,
    retryAfterMs: input.retryAfterMs ?? null,
    requestVersion: input.requestVersion ?? null,
  };
}

/** For a body beyond its limit. Not retried: the same code would only produce it again. */
export function oversizedAnswer(bytesMax: number): Answer {
  const message = `The app's answer is larger than ${bytesMax} bytes (limit answerBytesMax): keep large data elsewhere and return a reference.`;
  return failedAnswer({ code: "output_too_large", message, noRetry: true });
}

function plainAnswer(response: HttpAnswer): Answer {
  const { status } = response;
  const requestVersion = readRequestVersion(response);
  if (status < 200 || status > 299) return { ...errorAnswer(response), requestVersion };
  if (!isSdk(response)) {
    return failure(
      response,
      "not_sdk",
      `The app's URL answered ${status}, but without the ${headerSdk} header: no SDK answers there.`,
    );
  }
  if (status !== 200 && status !== 206) {
    return failure(
      response,
      "http_not_ok",
      `The app answered with status ${status}, which no SDK uses for a result.`,
    );
  }
  const source = response.body.trim();
  const value = tryParse(status === 200 && source === "" ? "null" : source);
  if (value === undefined) {
    return failure(
      response,
      "http_not_json",
      `The app answered ${status} with a body that is no valid JSON.`,
    );
  }
  if (status === 206) return opcodesAnswer(response, value, source as JsonText); // proof: it was parsed
  const data = source === "" ? null : (source as JsonText); // proof: it was parsed
  return { kind: "completed", memo: memoText(data, null), requestVersion };
}

/** A body of opcodes; the headers about retries speak of the step error in it. */
function opcodesAnswer(response: HttpAnswer, value: JsonValue, source: JsonText): Answer {
  try {
    const opcodes = applyNoRetry(opcodesOf(value, source), readNoRetry(response));
    const retryAfterMs = retryAfterOf(response);
    return { kind: "opcodes", opcodes, retryAfterMs, requestVersion: readRequestVersion(response) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return failure(response, "opcode_invalid", error.message);
  }
}

/** The header can mean only one of several step errors, and does not say which: then it is mute. */
function applyNoRetry(opcodes: Opcode[], noRetry: boolean | null): Opcode[] {
  if (noRetry === null) return opcodes;
  const errors = opcodes.filter((opcode) => opcode.op === "StepError");
  if (errors.length !== 1) return opcodes;
  return opcodes.map((opcode) => (opcode.op === "StepError" ? { ...opcode, noRetry } : opcode));
}

/** Any status outside 2xx. Without a header to the contrary it is retried, 4xx included. */
function errorAnswer(response: HttpAnswer): FailedAnswer | OpcodesAnswer {
  const source = response.body.trim();
  const value = tryParse(source);
  const retryAfterMs = retryAfterOf(response);
  const missedStep = missedStepOf(value);
  if (missedStep !== null) {
    return { kind: "opcodes", opcodes: [stepNotFound(missedStep)], retryAfterMs };
  }
  return {
    kind: "failed",
    error: errorOf(response, value, source),
    noRetry: readNoRetry(response) ?? false,
    retryAfterMs,
  };
}

function errorOf(response: HttpAnswer, value: JsonValue | undefined, source: string): JsonText {
  const { status } = response;
  const message = `The app answered with status ${status}.`;
  if (isSdk(response)) {
    if (value !== undefined) return readError(value, source as JsonText, { message }); // proof: it was parsed
    return toJsonText({ name: "Error", message: source === "" ? message : source });
  }
  if (status === 401) {
    return foreignError(
      response,
      "signature_refused",
      `${message} It refused the call: check that server and app have the same signing key.`,
    );
  }
  if (isJsonObject(value)) {
    return readError(value, source as JsonText, { message, code: "http_not_ok" }); // proof: it was parsed
  }
  return foreignError(response, "http_not_ok", `${message} The body is not that of an SDK.`);
}

function foreignError(
  { status, body }: HttpAnswer,
  code: AnswerErrorCode,
  message: string,
): JsonText {
  return toJsonText({ name: "Error", message, code, status, body: excerpt(body) });
}

function failure(response: HttpAnswer, code: AnswerErrorCode, message: string): Answer {
  return failedAnswer({
    code,
    message,
    noRetry: readNoRetry(response) ?? false,
    retryAfterMs: retryAfterOf(response),
    requestVersion: readRequestVersion(response),
    details: { status: response.status, body: excerpt(response.body) },
  });
}

function excerpt(body: string): string {
  return body.trim().slice(0, excerptChars).toWellFormed();
}

/** The step that the TypeScript SDK was to run and did not meet; null for any other body. */
function missedStepOf(value: JsonValue | undefined): string | null {
  if (!isJsonObject(value) || !Array.isArray(value["foundSteps"])) return null;
  const { requestedStep } = value;
  return typeof requestedStep === "string" ? requestedStep : null;
}

function stepNotFound(id: string): Opcode {
  return {
    op: "StepNotFound",
    id,
    displayName: id,
    userId: null,
    userIndex: 0,
    race: false,
    stepType: null,
    opts: null,
    retries: null,
  };
}

/** Heartbeats of whitespace, then the true answer as JSON; it is read as if it had come plainly. */
function streamedAnswer(response: HttpAnswer): Answer {
  const source = response.body.trim();
  const value = tryParse(source);
  if (!isSdk(response) && !(isJsonObject(value) && typeof value["status"] === "number")) {
    return failure(
      response,
      "not_sdk",
      `The app's URL answered 201, but without the ${headerSdk} header: no SDK answers there.`,
    );
  }
  if (!isJsonObject(value)) {
    return failure(
      response,
      "stream_invalid",
      "The app's streaming answer ended without a result.",
    );
  }
  // proof: the text was parsed
  const reader = new ObjectReader(value, source as JsonText, "The stream", "json_invalid");
  const status = reader.get("status");
  if (typeof status !== "number" || !Number.isInteger(status) || status === 201) {
    return failure(
      response,
      "stream_invalid",
      "The app's streaming answer has no status of a result.",
    );
  }
  const header = streamedHeaders(response, reader);
  const sdk = header(headerSdk) ?? "";
  return plainAnswer({ ...response, status, header, body: streamedBody(reader, sdk) });
}

/** The headers of the true answer, then `retryAt` and `noRetry` of its envelope, then HTTP's. */
function streamedHeaders(response: HttpAnswer, reader: ObjectReader): HttpAnswer["header"] {
  const headers = new Map<string, string>();
  const retryAt = reader.get("retryAt");
  if (typeof retryAt === "string" || typeof retryAt === "number") {
    headers.set(headerRetryAfter, String(retryAt));
  }
  if (reader.get("noRetry") === true) headers.set(headerNoRetry, "true");
  const given = reader.get("headers");
  for (const [name, value] of isJsonObject(given) ? Object.entries(given) : []) {
    if (typeof value === "string") headers.set(name.toLowerCase(), value);
  }
  return (name) => headers.get(name) ?? response.header(name);
}

/**
 * The body inside a stream. TypeScript and Python put the text of the JSON there, Go the JSON
 * itself, so that only Go's strings are values.
 */
function streamedBody(reader: ObjectReader, sdk: string): string {
  const body = reader.get("body");
  const source = reader.text("body") ?? "null";
  if (typeof body !== "string" || /^(?:inngest-)?go:/.test(sdk)) return source;
  return body.trim() === "" || tryParse(body) !== undefined ? body : source;
}

function isSdk({ header }: HttpAnswer): boolean {
  return header(headerSdk) !== null || header(headerSdkHandled) !== null;
}

function readNoRetry({ header }: HttpAnswer): boolean | null {
  const text = header(headerNoRetry)?.trim().toLowerCase();
  return text === "true" ? true : text === "false" ? false : null;
}

function readRequestVersion({ header }: HttpAnswer): number | null {
  const text = header(headerRequestVersion)?.trim() ?? "";
  return /^-?\d{1,4}$/.test(text) ? Number(text) : null;
}

function retryAfterOf({ header, now }: HttpAnswer): number | null {
  return readRetryAfter(header(headerRetryAfter), now);
}

function tryParse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue; // proof: JSON.parse yields JSON values
  } catch {
    return undefined;
  }
}
