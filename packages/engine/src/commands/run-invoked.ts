// A function is started by its name: by an invoke step, or through the API.
import type { RunInvoked } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { StateView } from "../state/view.ts";
import { unknownFunction } from "../rules/open-steps.ts";
import { functionNotFound } from "../rules/replies.ts";
import { newRunId as placedRunId, startsHere } from "../flow/placement.ts";
import { startFunction } from "../flow/start.ts";
import { indexKeys } from "../rules/waits.ts";

export function runInvoked(state: StateView, command: RunInvoked): Decision {
  const draft = new Draft(state, command);
  const { event, functionSlug, newRunId, parent } = command;
  const fn = state.functionBySlug(functionSlug);
  if (fn === undefined) {
    // The caller looked first; the function can only have gone since.
    if (parent !== null) {
      const memo = unknownFunction(functionSlug);
      draft.send({
        type: "child.ended",
        ...parent,
        childRunId: newRunId ?? "",
        memo,
        failed: true,
      });
    }
    return draft.decide(functionNotFound(functionSlug));
  }
  if (newRunId === null && !startsHere(state, fn, event)) {
    const runId = placedRunId(draft, fn, event);
    draft.send({ type: "run.invoked", functionSlug, newRunId: runId, event, parent });
    const value = { type: "started", runId, eventId: event.id } as const;
    return draft.decide({ ok: true, value });
  }
  draft.write({ type: "event.put", event, keys: indexKeys(state, event) });
  const { run, problem } = startFunction(draft, fn, event, {
    runId: newRunId,
    parent,
    isInvoked: true,
  });
  if (run === null) {
    const message = `Function "${functionSlug}" did not start: ${problem}`;
    return draft.decide({ ok: false, code: "run_skipped", message });
  }
  const value = { type: "started", runId: run.id, eventId: event.id } as const;
  return draft.decide({ ok: true, value });
}
