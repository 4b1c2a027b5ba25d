// Events on the wire (protocol.md 4): reading the body of `POST /e/{key}` and of an invocation,
// and writing the object that apps see. Payloads stay the text that arrived. It must not know
// keys, stores or what an event starts.
import { membersOf, skipSpace, valueEnd } from "./json-span.ts";
import { type JsonText, type JsonValue, toJsonText } from "./json-text.ts";
import { elementPairs, isJsonObject, ObjectReader, parseJson } from "./object-reader.ts";
import { ProtocolError } from "./protocol-error.ts";
import { readMeta } from "./session-wire.ts";
import { exceedsBytes } from "./utf8.ts";

/** An event as accepted: the fields of the record that a store keeps. */
export interface IncomingEvent {
  /** ULID given at acceptance. */
  readonly id: string;
  readonly name: string;
  /** `id` as the sender gave it; null when absent. */
  readonly externalId: string | null;
  /** Ms since the epoch, by the sender; the time of receipt when absent. */
  readonly ts: number;
  readonly receivedAt: number;
  /** An object; `{}` when the sender gave none. */
  readonly data: JsonText;
  readonly user: JsonText | null;
  readonly version: string | null;
  readonly meta: JsonText | null;
}

export interface EventLimits {
  /** UTF-8 bytes of one event as sent; more than `eventBytesCeiling` has no effect. */
  readonly eventBytesMax: number;
  /** Events in one request. */
  readonly eventsMax: number;
  /** UTF-16 units of a name. */
  readonly nameCharsMax: number;
}

export const defaultEventLimits: EventLimits = {
  eventBytesMax: 512 * 1024,
  eventsMax: 5_000,
  nameCharsMax: 256,
};

/** The highest `eventBytesMax` that a server may set. */
export const eventBytesCeiling = 3 * 1024 * 1024;
const externalIdCharsMax = 512;
const versionCharsMax = 256;
/** The range of a JavaScript Date, in ms around the epoch. */
const timeMsMax = 8.64e15;
const reservedPrefixes = ["inngest/", "pawl/"];

/** Name of the event that starts a function by invocation (protocol.md 4, internal events). */
export const invokedEventName = "inngest/function.invoked";
/** Name of the event that starts a deferred function when its parent has ended. */
export const deferredEventName = "inngest/deferred.schedule";

export interface ReadEventsOptions {
  /** Time of receipt, ms since the epoch. */
  readonly now: number;
  readonly limits: EventLimits;
  /** The internal id of the event at this index (from 0) of the request. */
  readonly nextId: (index: number) => string;
}

/** What a request brought: the events in front of the first bad one, and what was bad. */
export interface ReadEvents {
  readonly events: IncomingEvent[];
  readonly failure: ProtocolError | null;
}

/**
 * Reads one event, an array of events, or a stream of events one behind the other. Stops at the
 * first bad item: the events in front of it are accepted. An array that is no valid JSON as a
 * whole yields none; a stream yields those in front of the damage.
 *
 * Failures: json_invalid, event_invalid, event_too_large, event_name_too_long, too_many_events.
 */
export function readEvents(body: string, options: ReadEventsOptions): ReadEvents {
  const events: IncomingEvent[] = [];
  try {
    for (const [value, source, index] of itemsOf(body)) {
      const { eventsMax } = options.limits;
      if (index >= eventsMax) {
        const message = `A request may bring ${eventsMax} events (limit eventsMax).`;
        throw new ProtocolError("too_many_events", message);
      }
      events.push(readEvent(value, source, index, options));
    }
    return { events, failure: null };
  } catch (error) {
    if (error instanceof ProtocolError) return { events, failure: error };
    throw error;
  }
}

/**
 * Reads the body of an invocation, `{data?, user?, v?, meta?, id?, ts?}`, as the event that starts
 * the function; a name in it is ignored. Empty text is an invocation without data. Throws as
 * `readEvents` fails.
 */
export function readInvocation(
  body: string,
  options: { readonly now: number; readonly limits: EventLimits; readonly id: string },
): IncomingEvent {
  const source = body.trim() === "" ? "{}" : body.trim();
  const value = parseJson(source);
  // proof: parseJson accepted the text
  const reader = readerOf(value, source as JsonText, "The invocation", options.limits);
  return eventFrom(reader, invokedEventName, options.id, options.now);
}

/** The items of a body with their texts, lazily, so that those in front of damage are seen. */
function* itemsOf(body: string): Generator<readonly [JsonValue, JsonText, number]> {
  const start = skipSpace(body, body.charCodeAt(0) === 0xfeff ? 1 : 0);
  if (start === body.length) throw new ProtocolError("json_invalid", "The body is empty.");
  if (body.charAt(start) === "[") {
    const source = body.slice(start);
    const value = parseJson(source);
    // proof: parseJson accepted the text, and it begins with a bracket
    yield* elementPairs(value as readonly JsonValue[], source as JsonText);
    return;
  }
  const only = tryParse(body);
  if (only !== undefined) {
    yield [only, body.slice(start).trimEnd() as JsonText, 0]; // proof: parsed, with spaces around it
    return;
  }
  let at = start;
  for (let index = 0; at < body.length; index += 1) {
    const end = valueEnd(body, at);
    const source = body.slice(at, end);
    yield [parseJson(source), source as JsonText, index]; // proof: parseJson accepted the text
    at = skipSpace(body, end);
  }
}

