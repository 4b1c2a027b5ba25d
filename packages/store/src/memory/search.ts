// Searches memory by expression. Not on the hot path, and bounded, because it runs on its thread.
import type { EventRecord, RunRecord } from "@pawl/engine/records";
import { arrivalFromId } from "../position.ts";
import { orderRuns, runPlace } from "../run-filter.ts";
import {
  eventTest,
  indexedDemand,
  runTest,
  searchPage,
  stretchesOf,
  type IndexedSince,
  type Stretch,
} from "../search.ts";
import type { ListQuery, ListResults } from "../store.ts";
import { keyText, type MemoryData } from "./memory-data.ts";
import { runsBehind } from "./run-list.ts";
import { take } from "./take.ts";

export function searchEvents(
  data: MemoryData,
  query: Extract<ListQuery, { type: "searchEvents" }>,
): ListResults["searchEvents"] {
  const events = walk(data, stretchesOf(query, indexedSince(data)), query.before);
  return searchPage(events, query, eventTest(query.expression, query.at), ({ id }) => id);
}

function indexedSince(data: MemoryData): IndexedSince {
  return (event, path) => data.waitPaths.get(JSON.stringify([event, path]))?.since ?? null;
}

function* walk(
  data: MemoryData,
  stretches: readonly Stretch[],
  before: string | null,
): Generator<EventRecord, void> {
  const below = before === null ? null : (data.events.get(before)?.event ?? arrivalFromId(before));
  for (const { name, key, from, until } of stretches) {
    const order =
      name === null
        ? data.eventOrder
        : key === null
          ? data.eventsByName.get(name)
          : data.eventsByKey.get(keyText(name, key));
    for (const { id, receivedAt } of order?.descending(below) ?? []) {
      if (from !== null && receivedAt < from) break;
      const event = until !== null && receivedAt > until ? undefined : data.events.get(id)?.event;
      if (event !== undefined) yield event;
    }
  }
}

export function searchRuns(
  data: MemoryData,
  query: Extract<ListQuery, { type: "searchRuns" }>,
): ListResults["searchRuns"] {
  const { test } = runTest(query.expression, query.at);
  const look = (run: RunRecord) => {
    const events = run.eventIds.flatMap((id) => data.events.get(id)?.event ?? []);
    return test(run, events, data.runs.get(run.id)?.output ?? null);
  };
  const runs = indexedRuns(data, query) ?? runsBehind(data, query);
  return searchPage(runs, query, look, (run) => runPlace(run, query.filter));
}

/** The runs that the index leaves to be tested; null when it does not have all events, or too many. */
function indexedRuns(
  data: MemoryData,
  query: Extract<ListQuery, { type: "searchRuns" }>,
): readonly RunRecord[] | null {
  const indexed = indexedDemand(query, null, indexedSince(data));
  if (indexed === null) return null;
  const { name, key, since } = indexed;
  const [oldest] = take(data.eventsByName.get(name)?.ascending(null) ?? [], 1);
  if (oldest !== undefined && oldest.receivedAt <= since) return null;
  const events = data.eventsByKey.get(keyText(name, key));
  if (events === undefined) return [];
  if (events.size > query.scanMax) return null;
  const runIds = new Set<string>();
  for (const { id } of events.ascending(null))
    for (const runId of data.runsByEvent.get(id)?.ascending(null) ?? []) runIds.add(runId);
  return orderRuns(
    [...runIds].flatMap((id) => data.runs.get(id)?.run ?? []),
    query,
  );
}
