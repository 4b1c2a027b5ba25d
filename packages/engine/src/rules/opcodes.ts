// What the opcodes of an answer do to a run (protocol.md 2.5, 2.7).
import type {
  Opcode,
  StepErrorOpcode,
  StepFailedOpcode,
  StepRunOpcode,
  UnsupportedOpcode,
} from "@pawl/protocol/opcode";
import { toJsonText, type JsonText } from "@pawl/protocol/json-text";
import type { CallJob, Job, StepOp } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { discoveryTarget } from "./calls.ts";
import { applyDefer } from "./defers.ts";
import { completeRun } from "./finish-run.ts";
import { failFunction, functionFailure } from "./function-failure.ts";
import { takeMetadata } from "../metadata/update.ts";
import { wrap } from "./memo.ts";
import { isOpening, openStep } from "./open-steps.ts";
import { retryCall } from "./retry.ts";
import { recordStep } from "./steps.ts";

/** The call whose answer brings the opcodes. */
export interface Dispatch {
  readonly job: CallJob;
  readonly sentAt: number;
  readonly retryAfterMs: number | null;
}

export interface Outcome {
  /** Steps that are finished by now. */
  readonly finished: readonly string[];
  readonly race: boolean;
  /** The call itself is tried again: one of its steps failed and has attempts left. */
  readonly retried: boolean;
}

/**
 * Waits go first, so that an event which a step of the same answer causes meets them; what ends the run
 * goes last, so that it takes along what the same answer defers.
 */
export function inOrder(opcodes: readonly Opcode[]): readonly Opcode[] {
  const rankOf = (opcode: Opcode): number => (isWait(opcode) ? 0 : isEnd(opcode) ? 2 : 1);
  return opcodes.toSorted((a, b) => rankOf(a) - rankOf(b));
}

function isEnd(opcode: Opcode): boolean {
  return opcode.op === "RunComplete" || functionFailure(opcode) !== null;
}

function isWait({ op }: Opcode): boolean {
  return op === "WaitForEvent" || op === "WaitForEvents" || op === "WaitForSignal";
}

/** Applies all opcodes of a current answer. The call's job ends, unless it is tried again. */
export function applyOpcodes(
  run: RunDraft,
  dispatch: Dispatch,
  opcodes: readonly Opcode[],
): Outcome {
  const finished: string[] = [];
  let race = dispatch.job.race;
  let retried = false;
  // The call is over: its place in the gate is free for those that the answer opens.
  run.deleteJob(dispatch.job.id);
  const parallel = opcodes.filter((o) => isOpening(o) || o.op === "StepError").length > 1;
  if (parallel && !run.run.forcePlan) run.update({ forcePlan: true });
  for (const opcode of inOrder(opcodes)) {
    if (run.ended) break;
    // What follows was made of a value that is not the recorded one: the function is called again.
    if (differsFromRecord(run, opcode)) {
      finished.push(opcode.id);
      break;
    }
    const belongs = isExpected(dispatch.job, opcode);
    const failure = functionFailure(opcode);
    if (failure !== null) retried ||= failFunction(run, dispatch, failure);
    else if (opcode.op === "StepError" && !retried && belongs)
      retried = failStep(run, dispatch, opcode, finished);
    else if (opcode.op !== "StepError" && belongs && applyOne(run, dispatch, opcode, parallel))
      finished.push(opcode.id);
    race ||= opcode.race;
  }
  return { finished, race, retried };
}

/** Whether a step that another dispatch has recorded came to something else in this one. */
function differsFromRecord(run: RunDraft, opcode: Opcode): boolean {
  if (opcode.op !== "StepRun") return false;
  const known = run.step(opcode.id);
  return known !== undefined && known.memo !== opcode.memo;
}

/** While one step is targeted, others that turn up are ignored (protocol.md 2.7, 5). */
function isExpected(job: CallJob, opcode: Opcode): boolean {
  return (
    job.target === discoveryTarget ||
    opcode.id === job.target ||
    opcode.op === "RunComplete" ||
    opcode.op === "DiscoveryRequest" ||
    opcode.op === "DeferAdd" ||
    opcode.op === "DeferAbort"
  );
}