/** Undefined for text that is not one JSON value: a stream of several, or damaged. */
function tryParse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue; // proof: JSON.parse yields JSON values
  } catch {
    return undefined;
  }
}

function readEvent(
  value: JsonValue,
  source: JsonText,
  index: number,
  options: ReadEventsOptions,
): IncomingEvent {
  const reader = readerOf(value, source, `Event ${index}`, options.limits);
  const name = reader.string("name");
  if (name === null || name === "") throw reader.wrong("name", "a string that is not empty");
  const { nameCharsMax } = options.limits;
  if (name.length > nameCharsMax) {
    const message = `Event ${index}: name has ${name.length} characters; ${nameCharsMax} are allowed (limit nameCharsMax).`;
    throw new ProtocolError("event_name_too_long", message);
  }
  for (const prefix of reservedPrefixes) {
    if (name.startsWith(prefix)) {
      throw reader.wrong("name", `outside "${prefix}", which is reserved for internal events`);
    }
  }
  return eventFrom(reader, name, options.nextId(index), options.now);
}

function readerOf(
  value: JsonValue,
  source: JsonText,
  where: string,
  limits: EventLimits,
): ObjectReader {
  const bytesMax = Math.min(limits.eventBytesMax, eventBytesCeiling);
  if (exceedsBytes(source, bytesMax)) {
    const message = `${where} is larger than ${bytesMax} bytes (limit eventBytesMax).`;
    throw new ProtocolError("event_too_large", message);
  }
  if (!isJsonObject(value)) {
    throw new ProtocolError("event_invalid", `${where} must be a JSON object.`);
  }
  return new ObjectReader(value, source, where, "event_invalid");
}

function eventFrom(reader: ObjectReader, name: string, id: string, now: number): IncomingEvent {
  return {
    id,
    name,
    externalId: readExternalId(reader),
    ts: readTime(reader, now),
    receivedAt: now,
    data: readData(reader),
    user: reader.objectText("user"),
    version: readVersion(reader),
    meta: readMeta(reader),
  };
}

function readExternalId(reader: ObjectReader): string | null {
  const id = reader.string("id");
  // Go and Python send their zero value for an id that was not given.
  if (id === null || id === "") return null;
  if (id.length > externalIdCharsMax)
    throw reader.wrong("id", `at most ${externalIdCharsMax} characters`);
  return id;
}

function readVersion(reader: ObjectReader): string | null {
  const version = reader.string("v");
  if (version === null || version === "") return null;
  if (version.length > versionCharsMax)
    throw reader.wrong("v", `at most ${versionCharsMax} characters`);
  return version;
}

function readTime(reader: ObjectReader, now: number): number {
  const ts = reader.number("ts");
  // Zero is Go's and Python's way to give none.
  if (ts === null || ts === 0) return now;
  const whole = Math.trunc(ts);
  if (whole < 0 || whole > timeMsMax) throw reader.wrong("ts", "a time in ms since the epoch");
  return whole;
}

/** `data` as it arrived, without the key that only the server may set. */
function readData(reader: ObjectReader): JsonText {
  const data = reader.objectText("data");
  if (data === null) return emptyObject;
  return withoutInternal(reader.get("data"), data);
}

/** Payload `source`, which parses to `value`, without the key that only the server may set. */
export function withoutInternal(value: JsonValue | undefined, source: JsonText): JsonText {
  if (!isJsonObject(value) || !Object.hasOwn(value, "_inngest")) return source;
  const kept: string[] = [];
  for (const [key, text] of membersOf(source)) {
    if (key !== "_inngest") kept.push(`${toJsonText(key)}:${text}`);
  }
  return `{${kept.join(",")}}` as JsonText; // proof: an object of quoted keys and JSON values
}

const emptyObject = "{}" as JsonText; // proof: an empty object is JSON

/** The fields of an event record that apps see. */
export type WritableEvent = Omit<IncomingEvent, "receivedAt">;

/**
 * The event as apps see it (protocol.md 2.1): `id` is the sender's, else the internal one; `user`
 * is always there; `v` and `meta` when known. Payload texts are spliced in unchanged.
 */
export function writeEvent(event: WritableEvent): JsonText {
  let text =
    `{"id":${toJsonText(event.externalId ?? event.id)},"name":${toJsonText(event.name)}` +
    `,"data":${event.data},"user":${event.user ?? "{}"},"ts":${event.ts}`;
  if (event.version !== null) text += `,"v":${toJsonText(event.version)}`;
  if (event.meta !== null) text += `,"meta":${event.meta}`;
  return `${text}}` as JsonText; // proof: an object of quoted keys and JSON values
}
