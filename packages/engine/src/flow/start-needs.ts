// What must be in memory before an event may start a function. Keys of flow control are values of
// expressions, so this computes them as the start itself will.
import type { Need } from "../needs.ts";
import type { EventRecord, FunctionRecord } from "../records.ts";
import { batchKey } from "./batch.ts";
import { debounceKey } from "./debounce.ts";
import { idempotencyKeys, type StartKind } from "./idempotency.ts";
import { rateLimitKey } from "./rate-limit.ts";
import { singletonKey } from "./singleton.ts";
import { throttleKey } from "./throttle.ts";

/** The needs of one start, but for runs that it may join. */
export function startNeeds(
  fn: FunctionRecord,
  event: EventRecord,
  at: number,
  kind: StartKind,
): readonly Need[] {
  const idempotency = idempotencyKeys(fn, event, at, kind);
  const gates = [batchKey, rateLimitKey, debounceKey, throttleKey, singletonKey].map((keyOf) =>
    keyOf(fn, event, at),
  );
  return [
    ...idempotency.map((key): Need => ({ kind: "idempotency", key })),
    ...gates.filter((key) => key !== null).map((key): Need => ({ kind: "gate", key })),
  ];
}
