// Starting an ended run again. A person asked for it, so nothing drops it silently: repeats, rate limit,
// debounce and batching do not apply; what would keep it from running is told as a refusal.
import type { RunRerun } from "../commands.ts";
import type { Draft } from "../draft.ts";
import type { Need } from "../needs.ts";
import type { EventRecord, FunctionRecord } from "../records.ts";
import { discoveryCall, discoveryTarget } from "../rules/calls.ts";
import { callWithInput, copyStepsBefore, type FoundStep } from "../rules/rerun.ts";
import { Random } from "../random.ts";
import { newRun } from "../rules/start-run.ts";
import { shardOf } from "../shard.ts";
import type { StateView } from "../state/view.ts";
import type { RunDraft } from "../run-draft.ts";
import { backlogProblem } from "./backlog.ts";
import { listenForCancel } from "./cancel-on.ts";
import { addFirstCall } from "./first-call.ts";
import { gateKey } from "./placement.ts";
import { singletonKey, singletonProblem, takeSingleton } from "./singleton.ts";
import { throttleKey } from "./throttle.ts";

/** The id of the run that a command starts, in the shard of the gate that decides the start. */
export function repeatId(
  state: Pick<StateView, "settings">,
  { newRun, at, seed }: RunRerun,
  fn: FunctionRecord,
  event: EventRecord,
): string {
  const shard = shardOf(gateKey(state, fn, event));
  return new Random(newRun?.seed ?? seed).ulidIn(newRun?.at ?? at, shard);
}

/** What must be in memory before a run with this event is started again. */
export function startAgainNeeds(
  fn: FunctionRecord,
  event: EventRecord,
  at: number,
): readonly Need[] {
  const keys = [throttleKey(fn, event, at), singletonKey(fn, event, at)];
  return keys.filter((key) => key !== null).map((key) => ({ kind: "gate", key }));
}

/** Starts the function as it is now, with the events of an ended run. Returns why not, or null. */
export function startAgain(
  draft: Draft,
  fn: FunctionRecord,
  original: RunDraft,
  runId: string,
  from: FoundStep | null,
): string | null {
  const [event] = original.events;
  if (event === undefined) return "it has no event";
  const problem = singletonProblem(draft, fn, event) ?? backlogProblem(draft, fn);
  if (problem !== null) return problem;
  const run = newRun(draft, fn, event, { runId, parent: null });
  run.setEvents(original.events);
  const { eventName, batchId } = original.run;
  run.update({ originalRunId: original.id, eventName, batchId });
  const throttle = throttleKey(fn, event, draft.at);
  if (throttle !== null) run.update({ holds: [...run.run.holds, throttle] });
  takeSingleton(run, draft, fn, event);
  // As with any batch: which of its events should say what cancels it?
  if (batchId === null) listenForCancel(run, fn);
  if (from !== null) copyStepsBefore(run, original, from.step);
  const call =
    from === null || from.input === null
      ? discoveryCall(run, fn, discoveryTarget)
      : callWithInput(run, fn, from.step, from.input);
  addFirstCall(run, call, draft.at);
  return null;
}
