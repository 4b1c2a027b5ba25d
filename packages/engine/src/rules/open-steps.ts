// Steps that an app reports and the server performs or plans: targeted calls, sleeps, waits for
// events, invocations. Each becomes a job, or is finished at once.
import { formatDuration } from "@pawl/protocol/duration";
import { jsonNull, toJsonText, type JsonText } from "@pawl/protocol/json-text";
import type {
  GatewayOpcode,
  InvokeFunctionOpcode,
  Opcode,
  SleepOpcode,
  StepPlannedOpcode,
  WaitForEventOpcode,
  WaitForEventsOpcode,
  WaitForSignalOpcode,
} from "@pawl/protocol/opcode";
import { writeEvent } from "@pawl/protocol/event-wire";
import { newRunId } from "../flow/placement.ts";
import type { EventRecord, GatewayCall } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { addCall, attemptsMaxOf } from "./calls.ts";
import { failRun } from "./finish-run.ts";
import { invokedEvent, withInternal } from "./lifecycle.ts";
import { errorMemo } from "./memo.ts";
import { base, face, finishAtOnce, momentOf, timeOf, timer } from "./opening.ts";
import { startableFunction } from "./start-run.ts";
import { openSignal } from "./signals.ts";
import { openWaitMany } from "./wait-many.ts";
import { findPastEvent, indexWait, waitExpressionProblem } from "./waits.ts";

export type OpeningOpcode =
  | StepPlannedOpcode
  | SleepOpcode
  | WaitForEventOpcode
  | WaitForEventsOpcode
  | WaitForSignalOpcode
  | InvokeFunctionOpcode
  | GatewayOpcode;

const openingOps: ReadonlySet<string> = new Set<OpeningOpcode["op"]>([
  "StepPlanned",
  "Sleep",
  "WaitForEvent",
  "WaitForEvents",
  "WaitForSignal",
  "InvokeFunction",
  "Gateway",
]);

/** Whether an opcode opens something that outlives the answer. */
export function isOpening(opcode: Opcode): opcode is OpeningOpcode {
  return openingOps.has(opcode.op);
}

/** Opens a step unless it is open or recorded. Returns whether it was finished at once. */
export function openStep(run: RunDraft, opcode: OpeningOpcode, parallel: boolean): boolean {
  if (run.ended || run.step(opcode.id) !== undefined || run.job(opcode.id) !== undefined)
    return false;
  switch (opcode.op) {
    case "StepPlanned":
      return plan(run, opcode, null, parallel);
    case "Gateway":
      return plan(run, opcode, { kind: opcode.kind, request: opcode.request }, parallel);
    case "Sleep":
      return sleep(run, opcode, parallel);
    case "WaitForEvent":
      return wait(run, opcode, parallel);
    case "WaitForEvents":
      return openWaitMany(run, opcode, parallel);
    case "WaitForSignal":
      return openSignal(run, opcode, parallel);
    case "InvokeFunction":
      return invoke(run, opcode, parallel);
  }
}

/** A call that runs one step: in the app, or as a request of the server's own. */
function plan(
  run: RunDraft,
  opcode: StepPlannedOpcode | GatewayOpcode,
  gateway: GatewayCall | null,
  parallel: boolean,
): false {
  const fn = run.draft.state.functionById(run.run.functionId);
  addCall(run, {
    ...face(opcode),
    target: opcode.id,
    gateway,
    parallel,
    race: opcode.race,
    attempt: 0,
    attemptsMax: attemptsMaxOf(run, fn, opcode.retries),
  });
  return false;
}

function sleep(run: RunDraft, opcode: SleepOpcode, parallel: boolean): boolean {
  const dueAt = timeOf(run, opcode.until);
  if (dueAt <= run.draft.at) return finishAtOnce(run, opcode, "sleep", jsonNull);
  const { waitMaxMs } = run.draft.state.settings;
  if (dueAt > run.draft.at + waitMaxMs) {
    failRun(run, sleepTooLong(opcode, dueAt - run.draft.at, waitMaxMs));
    return false;
  }
  run.putJob({ ...base(run, opcode, parallel), kind: "sleep", dueAt });
  timer(run, opcode.id, dueAt);
  return false;
}

/** The end of a run that would have to wake up too early: no SDK expects a sleep to fail. */
function sleepTooLong({ displayName }: SleepOpcode, forMs: number, waitMaxMs: number): JsonText {
  const asked = Number.isSafeInteger(forMs) ? formatDuration(forMs) : "longer than there are dates";
  return errorMemo({
    name: "PawlSleepTooLongError",
    code: "sleep_too_long",
    message: `Step "${displayName}" sleeps for ${asked}; the limit is ${formatDuration(waitMaxMs)} (setting waitMaxMs). Sleep in several steps.`,
  });
}

function wait(run: RunDraft, opcode: WaitForEventOpcode, parallel: boolean): boolean {
  const problem = waitExpressionProblem(opcode.displayName, opcode);
  if (problem !== null) {
    // Not the step alone (protocol.md 5.4): the Go SDK would take its error for an event.
    failRun(
      run,
      errorMemo({ name: "InvalidExpression", code: "expression_invalid", message: problem }),
    );
    return false;
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
  const fn = startableFunction(draft.state, opcode.functionSlug);
  if (fn === undefined) {
    return finishAtOnce(run, opcode, "invoke", unknownFunction(opcode.functionSlug), true);
  }
  const dueAt =
    opcode.timeout === null
      ? draft.at + draft.state.settings.waitMaxMs
      : momentOf(run, opcode.timeout);
  const event = invocation(run, opcode);
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
    parent: {
      runId: run.id,
      jobId: opcode.id,
      onCancel: opcode.onCancel ?? draft.state.settings.onCancelDefault,
    },
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

function invocation(run: RunDraft, opcode: InvokeFunctionOpcode): EventRecord {
  const { at, random } = run.draft;
  return {
    id: random.ulid(at),
    name: invokedEvent,
    externalId: null,
    ts: at,
    receivedAt: at,
    data: withCorrelation(opcode.data, opcode.functionSlug, `${run.id}.${opcode.id}`),
    user: opcode.user,
    version: opcode.version,
    meta: opcode.meta,
  };
}

/** The data of an invocation with what tells its function who waits. */
export function withCorrelation(
  data: JsonText,
  slug: string,
  correlationId: string | null,
): JsonText {
  const internal = toJsonText({
    fn_id: slug,
    ...(correlationId === null ? {} : { correlation_id: correlationId }),
  });
  return withInternal(data, internal);
}
