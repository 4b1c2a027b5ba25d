// Batching: events are gathered into one run, which goes out when it is full or its time is over.
// Invocations join like events; all invokers get the result (protocol.md 5.4, 9).
import { compileExpression } from "../expression/compile.ts";
import { ExpressionError } from "../expression/expression-error.ts";
import { eventValue } from "../event-value.ts";
import type { Draft } from "../draft.ts";
import type { EventRecord, FunctionRecord, RunParent } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { ruleKey } from "./key.ts";
import { flowOf } from "./rules.ts";
import { addParent, findSlot, slotRule, type Slot } from "./slots.ts";

/** The key of the batch that an event belongs to; null: it runs alone. */
export function batchKey(fn: FunctionRecord, event: EventRecord, at: number): string | null {
  const { batch } = flowOf(fn);
  if (batch === null || !applies(batch.condition, event, at)) return null;
  return ruleKey(slotRule("batch"), fn.id, batch.key, event, at);
}

/** Adds the event to the open batch; null: there is none. */
export function joinBatch(
  draft: Draft,
  fn: FunctionRecord,
  event: EventRecord,
  parent: RunParent | null,
): Slot | null {
  const key = batchKey(fn, event, draft.at);
  const slot = key === null ? null : findSlot(draft, key);
  if (slot === null) return null;
  slot.run.setEvents([...slot.run.events, event]);
  addParent(slot.run, parent);
  return slot;
}

/** Whether a batch takes no more events. */
export function isFull(run: RunDraft, fn: FunctionRecord): boolean {
  const { batch } = flowOf(fn);
  if (batch === null || run.events.length >= batch.sizeMax) return true;
  const chars = run.events.reduce((sum, event) => sum + event.data.length, 0);
  return chars >= run.draft.state.settings.batchCharsMax;
}

/** Any value but true keeps the event out; so does an expression that cannot be used. */
function applies(condition: string | null, event: EventRecord, at: number): boolean {
  if (condition === null) return true;
  try {
    return compileExpression(condition).test({ event: eventValue(event) }, at);
  } catch (error) {
    if (error instanceof ExpressionError) return false;
    throw error;
  }
}
