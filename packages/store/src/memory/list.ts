// Answers the questions of people from memory. Lists walk from the newest record and stop at the
// limit; nothing here is on the hot path.
import type { EndedStatus, EventRecord, RunStatus } from "@pawl/engine/records";
import { shardOf } from "@pawl/engine/shard";
import type { ScheduleRecord } from "@pawl/engine/schedule-records";
import { arrivalFromId, compareText } from "../position.ts";
import type { Arrival } from "../position.ts";
import { sumOf } from "../retained.ts";
import type { DueJob, KindSize, ListQuery, ListResults, Sizes } from "../store.ts";
import type { MemoryData, RetiredParts, RunEntry } from "./memory-data.ts";
import type { SortedSet } from "./sorted-set.ts";
import { countRuns, listRuns } from "./run-list.ts";
import { beyondInMemory, retainedOf, sizeOf } from "./retained.ts";
import { searchEvents, searchRuns } from "./search.ts";
import { compareDue } from "./memory-data.ts";
import { take, takeWhile } from "./take.ts";

/** The answers of all types, each made when its type is asked for. */
export function answerList(data: MemoryData, query: ListQuery): ListResults[ListQuery["type"]] {
  switch (query.type) {
    case "apps":
      return [...data.apps.values()].sort((a, b) => compareText(a.id, b.id));
    case "waitPaths":
      return [...data.waitPaths.values()].sort(
        (a, b) => compareText(a.event, b.event) || compareText(a.path, b.path),
      );
    case "queues":
      return [...data.queues]
        .map(([gate, jobs]) => ({ gate, queued: countIn(jobs, query.shards) }))
        .filter(({ queued }) => queued > 0)
        .sort((a, b) => compareText(a.gate, b.gate));
    case "queueAhead": {
      const { gate, since: dueAt, runId, jobId } = query;
      const call = { runId, jobId, dueAt, generation: 0 };
      const inOrder = data.queues.get(gate)?.ascending(null) ?? [];
      return [...takeWhile(inOrder, (other) => compareDue(other, call) < 0)].length;
    }
    case "events":
      return events(data, query);
    case "searchEvents":
      return searchEvents(data, query);
    case "searchRuns":
      return searchRuns(data, query);
    case "event":
      return data.events.get(query.eventId)?.event ?? null;
    case "runsOfEvent": {
      const ids = data.runsByEvent.get(query.eventId)?.descending(null) ?? [];
      return take(ids, query.limit).flatMap((id) => data.runs.get(id)?.run ?? []);
    }
    case "runs":
      return listRuns(data, query);
    case "runCount":
      return countRuns(data, query.filter);
    case "unfinished":
      return take(data.unfinished.ascending(query.after), query.limit, (id) => id !== query.after);
    case "attempts":
      return [...(data.runs.get(query.runId)?.attempts.values() ?? [])].sort(
        (a, b) =>
          a.startedAt - b.startedAt || compareText(a.stepId, b.stepId) || a.attempt - b.attempt,
      );
    case "output":
      return data.runs.get(query.runId)?.output ?? null;
    case "userSpans":
      return [...(data.runs.get(query.runId)?.userSpans.values() ?? [])].sort(
        (a, b) => a.startedUs - b.startedUs || compareText(a.id, b.id),
      );
    case "schedules": {
      const { prefix, after, limit } = query;
      const behind = schedulesUnder(data, prefix).filter(
        ({ id }) => after === null || compareText(id, after) > 0,
      );
      return behind.sort((a, b) => compareText(a.id, b.id)).slice(0, limit);
    }
    case "scheduleCount":
      return schedulesUnder(data, query.prefix).length;
    case "bulks":
      return [...data.bulks.values()].sort((a, b) => compareText(b.id, a.id));
    case "sizes":
      return sizes(data);
    case "beyond":
      return query.bounds.map((bound) => ({
        of: bound.of,
        ...sumOf(beyondInMemory(data, bound)),
      }));
  }
}

