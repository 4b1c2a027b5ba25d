// Lists and counts runs from memory: in the order of ids, or of another time by sorting. It must
// not know who asks.
import type { RunRecord } from "@pawl/engine/records";
import { compareText, idFromTime } from "../position.ts";
import type { ListQuery, RunFilter, RunPosition } from "../store.ts";
import type { MemoryData } from "./memory-data.ts";
import { take } from "./take.ts";

/** The runs of one page. */
export function listRuns(
  data: MemoryData,
  query: Extract<ListQuery, { type: "runs" }>,
): readonly RunRecord[] {
  const { filter, behind, oldestFirst, limit } = query;
  const passes = runTest(filter);
  const isBehind = (run: RunRecord): boolean => {
    if (behind === null) return true;
    const order = comparePlaces(placeOf(run, filter), behind);
    return oldestFirst ? order > 0 : order < 0;
  };
  return take(inOrder(data, query), limit, (run) => passes(run) && isBehind(run));
}

/** How many runs pass. */
export function countRuns(data: MemoryData, filter: RunFilter): number {
  const passes = runTest(filter);
  let count = 0;
  for (const { run } of data.runs.values()) if (run !== null && passes(run)) count++;
  return count;
}

function* inOrder(
  data: MemoryData,
  { filter, behind, oldestFirst }: Extract<ListQuery, { type: "runs" }>,
): Generator<RunRecord, void> {
  if (filter.by === "queuedAt") {
    const from = behind?.runId ?? null;
    const ids = oldestFirst ? data.runOrder.ascending(from) : data.runOrder.descending(from);
    for (const id of ids) {
      const run = data.runs.get(id)?.run ?? null;
      if (run !== null) yield run;
    }
    return;
  }
  const runs = [...data.runs.values()].flatMap(({ run }) => run ?? []);
  const sign = oldestFirst ? 1 : -1;
  yield* runs.sort((a, b) => sign * comparePlaces(placeOf(a, filter), placeOf(b, filter)));
}

function placeOf(run: RunRecord, { by }: RunFilter): RunPosition {
  return { at: by === "queuedAt" ? 0 : (run[by] ?? 0), runId: run.id };
}

function comparePlaces(a: RunPosition, b: RunPosition): number {
  return a.at - b.at || compareText(a.runId, b.runId);
}

function runTest(filter: RunFilter): (run: RunRecord) => boolean {
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
