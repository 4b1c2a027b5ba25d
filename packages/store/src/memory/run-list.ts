// Lists and counts runs from memory: in the order of ids, or of another time by sorting. It must
// not know who asks.
import type { RunRecord } from "@pawl/engine/records";
import { comparePlaces, isBehind, passesFilter, runPlace } from "../run-filter.ts";
import type { RunOrder } from "../run-filter.ts";
import type { ListQuery, RunFilter } from "../store.ts";
import type { MemoryData } from "./memory-data.ts";
import { take } from "./take.ts";

/** The runs of one page. */
export function listRuns(
  data: MemoryData,
  query: Extract<ListQuery, { type: "runs" }>,
): readonly RunRecord[] {
  return take(runsBehind(data, query), query.limit);
}

/** The runs behind a place, in the order of their list. */
export function* runsBehind(data: MemoryData, query: RunOrder): Generator<RunRecord, void> {
  const passes = passesFilter(query.filter);
  for (const run of inOrder(data, query)) if (isBehind(run, query) && passes(run)) yield run;
}

/** How many runs pass. */
export function countRuns(data: MemoryData, filter: RunFilter): number {
  const passes = passesFilter(filter);
  let count = 0;
  for (const { run } of data.runs.values()) if (run !== null && passes(run)) count++;
  return count;
}

function* inOrder(
  data: MemoryData,
  { filter, behind, oldestFirst }: RunOrder,
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
  yield* runs.sort((a, b) => sign * comparePlaces(runPlace(a, filter), runPlace(b, filter)));
}
