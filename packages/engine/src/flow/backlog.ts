// Backlog: how many calls of a function may wait before further runs are skipped.
import type { FunctionRecord } from "../records.ts";
import type { Draft } from "../draft.ts";

/** Why a run may not start on top of those that wait; null when it may. */
export function backlogProblem(draft: Draft, fn: FunctionRecord): string | null {
  const { backlogMax } = draft.state.settings;
  const waiting = draft.backlog(fn.id);
  if (backlogMax === null || waiting < backlogMax) return null;
  return `backlog: ${waiting} calls of the function wait already (setting backlogMax ${backlogMax})`;
}
