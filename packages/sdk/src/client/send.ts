// Sends events (protocol.md 4): checks them, tries again while the server cannot answer, and marks
// all tries as one, so that a lost answer never doubles an event.
import type { JsonValue } from "@pawl/protocol/json-text";
import { headerEnv, headerEventIdSeed, headerSdk } from "@pawl/protocol/headers";
import { PawlError } from "../errors.ts";
import type { EventSchemas, OutgoingEvent } from "../events/event-types.ts";
import type { SchemaIssue } from "../events/standard-schema.ts";
import type { FetchInit } from "../runtime.ts";
import { encodeValue } from "../values/encode.ts";
import { bytesToBase64 } from "../values/bytes.ts";
import { sdkName } from "../version.ts";
import type { Connection } from "./connection.ts";
import { backoffMaxMs, retrying, sendAttemptsMax, type Try } from "./retrying.ts";

/** The server's ids of accepted events, in the order in which they were given. */
export interface SendResult {
  readonly ids: readonly string[];
}

/** An event on its way to the server. */
export type WireEvent = { readonly [member: string]: JsonValue };

/** Throws `PawlError`: `event_invalid`, `event_key_missing`, `event_refused`, `event_unsent`. */
export async function sendEvents(
  connection: Connection,
  given: readonly OutgoingEvent[],
): Promise<SendResult> {
  const events = await connection.middleware.transformSend(given);
  if (events.length === 0) return { ids: [] };
  const wire: WireEvent[] = [];
  for (const event of events) wire.push(await prepareEvent(connection, event));
  return post(connection, JSON.stringify(wire));
}

/** The event as it travels, checked by its schema. Throws `event_invalid`. */
export async function prepareEvent(
  connection: Connection,
  event: OutgoingEvent,
): Promise<WireEvent> {
  const name: unknown = event.name;
  if (typeof name !== "string" || name === "") {
    throw new PawlError("event_invalid", "An event has no name.");
  }
  const data = encodeValue(await validData(connection.schemas, name, event.data ?? {}));
  if (data.data === null || typeof data.data !== "object" || Array.isArray(data.data)) {
    throw new PawlError("event_invalid", `The data of event "${name}" must be an object.`);
  }
  const { id, ts, user, v } = event;
  if (ts !== undefined && (!Number.isInteger(ts) || ts < 0)) {
    throw new PawlError("event_invalid", `"ts" of event "${name}" must be ms since the epoch.`);
  }
  return {
    name,
    data: data.data,
    ts: ts ?? connection.runtime.now(),
    ...(id === undefined || id === "" ? {} : { id }),
    ...(user === undefined ? {} : { user: encodeValue(user).data }),
    ...(v === undefined ? {} : { v }),
    ...(data.types === null ? {} : { meta: { types: data.types } }),
  };
}

async function validData(schemas: EventSchemas, name: string, data: unknown): Promise<unknown> {
  const schema = Object.hasOwn(schemas, name) ? schemas[name] : undefined;
  if (schema === undefined) return data;
  const result = await schema["~standard"].validate(data);
  if (result.issues === undefined) return result.value;
  const faults = result.issues.map(describeIssue).join("; ");
  throw new PawlError("event_invalid", `The event "${name}" is invalid: ${faults}.`);
}

function describeIssue({ path, message }: SchemaIssue): string {
  const keys = (path ?? []).map((part) => String(typeof part === "object" ? part.key : part));
  return `${["data", ...keys].join(".")}: ${message}`;
}

function eventKeyOf(connection: Connection): string {
  if (connection.eventKey !== null) return connection.eventKey;
  if (connection.isDev) return "dev";
  throw new PawlError(
    "event_key_missing",
    "No event key: set PAWL_EVENT_KEY or the option eventKey.",
  );
}

async function post(connection: Connection, body: string): Promise<SendResult> {
  const { runtime, env } = connection;
  const url = `${connection.baseUrl}/e/${encodeURIComponent(eventKeyOf(connection))}`;
  const seed = `${runtime.now()},${bytesToBase64(runtime.randomBytes(10))}`;
  const headers = {
    "content-type": "application/json",
    [headerSdk]: sdkName,
    [headerEventIdSeed]: seed,
    ...(env === null ? {} : { [headerEnv]: env }),
  };
  const init = { method: "POST", headers, body };
  const result = await retrying(connection, () => tryOnce(connection, url, init));
  if ("value" in result) return { ids: result.value };
  const { failure } = result;
  const count = `${sendAttemptsMax} tries`;
  throw new PawlError(
    "event_unsent",
    `The events could not be sent in ${count}: ${failure.message}`,
    { cause: failure },
  );
}

async function tryOnce(
  connection: Connection,
  url: string,
  init: FetchInit,
): Promise<Try<readonly string[]>> {
  let status: number;
  let text: string;
  let retryAfter: string | null;
  try {
    const response = await connection.runtime.fetch(url, init);
    status = response.status;
    retryAfter = response.headers.get("retry-after");
    text = await response.text();
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    return { retry: cause, afterMs: 0 };
  }
  const answer = readAnswer(text);
  const effective = answer?.status ?? status;
  if (status === 200 && effective === 200 && answer !== null) return { value: answer.ids };
  const reason = answer?.error ?? `the server answered ${status}`;
  if (status === 429 || status >= 500 || (status === 200 && answer === null)) {
    const seconds = Number(retryAfter ?? 0);
    const afterMs = Number.isFinite(seconds) ? Math.min(seconds * 1_000, backoffMaxMs) : 0;
    return { retry: new Error(reason), afterMs };
  }
  throw new PawlError("event_refused", `The server refused the events (${effective}): ${reason}`);
}

interface EventAnswer {
  readonly ids: readonly string[];
  readonly status: number | null;
  readonly error: string | null;
}

function readAnswer(text: string): EventAnswer | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (value === null || typeof value !== "object") return null;
  const { ids, status, error } = value as Record<string, unknown>; // proof: an object
  return {
    ids: Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : [],
    status: typeof status === "number" ? status : null,
    error: typeof error === "string" ? error : null,
  };
}
