// Events as GraphQL objects, the old type and the new, and lists of them.
import type { EventRecord } from "@pawl/engine/records";
import { scheduledEvent } from "@pawl/engine/schedule/schedule";
import { writeEvent } from "@pawl/protocol/event-wire";
import type { Queries, ShownRun } from "../../query/queries.ts";
import { timeOrNull } from "../words.ts";
import { environmentId } from "../wire-ids.ts";

const runsPerEventMax = 100;
const internalPrefixes = ["inngest/", "pawl/"];

/** How a run is shown; given, because runs show their events too. */
export type ShowRun = (queries: Queries, shown: ShownRun) => object;

/** Whether the server itself sent it. */
export function isInternal(event: EventRecord): boolean {
  return internalPrefixes.some((prefix) => event.name.startsWith(prefix));
}

/** The older `Event` of a record. */
export function eventObject(queries: Queries, event: EventRecord, showRun: ShowRun): object {
  const runs = (): Promise<readonly ShownRun[]> => queries.runsOfEvent(event.id, runsPerEventMax);
  return {
    id: event.id,
    externalID: event.externalId,
    name: event.name,
    createdAt: timeOrNull(event.receivedAt),
    payload: event.data,
    raw: writeEvent(event),
    status: async () => statusOf(await runs()),
    totalRuns: async () => (await runs()).length,
    pendingRuns: async () => (await runs()).filter(({ run }) => run.endedAt === null).length,
    functionRuns: async () => (await runs()).map((shown) => showRun(queries, shown)),
  };
}

function statusOf(runs: readonly ShownRun[]): string {
  if (runs.length === 0) return "NO_FUNCTIONS";
  if (runs.some(({ run }) => run.endedAt === null)) return "RUNNING";
  const failed = runs.filter(({ run }) => run.status === "failed").length;
  if (failed === 0) return "COMPLETED";
  return failed === runs.length ? "FAILED" : "PARTIALLY_FAILED";
}

/** The `EventV2` of a record. */
export function eventV2Object(queries: Queries, event: EventRecord, showRun: ShowRun): object {
  return {
    id: event.id,
    envID: environmentId,
    name: event.name,
    idempotencyKey: event.externalId,
    occurredAt: timeOrNull(event.ts),
    receivedAt: timeOrNull(event.receivedAt),
    raw: writeEvent(event),
    version: event.version,
    runs: async () => {
      const runs = await queries.runsOfEvent(event.id, runsPerEventMax);
      return runs.map((shown) => showRun(queries, shown));
    },
  };
}

/** The `StreamItem` of an event. */
export function streamObject(queries: Queries, event: EventRecord, showRun: ShowRun): object {
  const runs = (): Promise<readonly ShownRun[]> => queries.runsOfEvent(event.id, runsPerEventMax);
  return {
    id: event.id,
    trigger: event.name,
    type: event.name === scheduledEvent ? "CRON" : "EVENT",
    createdAt: timeOrNull(event.receivedAt),
    runs: async () => (await runs()).map((shown) => showRun(queries, shown)),
    inBatch: async () => (await runs()).some(({ run }) => run.batchId !== null),
  };
}

export interface EventPageQuery {
  /** Empty: any. */
  readonly names: readonly string[];
  readonly from: number | null;
  readonly until: number | null;
  readonly after: string | null;
  readonly includeInternal: boolean;
  readonly limit: number;
}

/** How many pages are looked through for events that are not internal. */
const looksMax = 20;

/** Events newest first, and whether there are more. */
export async function eventPage(
  queries: Queries,
  query: EventPageQuery,
): Promise<{ readonly events: readonly EventRecord[]; readonly hasMore: boolean }> {
  const wanted = query.limit + 1;
  const names = query.names.length === 0 ? [null] : [...new Set(query.names)];
  const found = await Promise.all(names.map((name) => eventsOf(queries, query, name, wanted)));
  const events = found.flat().sort((a, b) => b.receivedAt - a.receivedAt || (a.id < b.id ? 1 : -1));
  return { events: events.slice(0, query.limit), hasMore: events.length > query.limit };
}

async function eventsOf(
  queries: Queries,
  { from, until, after, includeInternal }: EventPageQuery,
  name: string | null,
  wanted: number,
): Promise<readonly EventRecord[]> {
  const kept: EventRecord[] = [];
  let cursor = after;
  for (let look = 0; look < looksMax && kept.length < wanted; look += 1) {
    const page = await queries.events({
      name,
      receivedFrom: from,
      receivedUntil: until,
      cursor,
      limit: wanted,
    });
    kept.push(...page.filter((event) => includeInternal || !isInternal(event)));
    cursor = page.at(-1)?.id ?? null;
    if (page.length < wanted) break;
  }
  return kept;
}
