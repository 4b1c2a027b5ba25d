// Steps that an app reports and the server performs or plans: targeted calls, sleeps, waits for
// events, invocations. Each becomes a job, or is finished at once.
import { jsonNull, toJsonText, type JsonText } from "@pawl/protocol/json-text";
import type {
  InvokeFunctionOpcode,
  Opcode,
  SleepOpcode,
  StepPlannedOpcode,
  WaitForEventOpcode,
} from "@pawl/protocol/opcode";
import { writeEvent } from "@pawl/protocol/event-wire";
import { newRunId } from "../flow/placement.ts";
import type { EventRecord } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { addCall, attemptsMaxOf } from "./calls.ts";
import { errorMemo, wrap } from "./memo.ts";
import { recordStep } from "./steps.ts";
import { findPastEvent, indexWait, waitExpressionProblem } from "./waits.ts";

export type OpeningOpcode =
  | StepPlannedOpcode
  | SleepOpcode
  | WaitForEventOpcode
  | InvokeFunctionOpcode;

/** Whether an opcode opens something that outlives the answer. */
export function isOpening(opcode: Opcode): opcode is OpeningOpcode {
  return (
    opcode.op === "StepPlanned" ||
    opcode.op === "Sleep" ||
    opcode.op === "WaitForEvent" ||
    opcode.op === "InvokeFunction"
  );
}

/** Opens a step unless it is open or recorded. Returns whether it was finished at once. */
export function openStep(run: RunDraft, opcode: OpeningOpcode, parallel: boolean): boolean {
  if (run.ended || run.step(opcode.id) !== undefined || run.job(opcode.id) !== undefined)
    return false;
  switch (opcode.op) {
    case "StepPlanned":
      return plan(run, opcode, parallel);
    case "Sleep":
      return sleep(run, opcode, parallel);
    case "WaitForEvent":
      return wait(run, opcode, parallel);
    case "InvokeFunction":
      return invoke(run, opcode, parallel);
  }
}

function plan(run: RunDraft, opcode: StepPlannedOpcode, parallel: boolean): false {
  const fn = run.draft.state.functionById(run.run.functionId);
  addCall(run, {
    ...face(opcode),
    target: opcode.id,
    parallel,
    race: opcode.race,
    attempt: 0,
    attemptsMax: attemptsMaxOf(run, fn, opcode.retries),
  });
  return false;
}

function sleep(run: RunDraft, opcode: SleepOpcode, parallel: boolean): boolean {
  const dueAt = momentOf(run, opcode.until);
  if (dueAt <= run.draft.at) return finishAtOnce(run, opcode, "sleep", jsonNull);
  run.putJob({ ...base(run, opcode, parallel), kind: "sleep", dueAt });
  timer(run, opcode.id, dueAt);
  return false;
}

function wait(run: RunDraft, opcode: WaitForEventOpcode, parallel: boolean): boolean {
  const problem = waitExpressionProblem(opcode);
  if (problem !== null) {
    const error = errorMemo({
      name: "InvalidExpression",
      code: "expression_invalid",
      message: problem,
    });
    return finishAtOnce(run, opcode, "waitForEvent", error, true);
  }
  const past = findPastEvent(run, opcode);
  if (past !== undefined) return finishAtOnce(run, opcode, "waitForEvent", writeEvent(past));
  const dueAt = momentOf(run, opcode.timeout);
  if (dueAt <= run.draft.at) return finishAtOnce(run, opcode, "waitForEvent", jsonNull);
  run.putJob({
    ...base(run, opcode, parallel),
    kind: "wait",
    dueAt,
    event: opcode.event,
    expression: opcode.expression,
  });
  indexWait(run, opcode, dueAt);
  timer(run, opcode.id, dueAt);
  return false;
}

function invoke(run: RunDraft, opcode: InvokeFunctionOpcode, parallel: boolean): boolean {
  const { draft } = run;
  const fn = draft.state.functionBySlug(opcode.functionSlug);
  if (fn === undefined) {
    return finishAtOnce(run, opcode, "invoke", unknownFunction(opcode.functionSlug), true);
  }
  const dueAt =
    opcode.timeout === null
      ? draft.at + draft.state.settings.waitMaxMs
      : momentOf(run, opcode.timeout);
  const event = invokedEvent(run, opcode);
  const childRunId = newRunId(draft, fn, event);
  run.putJob({
    ...base(run, opcode, parallel),
    kind: "invoke",
    dueAt,
    functionSlug: opcode.functionSlug,
    childRunId,
  });
  timer(run, opcode.id, dueAt);
  draft.send({
    type: "run.invoked",
    functionSlug: opcode.functionSlug,
    newRunId: childRunId,
    event,
    parent: { runId: run.id, jobId: opcode.id },
  });
  return false;
}

/** The memo of an invoke whose function nobody registered (protocol.md 5.4). */
export function unknownFunction(slug: string): JsonText {
  return errorMemo({
    name: "FunctionNotFound",
    code: "function_not_found",
    message: `could not find function with ID: ${slug}`,
  });
}

function invokedEvent(run: RunDraft, opcode: InvokeFunctionOpcode): EventRecord {
  const { at, random } = run.draft;
  return {
    id: random.ulid(at),
    name: "inngest/function.invoked",
    externalId: null,
    ts: at,
    receivedAt: at,
    data: withCorrelation(opcode.data, opcode.functionSlug, `${run.id}.${opcode.id}`),
    user: opcode.user,
    version: opcode.version,
    meta: opcode.meta,
  };
}

/** Adds `_inngest` to the data of an invocation without touching what the caller sent. */
export function withCorrelation(
  data: JsonText,
  slug: string,
  correlationId: string | null,
): JsonText {
  const internal = toJsonText({
    fn_id: slug,
    ...(correlationId === null ? {} : { correlation_id: correlationId }),
  });
  const open = data.trim();
  if (!open.startsWith("{")) return wrap("data", data);
  const empty = open.slice(1, -1).trim() === "";
  // proof: an object's text with one more member in front of its closing brace
  return `${open.slice(0, -1)}${empty ? "" : ","}"_inngest":${internal}}` as JsonText;
}

function finishAtOnce(
  run: RunDraft,
  opcode: OpeningOpcode,
  op: "sleep" | "waitForEvent" | "invoke",
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

/** A moment as an absolute time, no later than the longest wait allows. */
function momentOf(
  run: RunDraft,
  moment: { readonly at: number } | { readonly forMs: number },
): number {
  const { at, state } = run.draft;
  const asked = "at" in moment ? moment.at : at + moment.forMs;
  return Math.min(asked, at + state.settings.waitMaxMs);
}

function timer(run: RunDraft, jobId: string, dueAt: number): void {
  run.draft.effect({ type: "timer", runId: run.id, jobId, dueAt });
}

function face(opcode: OpeningOpcode) {
  const { id, displayName, userId, userIndex, stepType, opts } = opcode;
  return { id, displayName, userId, userIndex, stepType, opts };
}

function base(run: RunDraft, opcode: OpeningOpcode, parallel: boolean) {
  return { ...face(opcode), runId: run.id, parallel, race: opcode.race, queuedAt: run.draft.at };
}
