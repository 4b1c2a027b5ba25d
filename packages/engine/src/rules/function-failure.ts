// The failure of the function itself, when it comes as an opcode: TypeScript apps that have to send
// deferrals beside it write it as the error of a step that stands for the result of the run.
import { sha1Hex } from "@pawl/protocol/sha1";
import type { Opcode, StepErrorOpcode, StepFailedOpcode } from "@pawl/protocol/opcode";
import type { CallJob } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { failRun } from "./finish-run.ts";
import { wrap } from "./memo.ts";
import { retryCall } from "./retry.ts";

const resultId = sha1Hex("complete");

/**
 * The opcode, if it is about the function; null: it is not. A step of that name has the id that its
 * author wrote.
 */
export function functionFailure(opcode: Opcode): StepErrorOpcode | StepFailedOpcode | null {
  if (opcode.op !== "StepError" && opcode.op !== "StepFailed") return null;
  return opcode.id === resultId && opcode.userId === null ? opcode : null;
}

/** Tries the call again, or fails the run, as with any failed answer. Returns whether it is tried again. */
export function failFunction(
  run: RunDraft,
  call: { readonly job: CallJob; readonly sentAt: number; readonly retryAfterMs: number | null },
  opcode: StepErrorOpcode | StepFailedOpcode,
): boolean {
  const { job, sentAt, retryAfterMs } = call;
  // The step that was called for came in while the call was out: nothing is left to be tried.
  if (run.step(job.target) !== undefined) return false;
  const failed = {
    error: opcode.error,
    noRetry: opcode.op === "StepFailed" || opcode.noRetry,
    retryAfterMs,
    sentAt,
    stepId: job.target,
    displayName: job.displayName,
    attemptsMax: job.attemptsMax,
  };
  if (retryCall(run, job, failed)) return true;
  failRun(run, wrap("error", opcode.error));
  return false;
}
