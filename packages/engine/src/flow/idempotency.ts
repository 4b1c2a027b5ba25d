// What makes a second start a repeat: the event's own id, and the value of the function's idempotency
// expression. Either keeps the function from starting again for `idempotencyMs` (protocol.md 4, 9).
import type { EventRecord, FunctionRecord } from "../records.ts";
import { valueHash } from "./key.ts";
import { flowOf } from "./rules.ts";

/** How a function is started: an invocation is wanted each time, unless it says once for its event's id. */
export type StartKind = "trigger" | "invoke" | "invokeOnce";

/** The keys that a start takes. */
export function idempotencyKeys(
  fn: FunctionRecord,
  event: EventRecord,
  at: number,
  kind: StartKind,
): readonly string[] {
  const keys = eventIdKeys(fn, event, kind);
  const { idempotency } = flowOf(fn);
  if (idempotency === null) return keys;
  return [...keys, `idempotency:${fn.id}:${valueHash(idempotency, event, at)}`];
}

/** The keys of the event alone: what becomes of it is decided once, also when it is skipped. */
export function eventIdKeys(
  fn: FunctionRecord,
  event: EventRecord,
  kind: StartKind,
): readonly string[] {
  if (event.externalId === null || kind === "invoke") return [];
  return [`${fn.id}:${kind === "trigger" ? "" : "invoke:"}${event.externalId}`];
}
