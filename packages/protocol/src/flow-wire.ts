// Flow control as functions register it (protocol.md 1.3), read into one shape from what the SDKs
// of three languages send. Whether it can work is for the engine to say; what it does, too.
import { parseDuration, parseMoment, type Moment } from "./duration.ts";
import type { JsonText, JsonValue } from "./json-text.ts";
import { elementPairs, isJsonObject, ObjectReader, parseJson } from "./object-reader.ts";
import { ProtocolError } from "./protocol-error.ts";

/** Whom a limit counts. */
export type LimitScope = "fn" | "env" | "account";

export interface ConcurrencyLimit {
  /** Calls in flight; 0 stands for no limit. */
  readonly limit: number;
  /** CEL over `event`; each value has a limit of its own. Null: one for all. */
  readonly key: string | null;
  readonly scope: LimitScope;
}

export interface RateRule {
  readonly limit: number;
  readonly periodMs: number;
  /** CEL over `event`; null: one rate for the function. */
  readonly key: string | null;
}

export interface ThrottleRule extends RateRule {
  /** Starts that may happen at once after a pause; 0 is like 1. */
  readonly burst: number;
}

export interface DebounceRule {
  readonly periodMs: number;
  /** Longest delay since the first event; null: none. */
  readonly timeoutMs: number | null;
  readonly key: string | null;
}

export interface BatchRule {
  readonly sizeMax: number;
  readonly timeoutMs: number;
  readonly key: string | null;
  /** CEL over `event`; an event for which it is false runs alone. */
  readonly condition: string | null;
}

export interface SingletonRule {
  readonly mode: "skip" | "cancel";
  /** CEL over `event`; the value `false` lets the event pass. */
  readonly key: string | null;
}

export interface CancelRule {
  readonly event: string;
  /** CEL over `event` (the trigger) and `async` (the arriving event). */
  readonly condition: string | null;
  /**
   * Until when, or how long after its creation, a run can be cancelled so; null: as long as it lives.
   * The published TypeScript SDKs write a `Date` as a timestamp.
   */
  readonly timeout: Moment | null;
}

export interface FlowConfig {
  readonly concurrency: readonly ConcurrencyLimit[];
  readonly throttle: ThrottleRule | null;
  readonly rateLimit: RateRule | null;
  /** CEL over `event`: starts once a day for each value. */
  readonly idempotency: string | null;
  readonly debounce: DebounceRule | null;
  readonly batch: BatchRule | null;
  /** CEL over `event`: seconds by which a run goes ahead of others. */
  readonly priority: string | null;
  readonly singleton: SingletonRule | null;
  readonly cancel: readonly CancelRule[];
  /** Longest wait for the first call, ms; null: none. */
  readonly startTimeoutMs: number | null;
  /** Longest time from the first call to the end, ms; null: none. */
  readonly finishTimeoutMs: number | null;
}

/**
 * Reads the flow control out of a function's registered configuration. Throws
 * `registration_invalid`, naming function and field.
 */
export function readFlow(slug: string, config: JsonText): FlowConfig {
  const value = parseJson(config);
  const where = `Function "${slug}"`;
  if (!isJsonObject(value))
    throw new ProtocolError(
      "registration_invalid",
      `${where}: the configuration must be an object.`,
    );
  const reader = new ObjectReader(value, config, where, "registration_invalid");
  return {
    concurrency: readConcurrency(reader),
    throttle: readThrottle(reader),
    rateLimit: readRateLimit(reader),
    idempotency: text(reader, "idempotency"),
    debounce: readDebounce(reader),
    batch: readBatch(reader),
    priority: text(reader.object("priority"), "run"),
    singleton: readSingleton(reader),
    cancel: readCancel(reader),
    startTimeoutMs: duration(reader.object("timeouts"), "start"),
    finishTimeoutMs: duration(reader.object("timeouts"), "finish"),
  };
}

/** A non-empty string, or null. */
function text(reader: ObjectReader | null, name: string): string | null {
  const value = reader?.string(name) ?? null;
  return value === null || value.trim() === "" ? null : value;
}

function duration(reader: ObjectReader | null, name: string): number | null {
  const value = text(reader, name);
  if (reader === null || value === null) return null;
  const ms = parseDuration(value);
  if (ms === null) throw reader.wrong(name, `a duration such as "1m30s", not "${value}"`);
  return ms;
}

function durationOf(reader: ObjectReader, name: string): number {
  const ms = duration(reader, name);
  if (ms === null) throw reader.wrong(name, `a duration such as "1m30s"`);
  return ms;
}

function whole(reader: ObjectReader, name: string): number | null {
  const value = reader.number(name);
  if (value !== null && !(Number.isInteger(value) && value >= 0)) {
    throw reader.wrong(name, "a whole number, 0 or more");
  }
  return value;
}

