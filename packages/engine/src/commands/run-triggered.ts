// An event or a tick triggered a function whose gate is owned by another process than the one that
// took the event: the gate decides the start. The event is stored already.
import type { RunTriggered } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import { holdSchedule } from "../flow/holds.ts";
import { startFunction, triggered } from "../flow/start.ts";
import { indexKeys } from "../rules/waits.ts";
import type { StateView } from "../state/view.ts";

export function runTriggered(state: StateView, command: RunTriggered): Decision {
  const draft = new Draft(state, command);
  const { functionId, event, origin } = command;
  const fn = state.functionById(functionId);
  if (fn !== undefined) {
    // Written again as it is, so that a run finds its event in memory.
    draft.write({ type: "event.put", event, keys: indexKeys(state, event) });
    const caller = triggered(origin ?? null);
    const { run } = startFunction(draft, fn, event, { ...caller, runId: origin?.runId ?? null });
    if (run !== null) {
      if (origin !== undefined) holdSchedule(run, origin, origin.runId);
      return draft.done();
    }
  }
  // Removed since, or not let through: the schedule waits for no run.
  if (origin?.isHeld === true) {
    const { schedule, runId } = origin;
    draft.send({ type: "schedule.runEnded", scheduleId: schedule.id, runId });
  }
  return draft.done();
}
