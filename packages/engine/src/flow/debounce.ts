// Debounce: a start is put off until no more events come for a while, and runs with the last of them
// by their own time; `timeout` bounds the delay (protocol.md 9).
import type { Draft } from "../draft.ts";
import { priorityMs } from "./priority.ts";
import type { EventRecord, FunctionRecord, RunParent } from "../records.ts";
import { outliveInvokers } from "../rules/invokers.ts";
import { invokedEvent } from "../rules/lifecycle.ts";
import type { RunDraft } from "../run-draft.ts";
import { listenForCancel } from "./cancel-on.ts";
import { keyGates } from "./concurrency.ts";
import { cancelPrefix, dropHolds, isThrottle } from "./holds.ts";
import { ruleKey } from "./key.ts";
import { flowOf } from "./rules.ts";
import { wantSingleton } from "./singleton.ts";
import { addParent, findSlot, slotRule, type Slot } from "./slots.ts";
import { throttleKey } from "./throttle.ts";

/** The key under which starts are put off; null: the function has no debounce. */
export function debounceKey(fn: FunctionRecord, event: EventRecord, at: number): string | null {
  const { debounce } = flowOf(fn);
  return debounce === null ? null : ruleKey(slotRule("debounce"), fn.id, debounce.key, event, at);
}

/** Puts off the run that waits, with this event unless it is an older one; null: none waits. */
export function joinDebounced(
  draft: Draft,
  fn: FunctionRecord,
  event: EventRecord,
  parent: RunParent | null,
): { readonly slot: Slot; readonly dueAt: number | null } | null {
  const key = debounceKey(fn, event, draft.at);
  const slot = key === null ? null : findSlot(draft, key);
  if (slot === null) return null;
  addParent(slot.run, parent);
  if (parent === null && event.name === invokedEvent) outliveInvokers(slot.run);
  const last = slot.run.events[0];
  // One that was late on its way changes nothing.
  if (last !== undefined && event.ts < last.ts) return { slot, dueAt: null };
  replaceEvent(slot.run, fn, event);
  return { slot, dueAt: debouncedUntil(slot.run, fn) };
}

/** When a run that is put off now will start. */
export function debouncedUntil(run: RunDraft, fn: FunctionRecord): number {
  const { debounce } = flowOf(fn);
  const { at } = run.draft;
  const latest = run.run.queuedAt + (debounce?.timeoutMs ?? Infinity);
  return Math.min(at + (debounce?.periodMs ?? 0), latest);
}

/** What a run took from its event, it takes from the new one. */
function replaceEvent(run: RunDraft, fn: FunctionRecord, event: EventRecord): void {
  const { at } = run.draft;
  run.setEvents([event]);
  dropHolds(run, (hold) => hold.startsWith(cancelPrefix) || isThrottle(hold));
  const throttle = throttleKey(fn, event, at);
  run.update({
    eventName: event.name,
    functionVersion: fn.version,
    gates: keyGates(fn, event, at),
    priorityMs: priorityMs(fn, event, at),
    holds: throttle === null ? run.run.holds : [...run.run.holds, throttle],
  });
  wantSingleton(run, fn, event);
  listenForCancel(run, fn);
}
