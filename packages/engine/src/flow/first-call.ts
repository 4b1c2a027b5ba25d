// The first call of a run: when it becomes due, and what it passes then.
import { admit, handOut, newCall, type NewCall } from "../rules/calls.ts";
import { skipRun } from "../rules/finish-run.ts";
import { pauseGate } from "../gate.ts";
import type { CallJob } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { dropHolds } from "./holds.ts";
import { claimSingleton } from "./singleton.ts";
import { isGathering, isPutOff, isSlot, type Slot } from "./slots.ts";
import { limitStart } from "./timeouts.ts";
import { limitOf } from "./concurrency.ts";
import { reserveStart } from "./throttle.ts";

/** Adds the first call, due now or later. */
export function addFirstCall(run: RunDraft, call: NewCall, dueAt: number): void {
  const job = newCall(run, call);
  if (dueAt > run.draft.at) handOut(run, job, dueAt);
  else firstCallDue(run, job);
}

/** Moves the first call of a run that waits in a slot: to another time, or out of it. */
export function moveFirstCall({ run, job }: Slot, dueAt: number): void {
  if (dueAt > run.draft.at) handOut(run, job, dueAt);
  else firstCallDue(run, job);
}

/** The function is no longer paused: a first call that waited for that goes on. */
export function leavePause(run: RunDraft, job: CallJob): void {
  const { at } = run.draft;
  // Runs whose places passed while they were held must not begin all at once.
  const heldMs = job.state.at === "queued" ? at - job.state.since - run.run.priorityMs : 0;
  const startAt = reserveStart(run, heldMs);
  if (startAt > run.draft.at) handOut(run, job, startAt);
  else admit(run, job);
}

/** The time of the first call has come, or that of its place in the throttle, `lateMs` ago. */
export function firstCallDue(run: RunDraft, job: Omit<CallJob, "state">, lateMs = 0): void {
  if (isGathering(run) && !endGathering(run, job)) return;
  limitStart(run);
  // A paused function's runs take their places when it goes on.
  const { functionId } = run.run;
  const isHeld = limitOf(run.draft.state, pauseGate(functionId), functionId) === 0;
  handOut(run, job, isHeld ? run.draft.at : reserveStart(run, lateMs));
}

/** Closes the slot of a run. False: it does not start, or not yet. */
function endGathering(run: RunDraft, job: Omit<CallJob, "state">): boolean {
  const wasPutOff = isPutOff(run);
  const problem = claimSingleton(run);
  dropHolds(run, isSlot);
  if (problem !== null) {
    skipRun(run, problem);
    return false;
  }
  // An event of the future starts its run then, also when nothing puts it off any more.
  const { ts } = run.events[0] ?? { ts: 0 };
  if (!wasPutOff || ts <= run.draft.at) return true;
  handOut(run, job, ts);
  return false;
}
