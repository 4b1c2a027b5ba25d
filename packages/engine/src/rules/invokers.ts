// Who waits for an invoked run, and whether anybody still wants it when one of them was cancelled.
import type { RunParent, RunRecord } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { invokedEvent } from "./lifecycle.ts";

/** Every invoke step that the run was started for, or that joined it. */
export function invokersOf({ parent, coParents }: RunRecord): readonly RunParent[] {
  return parent === null ? coParents : [parent, ...coParents];
}

/**
 * Notes that an invoker was cancelled. Returns whether the run is to be cancelled with it: its step
 * asked for that, and nobody else wants the run.
 */
export function loseInvoker(run: RunDraft, runId: string, jobId: string): boolean {
  const isGone = (one: RunParent): boolean =>
    one.runId === runId && one.jobId === jobId && one.onCancel === "cancel";
  if (!invokersOf(run.run).some(isGone)) return false;
  const mark = (one: RunParent): RunParent => (isGone(one) ? { ...one, onCancel: "gone" } : one);
  const { parent, coParents } = run.run;
  run.update({ parent: parent === null ? null : mark(parent), coParents: coParents.map(mark) });
  return !isWanted(run.run);
}

/**
 * Somebody who invoked no step of a run (people, a schedule) has put an invocation into a run that was
 * put off: it goes on for them, whatever becomes of its invokers.
 */
export function outliveInvokers(run: RunDraft): void {
  const freed = (one: RunParent): RunParent =>
    one.onCancel === "cancel" ? { ...one, onCancel: "abandon" } : one;
  const { parent, coParents } = run.run;
  run.update({ parent: parent === null ? null : freed(parent), coParents: coParents.map(freed) });
}

/** Whether an invoker that is not gone, or somebody's event, stands behind the run. */
function isWanted(run: RunRecord): boolean {
  const invokers = invokersOf(run);
  if (invokers.some(({ onCancel }) => onCancel !== "gone")) return true;
  // Each event of a batch is an invocation or comes from elsewhere.
  if (run.batchId !== null) return run.eventIds.length > invokers.length;
  // A run that was put off stands for its last event.
  return run.parent === null || run.eventName !== invokedEvent;
}
