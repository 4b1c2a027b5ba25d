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
  const keys: string[] = [];
  if (event.externalId !== null && !isInvoked) keys.push(`${fn.id}:${event.externalId}`);
  const { idempotency } = flowOf(fn);
  if (idempotency !== null) keys.push(`idempotency:${fn.id}:${valueHash(idempotency, event, at)}`);
  return keys;
}