/** Applies one opcode; returns whether it finished a step. */
function applyOne(
  run: RunDraft,
  dispatch: Dispatch,
  opcode: Exclude<Opcode, StepErrorOpcode>,
  parallel: boolean,
): boolean {
  switch (opcode.op) {
    case "StepRun":
      return recordStepRun(run, dispatch.job, opcode, dispatch.sentAt);
    case "StepFailed":
      return recordFailure(run, dispatch, opcode, opcode.error);
    case "StepPlanned":
    case "Sleep":
    case "WaitForEvent":
    case "WaitForEvents":
    case "WaitForSignal":
    case "InvokeFunction":
    case "Gateway":
      return openStep(run, opcode, parallel);
    case "RunComplete":
      completeRun(run, opcode.memo);
      takeMetadata(run, opcode, dispatch.job.attempt);
      return false;
    case "Unsupported":
      return refuse(run, dispatch, opcode);
    case "DeferAdd":
    case "DeferAbort":
      applyDefer(run, opcode);
      return false;
    case "DiscoveryRequest":
    case "StepNotFound":
    case "None":
      return false;
  }
}

/** Records the result of a step that ran in a call. */
export function recordStepRun(
  run: RunDraft,
  job: CallJob | undefined,
  opcode: StepRunOpcode,
  sentAt: number,
): boolean {
  const { at } = run.draft;
  const attempt = job?.attempt ?? 0;
  const isNews = recordStep(run, opcode, {
    op: opOf(job ?? run.job(opcode.id)),
    memo: opcode.memo,
    failed: false,
    attempts: attempt + 1,
    queuedAt: job?.queuedAt ?? sentAt,
    startedAt: opcode.startedAt ?? sentAt,
    endedAt: opcode.endedAt ?? at,
  });
  if (isNews) takeMetadata(run, opcode, attempt);
  return isNews;
}

/** What people see a call as: code of the app, or a request that the server performed. */
export function opOf(job: Job | undefined): StepOp {
  return job?.kind === "call" && job.gateway !== null ? job.gateway.kind : "run";
}

type FailureOpcode = StepErrorOpcode | StepFailedOpcode | UnsupportedOpcode;

/** Records a step that failed for good: user code may catch it at the next call. */
function recordFailure(
  run: RunDraft,
  dispatch: Dispatch,
  opcode: FailureOpcode,
  error: JsonText,
): boolean {
  const { job, sentAt } = dispatch;
  const { at } = run.draft;
  retryCall(run, job, { ...attemptOf(opcode, dispatch), error, noRetry: true, retryAfterMs: null });
  const isNews = recordStep(run, opcode, {
    op: opOf(job),
    memo: wrap("error", error),
    failed: true,
    attempts: job.attempt + 1,
    queuedAt: job.queuedAt,
    startedAt: sentAt,
    endedAt: at,
  });
  if (isNews) takeMetadata(run, opcode, job.attempt);
  return isNews;
}

/** A failed attempt of a step: plans the next one (true), or records the failure. */
function failStep(
  run: RunDraft,
  dispatch: Dispatch,
  opcode: StepErrorOpcode,
  finished: string[],
): boolean {
  if (run.step(opcode.id) !== undefined) return false;
  const { retriesMax } = run.draft.state.settings;
  const attempt = attemptOf(opcode, dispatch);
  const attemptsMax =
    opcode.retries === null ? attempt.attemptsMax : Math.min(opcode.retries, retriesMax) + 1;
  const { noRetry, error } = opcode;
  const last = noRetry || dispatch.job.attempt + 1 >= attemptsMax;
  if (!last) {
    takeMetadata(run, opcode, dispatch.job.attempt);
    const { retryAfterMs } = dispatch;
    return retryCall(run, dispatch.job, { ...attempt, attemptsMax, error, noRetry, retryAfterMs });
  }
  if (recordFailure(run, dispatch, opcode, error)) finished.push(opcode.id);
  return false;
}

function attemptOf(opcode: FailureOpcode, dispatch: Dispatch) {
  return {
    sentAt: dispatch.sentAt,
    stepId: opcode.id,
    displayName: opcode.displayName,
    attemptsMax: dispatch.job.attemptsMax,
  };
}

/** Says that an opcode is not performed, through the error of the step that user code awaits. */
function refuse(run: RunDraft, dispatch: Dispatch, opcode: UnsupportedOpcode): boolean {
  const error = toJsonText({
    name: "PawlUnsupportedStepError",
    code: "opcode_unsupported",
    message: `Step "${opcode.displayName}" asks for "${opcode.wireOp}", which this server does not perform. Use step.run with your own code instead.`,
  });
  return recordFailure(run, dispatch, opcode, error);
}
