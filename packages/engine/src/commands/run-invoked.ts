// A function is started by its name: by an invoke step, or through the API.
import type { RunInvoked } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { StateView } from "../state/view.ts";
import { unknownFunction } from "../rules/open-steps.ts";
import { functionNotFound } from "../rules/replies.ts";
import { startableFunction } from "../rules/start-run.ts";
import { newRunId as placedRunId, startsHere } from "../flow/placement.ts";
import { startFunction } from "../flow/start.ts";
import type { RunParent } from "../records.ts";
import { ownsRun } from "../shard.ts";
import { indexKeys } from "../rules/waits.ts";

export function runInvoked(state: StateView, command: RunInvoked): Decision {
  const draft = new Draft(state, command);
  const { event, functionSlug, newRunId, parent, once = false } = command;
  const fn = startableFunction(state, functionSlug);
  if (fn === undefined) {
    // The caller looked first; the function can only have gone since.
    if (parent !== null) {
      const memo = unknownFunction(functionSlug);
      draft.send({
        type: "child.ended",
        runId: parent.runId,
        jobId: parent.jobId,
        childRunId: newRunId ?? "",
        memo,
        failed: true,
      });
    }
    return draft.decide(functionNotFound(functionSlug));
  }
  if (newRunId === null && !startsHere(state, fn, event)) {
    const runId = placedRunId(draft, fn, event);
    draft.send({ type: "run.invoked", functionSlug, newRunId: runId, event, parent, once });
    const value = { type: "started", runId, eventId: event.id } as const;
    return draft.decide({ ok: true, value });
  }
  if (isPointless(state, parent)) {
    const message = `Function "${functionSlug}" did not start: run ${parent?.runId ?? ""} that invoked it was cancelled`;
    return draft.decide({ ok: false, code: "run_skipped", message });
  }
  const start = startFunction(draft, fn, event, {
    runId: newRunId,
    parent,
    kind: once ? "invokeOnce" : "invoke",
  });
  if (start.run === null && start.repeats !== undefined && once) {
    const value = { type: "started", runId: start.repeats, eventId: event.id, isRepeat: true };
    return draft.decide({ ok: true, value: { ...value, type: "started" } });
  }
  draft.write({ type: "event.put", event, keys: indexKeys(state, event) });
  const { run, problem } = start;
  if (run === null) {
    const message = `Function "${functionSlug}" did not start: ${problem}`;
    const code = start.isRateLimited === true ? "run_rate_limited" : "run_skipped";
    return draft.decide({ ok: false, code, message });
  }
  const value = { type: "started", runId: run.id, eventId: event.id } as const;
  return draft.decide({ ok: true, value });
}

/**
 * Whether the invoker was cancelled before its invocation was decided. From another shard the two
 * messages come in their order, so that the cancel finds the run.
 */
function isPointless(state: StateView, parent: RunParent | null): boolean {
  if (parent?.onCancel !== "cancel" || !ownsRun(state, parent.runId)) return false;
  return state.run(parent.runId)?.run.status === "cancelled";
}