/** A number, one limit, a list of limits, or Go's lists for functions and steps. */
function readConcurrency(reader: ObjectReader): readonly ConcurrencyLimit[] {
  const value = reader.get("concurrency");
  if (value === undefined) return [];
  if (typeof value === "number") {
    return [{ limit: whole(reader, "concurrency") ?? 0, key: null, scope: "fn" }];
  }
  if (Array.isArray(value)) return readLimits(reader, "concurrency");
  const object = reader.object("concurrency");
  if (object === null) return [];
  const lists = ["fn", "step"].filter((name) => object.text(name) !== null);
  return lists.length > 0 ? lists.flatMap((name) => readLimits(object, name)) : [readLimit(object)];
}

function readLimits(reader: ObjectReader, name: string): readonly ConcurrencyLimit[] {
  return readList(reader, name).map(readLimit);
}

function readList(reader: ObjectReader, name: string): readonly ObjectReader[] {
  const value: JsonValue | undefined = reader.get(name);
  const source = reader.text(name);
  if (value === undefined || source === null) return [];
  if (!Array.isArray(value)) throw reader.wrong(name, "a list");
  return [...elementPairs(value, source)].map(([element, elementText, index]) => {
    if (!isJsonObject(element)) throw reader.wrong(`${name}[${index}]`, "an object");
    return reader.nested(element, elementText, `${name}[${index}]`);
  });
}

function readLimit(reader: ObjectReader): ConcurrencyLimit {
  const limit = whole(reader, "limit");
  if (limit === null) throw reader.wrong("limit", "a whole number, 0 or more");
  const scope = (reader.string("scope") ?? "fn").toLowerCase();
  if (scope !== "fn" && scope !== "env" && scope !== "account" && scope !== "") {
    throw reader.wrong("scope", `"fn", "env" or "account"`);
  }
  return { limit, key: text(reader, "key"), scope: scope === "" ? "fn" : scope };
}

function readRateLimit(reader: ObjectReader): RateRule | null {
  const object = reader.object("rateLimit");
  if (object === null) return null;
  const limit = whole(object, "limit") ?? 1;
  if (limit < 1) throw object.wrong("limit", "1 or more");
  return { limit, ...readRate(object) };
}

/** Go sends the limit and the burst that nobody set as 0: they are 1 (protocol.md 9). */
function readThrottle(reader: ObjectReader): ThrottleRule | null {
  const object = reader.object("throttle");
  if (object === null) return null;
  const limit = Math.max(1, whole(object, "limit") ?? 1);
  return { limit, ...readRate(object), burst: whole(object, "burst") ?? 1 };
}

function readRate(object: ObjectReader): Pick<RateRule, "periodMs" | "key"> {
  return { periodMs: durationOf(object, "period"), key: text(object, "key") };
}

function readDebounce(reader: ObjectReader): DebounceRule | null {
  const object = reader.object("debounce");
  if (object === null) return null;
  return {
    periodMs: durationOf(object, "period"),
    timeoutMs: duration(object, "timeout"),
    key: text(object, "key"),
  };
}

function readBatch(reader: ObjectReader): BatchRule | null {
  const object = reader.object("batchEvents");
  if (object === null) return null;
  const sizeMax = whole(object, "maxSize");
  if (sizeMax === null) throw object.wrong("maxSize", "a whole number, 2 or more");
  return {
    sizeMax,
    timeoutMs: durationOf(object, "timeout"),
    key: text(object, "key"),
    condition: text(object, "if"),
  };
}

/** Go may send the mode as a number: 0 skips, 1 cancels. */
function readSingleton(reader: ObjectReader): SingletonRule | null {
  const object = reader.object("singleton");
  if (object === null) return null;
  const mode = object.get("mode");
  const cancels = mode === "cancel" || mode === 1;
  if (!cancels && mode !== "skip" && mode !== 0 && mode !== undefined) {
    throw object.wrong("mode", `"skip" or "cancel"`);
  }
  return { mode: cancels ? "cancel" : "skip", key: text(object, "key") };
}

function readCancel(reader: ObjectReader): readonly CancelRule[] {
  return readList(reader, "cancel").map((object) => {
    const event = text(object, "event");
    if (event === null) throw object.wrong("event", "the name of an event");
    return { event, condition: text(object, "if"), timeout: moment(object, "timeout") };
  });
}

function moment(reader: ObjectReader, name: string): Moment | null {
  const value = text(reader, name);
  const found = value === null ? null : parseMoment(value);
  if (value !== null && found === null)
    throw reader.wrong(name, `a duration such as "1m30s", or a timestamp, not "${value}"`);
  return found;
}