function countIn(jobs: SortedSet<DueJob>, shards: readonly number[] | null): number {
  if (shards === null) return jobs.size;
  return [...jobs.ascending(null)].filter((job) => shards.includes(shardOf(job.runId))).length;
}

function schedulesUnder(data: MemoryData, prefix: string): ScheduleRecord[] {
  return [...data.schedules.values()].filter(
    ({ id }) => id.length > prefix.length && id.startsWith(prefix),
  );
}

function events(
  data: MemoryData,
  query: Extract<ListQuery, { type: "events" }>,
): readonly EventRecord[] {
  const { name, receivedFrom, receivedUntil, before, limit } = query;
  const order = name === null ? data.eventOrder : data.eventsByName.get(name);
  const below: Arrival | null =
    before === null ? null : (data.events.get(before)?.event ?? arrivalFromId(before));
  const wanted = take(
    order?.descending(below) ?? [],
    limit,
    ({ receivedAt }) =>
      (receivedFrom === null || receivedAt >= receivedFrom) &&
      (receivedUntil === null || receivedAt <= receivedUntil),
  );
  return wanted.flatMap(({ id }) => data.events.get(id)?.event ?? []);
}

/** `bytes` counts the payloads, two bytes a UTF-16 unit: what dominates the memory taken. */
function sizes(data: MemoryData): Sizes {
  const entries = [...data.runs.values()];
  const sum = (count: (entry: RunEntry) => number): number =>
    entries.reduce((total, entry) => total + count(entry), 0);
  const withParts = [...entries, ...data.retired.values()];
  const sumParts = (count: (parts: RetiredParts) => number): number =>
    withParts.reduce((total, parts) => total + count(parts), 0);
  let chars = 0;
  for (const { event } of data.events.values()) chars += event.data.length;
  for (const entry of withParts) {
    chars += entry.output?.length ?? 0;
    for (const step of entry.steps.values()) chars += step.memo.length;
    for (const span of entry.userSpans.values()) chars += span.details.length;
  }
  return {
    bytes: 2 * chars,
    logBytes: 0,
    freeBytes: 0,
    tableBytes: null,
    kinds: kindSizes(data),
    tables: {
      apps: data.apps.size,
      events: data.events.size,
      runs: data.runOrder.size,
      outputs: sumParts((entry) => (entry.output === null ? 0 : 1)),
      steps: sumParts((entry) => entry.steps.size),
      defers: sumParts((entry) => entry.defers.size),
      attempts: sumParts((entry) => entry.attempts.size),
      metadata: sumParts((entry) => entry.metadata.size),
      userSpans: sumParts((entry) => entry.userSpans.size),
      jobs: sum((entry) => entry.jobs.size),
      waits: sum((entry) => entry.waits.size),
      waitPaths: data.waitPaths.size,
      idempotency: data.idempotency.size,
      gates: data.gates.size,
      schedules: data.schedules.size,
      bulks: data.bulks.size,
      mail: data.mail.size,
    },
  };
}

function kindSizes(data: MemoryData): Sizes["kinds"] {
  const ended = (kind: EndedStatus): KindSize => {
    const { count, bytes, oldest } = retainedOf(data, kind);
    return { count, bytes, oldest: take(oldest.ascending(null), 1)[0]?.at ?? null };
  };
  const living = (status: RunStatus): KindSize => {
    const entries = [...data.unfinished.ascending(null)].flatMap((id) => {
      const entry = data.runs.get(id);
      return entry?.run?.status === status ? [entry] : [];
    });
    const bytes = entries.reduce((total, entry) => total + sizeOf(entry).bytes, 0);
    return { count: entries.length, bytes, oldest: entries[0]?.run?.queuedAt ?? null };
  };
  const { count, bytes } = retainedOf(data, "events");
  return {
    queued: living("queued"),
    running: living("running"),
    completed: ended("completed"),
    failed: ended("failed"),
    cancelled: ended("cancelled"),
    skipped: ended("skipped"),
    events: {
      count,
      bytes,
      oldest: take(data.eventOrder.ascending(null), 1)[0]?.receivedAt ?? null,
    },
  };
}
