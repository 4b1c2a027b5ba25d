// What all steps share that the server opens for an app: the times they name, what their jobs have
// in common, and how they end at once. It must not know the kinds of steps.
import type { JsonText } from "@pawl/protocol/json-text";
import type { Opcode } from "@pawl/protocol/opcode";
import type { StepOp } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { errorMemo } from "./memo.ts";
import { recordStep } from "./steps.ts";

/** Records a step that never had to be opened. Returns whether it is news. */
export function finishAtOnce(
  run: RunDraft,
  opcode: Opcode,
  op: StepOp,
  memo: JsonText,
  failed = false,
): boolean {
  const { at } = run.draft;
  return recordStep(run, opcode, {
    op,
    memo,
    failed,
    attempts: 1,
    queuedAt: at,
    startedAt: at,
    endedAt: at,
  });
}

/** Records that a step cannot be performed as it was asked for: user code may catch it. */
export function refuseAtOnce(
  run: RunDraft,
  opcode: Opcode,
  op: StepOp,
  error: { readonly name: string; readonly code: string; readonly message: string },
): boolean {
  return finishAtOnce(run, opcode, op, errorMemo(error), true);
}

type Moment = { readonly at: number } | { readonly forMs: number };

/** A moment as an absolute time. */
export function timeOf(run: RunDraft, moment: Moment): number {
  return "at" in moment ? moment.at : run.draft.at + moment.forMs;
}

/** A moment as an absolute time, no later than the longest wait allows. */
export function momentOf(run: RunDraft, moment: Moment): number {
  const { at, state } = run.draft;
  return Math.min(timeOf(run, moment), at + state.settings.waitMaxMs);
}

/** Wakes a job of the run in time. */
export function timer(run: RunDraft, jobId: string, dueAt: number): void {
  run.draft.effect({ type: "timer", runId: run.id, jobId, dueAt });
}

/** What people see of the step. */
export function face(opcode: Opcode) {
  const { id, displayName, userId, userIndex, stepType, opts } = opcode;
  return { id, displayName, userId, userIndex, stepType, opts };
}

/** What the jobs of all steps have. */
export function base(run: RunDraft, opcode: Opcode, parallel: boolean) {
  return { ...face(opcode), runId: run.id, parallel, race: opcode.race, queuedAt: run.draft.at };
}
