// Recording what steps came to. A step is written once; whoever comes second changes nothing.
import type { Opcode } from "@pawl/protocol/opcode";
import type { JsonText } from "@pawl/protocol/json-text";
import type { Job, StepJob, StepOp, StepRecord } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { failRun } from "./finish-run.ts";
import { errorMemo } from "./memo.ts";

/** What people see of a step, as opcodes and jobs carry it. */
export type StepFace = Pick<
  Opcode & Job,
  "id" | "displayName" | "userId" | "userIndex" | "stepType" | "opts"
>;

interface Ended {
  readonly op: StepOp;
  readonly memo: JsonText;
  readonly failed: boolean;
  readonly attempts: number;
  readonly queuedAt: number;
  readonly startedAt: number;
  readonly endedAt: number;
}

/**
 * Records a finished step, unless it is recorded already. Ends the run when a limit is passed.
 * Returns whether the step is news.
 */
export function recordStep(run: RunDraft, face: StepFace, ended: Ended): boolean {
  if (run.ended || run.step(face.id) !== undefined) return false;
  const { settings } = run.draft.state;
  const { stepOutputCharsMax } = settings;
  const own = run.draft.state.functionById(run.run.functionId)?.limits;
  const stepsMax = own?.steps ?? settings.stepsPerRunMax;
  const stateCharsMax = own?.stateChars ?? settings.runStateCharsMax;
  if (run.stepCount >= stepsMax) {
    failRun(
      run,
      overflow(
        "InngestErrFunctionOverflowed",
        `The function run exceeded the step limit of ${stepsMax} steps.`,
        "steps_overflow",
      ),
    );
    return false;
  }
  const tooLarge = ended.memo.length > stepOutputCharsMax;
  const memo = tooLarge ? outputTooLarge(face, ended.memo.length, stepOutputCharsMax) : ended.memo;
  if (run.stateChars + memo.length > stateCharsMax) {
    failRun(
      run,
      overflow(
        "InngestErrStateOverflowed",
        `The results of all steps of the run exceeded the limit of ${stateCharsMax} characters with step "${face.displayName}" (setting runStateCharsMax).`,
        "state_overflow",
      ),
    );
    return false;
  }
  // Whatever would still have brought this step is not needed; a call that is out will be late.
  if (!isOut(run.job(face.id))) run.deleteJob(face.id);
  run.addStep(toRecord(face, { ...ended, memo, failed: ended.failed || tooLarge }));
  return true;
}

/** Whether a step is open and nobody is busy with it: recording it must move the run. */
export function isAwaited(run: RunDraft, stepId: string): boolean {
  const job = run.job(stepId);
  return job !== undefined && !isOut(job);
}

/** Whether a job is a call that a driver has in its hands. */
function isOut(job: Job | undefined): boolean {
  return job?.kind === "call" && job.state.at === "leased";
}

function toRecord(face: StepFace, ended: Ended): Omit<StepRecord, "seq"> {
  return {
    id: face.id,
    op: ended.op,
    displayName: face.displayName,
    userId: face.userId,
    userIndex: face.userIndex,
    stepType: face.stepType,
    status: ended.failed ? "failed" : "completed",
    attempts: ended.attempts,
    queuedAt: ended.queuedAt,
    startedAt: ended.startedAt,
    endedAt: ended.endedAt,
    memo: ended.memo,
    opts: face.opts,
  };
}

/** Ends a job that is not a call with the memo its step gets. */
export function endStepJob(run: RunDraft, job: StepJob, memo: JsonText, failed = false): boolean {
  run.deleteJob(job.id);
  const { at } = run.draft;
  return recordStep(run, job, {
    op: job.kind === "waitMany" ? manyOps[job.mode] : stepOps[job.kind],
    memo,
    failed,
    attempts: 1,
    queuedAt: job.queuedAt,
    startedAt: job.queuedAt,
    endedAt: at,
  });
}

const stepOps = {
  sleep: "sleep",
  wait: "waitForEvent",
  signal: "waitForSignal",
  invoke: "invoke",
} as const;

/** What a step that waits for several events is called. */
export const manyOps = { any: "waitForAny", all: "waitForAll" } as const;

function overflow(name: string, message: string, code: string): JsonText {
  return errorMemo({ name, message, code });
}

function outputTooLarge(face: StepFace, chars: number, max: number): JsonText {
  return errorMemo({
    name: "PawlOutputTooLargeError",
    code: "output_too_large",
    message: `Step "${face.displayName}" returned ${chars} characters of JSON; the limit is ${max} (setting stepOutputCharsMax). Store large results elsewhere and return a reference.`,
  });
}
