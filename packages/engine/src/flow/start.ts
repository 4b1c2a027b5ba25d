// The way from an event to a run (protocol.md 5.1): what may keep a function from starting, and what
// a new run takes along. In order: repeats, the rate limit, the singleton, the backlog, then the run.
import type { Draft } from "../draft.ts";
import type { EventRecord, FunctionRecord, RunParent } from "../records.ts";
import { newRun } from "../rules/start-run.ts";
import type { RunDraft } from "../run-draft.ts";
import { errorMemo } from "../rules/memo.ts";
import { backlogProblem } from "./backlog.ts";
import { listenForCancel } from "./cancel-on.ts";
import { addFirstCall } from "./first-call.ts";
import { idempotencyKeys } from "./idempotency.ts";
import { passRateLimit } from "./rate-limit.ts";
import { singletonProblem, takeSingleton } from "./singleton.ts";
import { throttleKey } from "./throttle.ts";

/** Who asks for a start. */
export interface Caller {
  /** The id that the new run gets; null for a fresh one. */
  readonly runId: string | null;
  /** The invoke step that waits for it. */
  readonly parent: RunParent | null;
  /** By an invocation rather than a trigger. */
  readonly isInvoked: boolean;
}

/** What became of it: a run with the event, or why there is none that will run. */
export type Start =
  | { readonly run: RunDraft; readonly problem: null }
  | { readonly run: null; readonly problem: string };

/** Starts a function with an event, as its flow control allows. Tells an invoker of a refusal. */
export function startFunction(
  draft: Draft,
  fn: FunctionRecord,
  event: EventRecord,
  caller: Caller,
): Start {
  const keys = idempotencyKeys(fn, event, draft.at, caller.isInvoked);
  const holder = keys.map((key) => draft.idempotency(key)).find((runId) => runId !== undefined);
  if (holder !== undefined) {
    return refuse(draft, fn, caller, `idempotency: run ${holder} was started for the same key`);
  }
  const problem =
    passRateLimit(draft, fn, event) ??
    singletonProblem(draft, fn, event) ??
    backlogProblem(draft.state, fn);
  if (problem !== null) {
    const run = newRun(draft, fn, event, caller);
    run.update({ status: "skipped", endedAt: draft.at, endReason: problem });
    return refuse(draft, fn, caller, problem);
  }
  const run = begin(draft, fn, event, caller);
  for (const key of keys) draft.holdKey(key, run.id);
  return { run, problem: null };
}

function begin(draft: Draft, fn: FunctionRecord, event: EventRecord, caller: Caller): RunDraft {
  const run = newRun(draft, fn, event, caller);
  const throttle = throttleKey(fn, event, draft.at);
  if (throttle !== null) run.update({ holds: [...run.run.holds, throttle] });
  takeSingleton(run, draft, fn, event);
  listenForCancel(run, fn);
  addFirstCall(run, fn, event.ts);
  return run;
}

/** An invoker must not wait for a run that will not come. */
function refuse(draft: Draft, fn: FunctionRecord, caller: Caller, problem: string): Start {
  if (caller.parent !== null) {
    const memo = errorMemo({
      name: "PawlRunSkippedError",
      code: "run_skipped",
      message: `Function ${fn.slug} did not start: ${problem}`,
    });
    const { parent } = caller;
    const childRunId = caller.runId ?? "";
    draft.send({ type: "child.ended", ...parent, childRunId, memo, failed: true });
  }
  return { run: null, problem };
}
