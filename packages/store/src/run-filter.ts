// What a filter over runs means: which of them pass, and where each stands in its list. It must not
// know who asks, nor where the runs come from.
import type { RunRecord } from "@pawl/engine/records";
import { compareText, idFromTime } from "./position.ts";
import type { ListQuery, RunFilter, RunPosition } from "./store.ts";

/** A list of runs, from a place on. */
export type RunOrder = Pick<
  Extract<ListQuery, { type: "runs" }>,
  "filter" | "behind" | "oldestFirst"
>;

/** Every run, in the order in which they were made. */
export const everyRun: RunFilter = {
  statuses: null,
  functionIds: null,
  appIds: null,
  by: "queuedAt",
  from: null,
  until: null,
};

/** Whether a run comes behind the place where a page begins. */
export function isBehind(run: RunRecord, { filter, behind, oldestFirst }: RunOrder): boolean {
  if (behind === null) return true;
  const order = comparePlaces(runPlace(run, filter), behind);
  return oldestFirst ? order > 0 : order < 0;
}

/** Those of some runs that are in a list behind its place, in its order. */
export function orderRuns(runs: readonly RunRecord[], order: RunOrder): readonly RunRecord[] {
  const { filter, oldestFirst } = order;
  const passes = passesFilter(filter);
  const sign = oldestFirst ? 1 : -1;
  return runs
    .filter((run) => passes(run) && isBehind(run, order))
    .sort((a, b) => sign * comparePlaces(runPlace(a, filter), runPlace(b, filter)));
}

/** Where a run stands in a list. */
export function runPlace(run: RunRecord, { by }: RunFilter): RunPosition {
  return { at: by === "queuedAt" ? 0 : (run[by] ?? 0), runId: run.id };
}

/** Orders places in one list. */
export function comparePlaces(a: RunPosition, b: RunPosition): number {
  return a.at - b.at || compareText(a.runId, b.runId);
}

/** Whether runs pass a filter. */
export function passesFilter(filter: RunFilter): (run: RunRecord) => boolean {
  const { statuses, functionIds, appIds } = filter;
  const isInWindow = windowTest(filter);
  return (run) =>
    (statuses === null || statuses.includes(run.status)) &&
    (functionIds === null || functionIds.includes(run.functionId)) &&
    (appIds === null || appIds.includes(run.appId)) &&
    isInWindow(run);
}

function windowTest({ by, from, until }: RunFilter): (run: RunRecord) => boolean {
  if (by === "queuedAt") {
    const [first, end] = [from, until].map((at) => (at === null ? null : idFromTime(at)));
    return ({ id }) =>
      (first === null || first === undefined || id >= first) &&
      (end === null || end === undefined || id < end);
  }
  return (run) => {
    const at = run[by];
    return at !== null && (from === null || at >= from) && (until === null || at < until);
  };
}
