// Backlog: how many calls of a function may wait before further runs are skipped.
import type { FunctionRecord } from "../records.ts";
import type { StateView } from "../state/view.ts";

/** Why a run may not start on top of those that wait; null when it may. */
export function backlogProblem(state: StateView, fn: FunctionRecord): string | null {
  const { backlogMax } = state.settings;
  const waiting = state.backlog(fn.id);
  if (backlogMax === null || waiting < backlogMax) return null;
  return `backlog: ${waiting} calls of the function wait already (setting backlogMax ${backlogMax})`;
}
