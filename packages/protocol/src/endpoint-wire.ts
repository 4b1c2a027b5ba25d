// Runs of durable endpoints (protocol.md 6.3): the bodies with which an app tells of a request that it
// serves as a run, and the request as it is kept in the event of that run. It must not know apps or
// functions as the server keeps them.
import { isUlid } from "./ulid.ts";
import { type JsonText, jsonNull } from "./json-text.ts";
import { isJsonObject, ObjectReader, parseJson } from "./object-reader.ts";
import type { Opcode } from "./opcode.ts";
import { opcodesOf } from "./opcode-wire.ts";
import { ProtocolError } from "./protocol-error.ts";
import { exceedsBytes } from "./utf8.ts";

/** Name of the event that stands for a request to an endpoint. */
export const httpRequestEventName = "inngest/http.request";

/** A request that an endpoint got. */
export interface EndpointRequest {
  /** Scheme and host: `https://shop.example`. */
  readonly origin: string;
  /** Upper case. */
  readonly method: string;
  /** With a slash in front, without query. */
  readonly path: string;
  /** Without its question mark; empty when there was none. */
  readonly query: string;
  readonly body: string;
  /** Empty when the request had none. */
  readonly contentType: string;
  /** What the app calls the endpoint; null: it goes by method and path. */
  readonly functionId: string | null;
}

/** The first that a server hears of a run of an endpoint. */
export interface EndpointRun {
  readonly runId: string;
  readonly request: EndpointRequest;
  /** `data` of the event as it arrived; `readEndpointRequest` reads it again. */
  readonly data: JsonText;
  /** Ms since the epoch by the app's clock; null when it did not say. */
  readonly ts: number | null;
  readonly opcodes: readonly Opcode[];
  readonly requestVersion: number;
  /** Retries after the first attempt; null when the app did not say. */
  readonly retries: number | null;
}

const pathCharsMax = 2_048;
const nameCharsMax = 256;

/**
 * Reads the body of `POST /v1/checkpoint`. `eventBytesMax`: of the request as the app tells of it.
 * Throws `json_invalid`, `checkpoint_invalid`, `event_too_large`, or `opcode_invalid`.
 */
export function readEndpointRun(body: string, eventBytesMax: number): EndpointRun {
  const reader = bodyReader(body);
  const runId = reader.string("run_id") ?? "";
  if (!isUlid(runId)) throw reader.wrong("run_id", "a ULID");
  const event = reader.object("event");
  if (event === null) throw reader.wrong("event", "an object");
  if (event.string("name") !== httpRequestEventName) {
    throw event.wrong("name", `"${httpRequestEventName}"`);
  }
  const data = event.object("data");
  if (data === null) throw event.wrong("data", "an object");
  if (exceedsBytes(data.source, eventBytesMax)) {
    const message = `The request of run ${runId} is larger than ${eventBytesMax} bytes (limit eventBytesMax).`;
    throw new ProtocolError("event_too_large", message);
  }
  return {
    runId,
    request: requestOf(data),
    data: data.source,
    ts: whole(event, "ts") ?? whole(reader, "ts"),
    opcodes: opcodesIn(reader),
    requestVersion: whole(reader, "request_version") ?? 1,
    retries: whole(reader, "retries"),
  };
}

/** Reads the steps of `POST /v1/checkpoint/{runId}/steps`. Throws as `readEndpointRun` does. */
export function readEndpointSteps(body: string): readonly Opcode[] {
  return opcodesIn(bodyReader(body));
}

/** The request in the data of a run's event. Throws `checkpoint_invalid` when it is none. */
export function readEndpointRequest(data: JsonText): EndpointRequest {
  const value = parseJson(data);
  if (!isJsonObject(value)) throw new ProtocolError("checkpoint_invalid", "No request is kept.");
  return requestOf(new ObjectReader(value, data, "The request", "checkpoint_invalid"));
}

function bodyReader(body: string): ObjectReader {
  const value = parseJson(body);
  if (!isJsonObject(value)) {
    throw new ProtocolError("checkpoint_invalid", "A checkpoint must be a JSON object.");
  }
  // proof: parseJson accepted the text
  return new ObjectReader(value, body as JsonText, "The checkpoint", "checkpoint_invalid");
}

function opcodesIn(reader: ObjectReader): readonly Opcode[] {
  const steps = reader.get("steps") ?? [];
  if (!Array.isArray(steps)) throw reader.wrong("steps", "an array of opcodes");
  return steps.length === 0 ? [] : opcodesOf(steps, reader.text("steps") ?? jsonNull);
}

function requestOf(data: ObjectReader): EndpointRequest {
  const method = (data.string("method") ?? "").toUpperCase();
  if (!/^[A-Z]{1,16}$/.test(method)) throw data.wrong("method", "an HTTP method");
  const path = data.string("path") ?? "";
  if (!/^\/[!-~]*$/.test(path) || path.length > pathCharsMax) {
    throw data.wrong("path", `a path of at most ${pathCharsMax} characters, as URLs have it`);
  }
  const query = data.string("query_params") ?? "";
  if (!/^[!-~]*$/.test(query)) throw data.wrong("query_params", "a query, as URLs have it");
  const contentType = data.string("content_type") ?? "";
  if (!/^[ -~]*$/.test(contentType)) throw data.wrong("content_type", "a media type");
  const functionId = data.string("fn") || null;
  if (functionId !== null && functionId.length > nameCharsMax) {
    throw data.wrong("fn", `at most ${nameCharsMax} characters`);
  }
  const body = data.string("body") ?? "";
  return { origin: originOf(data), method, path, query, body, contentType, functionId };
}

function originOf(data: ObjectReader): string {
  const url = URL.parse(data.string("domain") ?? "");
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (url === null || !isHttp || url.username !== "" || url.password !== "") {
    throw data.wrong("domain", "an http or https origin such as https://shop.example");
  }
  return url.origin;
}

function whole(reader: ObjectReader, name: string): number | null {
  const number = reader.number(name);
  if (number !== null && (!Number.isSafeInteger(number) || number < 0)) {
    throw reader.wrong(name, "a whole number from 0");
  }
  return number;
}
