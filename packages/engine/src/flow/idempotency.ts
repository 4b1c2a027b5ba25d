// What makes a second start a repeat: the event's own id, and the value of the function's idempotency
// expression. Either keeps the function from starting again for `idempotencyMs` (protocol.md 4, 9).
import type { EventRecord, FunctionRecord } from "../records.ts";
import { valueHash } from "./key.ts";
import { flowOf } from "./rules.ts";

/** The keys that a start takes. An invocation is wanted each time, whatever its event's id. */
export function idempotencyKeys(
  fn: FunctionRecord,
  event: EventRecord,
  at: number,
  isInvoked: boolean,
): readonly string[] {
  const keys = eventIdKeys(fn, event, isInvoked);
  const { idempotency } = flowOf(fn);
  if (idempotency === null) return keys;
  return [...keys, `idempotency:${fn.id}:${valueHash(idempotency, event, at)}`];
}

/** The keys of the event alone: what becomes of it is decided once, also when it is skipped. */
export function eventIdKeys(
  fn: FunctionRecord,
  event: EventRecord,
  isInvoked: boolean,
): readonly string[] {
  return event.externalId === null || isInvoked ? [] : [`${fn.id}:${event.externalId}`];
}
