// The first call of a run: when it becomes due, and what it passes then.
import { discoveryTarget, attemptsMaxOf, handOut, newCall } from "../rules/calls.ts";
import type { CallJob, FunctionRecord } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { dropHolds } from "./holds.ts";
import { isSlot, type Slot } from "./slots.ts";
import { limitStart } from "./timeouts.ts";
import { reserveStart } from "./throttle.ts";

/** Adds the first call, due now or later. */
export function addFirstCall(run: RunDraft, fn: FunctionRecord, dueAt: number): void {
  const job = newCall(run, {
    id: discoveryTarget,
    target: discoveryTarget,
    displayName: fn.name,
    userId: null,
    userIndex: 0,
    stepType: null,
    opts: null,
    parallel: false,
    race: false,
    attempt: 0,
    attemptsMax: attemptsMaxOf(run, fn, null),
  });
  if (dueAt > run.draft.at) handOut(run, job, dueAt);
  else firstCallDue(run, job);
}

/** Moves the first call of a run that waits in a slot: to another time, or out of it. */
export function moveFirstCall({ run, job }: Slot, dueAt: number): void {
  if (dueAt > run.draft.at) handOut(run, job, dueAt);
  else firstCallDue(run, job);
}

/** The time of the first call has come, or that of its place in the throttle. */
export function firstCallDue(run: RunDraft, job: Omit<CallJob, "state">): void {
  dropHolds(run, isSlot);
  limitStart(run);
  handOut(run, job, reserveStart(run));
}
