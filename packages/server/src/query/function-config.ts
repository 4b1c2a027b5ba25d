// The options of a function as its app registered them (protocol.md 1.3), for people who look at
// it. It reads what is there and checks nothing: that was done at the sync.
import type { FunctionRecord } from "@pawl/engine/records";
import { fromJsonText, type JsonValue } from "@pawl/protocol/json-text";
import { isJsonObject } from "@pawl/protocol/object-reader";

/** Options as registered; null or empty: not asked for. */
export interface FunctionConfig {
  /** Whether its app says how often it is tried again. */
  readonly hasRetries: boolean;
  readonly concurrency: readonly JsonValue[];
  readonly rateLimit: JsonValue;
  readonly throttle: JsonValue;
  readonly debounce: JsonValue;
  readonly singleton: JsonValue;
  readonly priority: JsonValue;
  readonly batchEvents: JsonValue;
  readonly batchSize: number | null;
  readonly cancellations: readonly JsonValue[];
}

/** The options of a function. */
export function functionConfig(fn: FunctionRecord): FunctionConfig {
  const parsed = fromJsonText(fn.config);
  const config = isJsonObject(parsed) ? parsed : {};
  const { concurrency, rateLimit, throttle, debounce, singleton, priority } = config;
  const { batchEvents, cancel } = config;
  const size = isJsonObject(batchEvents) ? batchEvents["maxSize"] : null;
  return {
    hasRetries: hasRetries(config["steps"]),
    concurrency: listOf(concurrency),
    rateLimit: rateLimit ?? null,
    throttle: throttle ?? null,
    debounce: debounce ?? null,
    singleton: singleton ?? null,
    priority: priority ?? null,
    batchEvents: batchEvents ?? null,
    batchSize: typeof size === "number" ? size : null,
    cancellations: listOf(cancel),
  };
}

function hasRetries(steps: JsonValue | undefined): boolean {
  if (!isJsonObject(steps)) return false;
  return Object.values(steps).some(
    (step) =>
      isJsonObject(step) &&
      isJsonObject(step["retries"]) &&
      typeof step["retries"]["attempts"] === "number",
  );
}

/** One limit may stand for a list of one; a bare number for a limit without a key. */
function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  if (value === undefined || value === null) return [];
  if (typeof value === "number") return [{ limit: value }];
  return isJsonObject(value) || typeof value === "string" || typeof value === "boolean"
    ? [value]
    : value;
}
