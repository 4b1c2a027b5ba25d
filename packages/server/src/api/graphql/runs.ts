// Runs as GraphQL objects, the old type and the new, and lists of them.
import { writeEvent } from "@pawl/protocol/event-wire";
import { ulidTime } from "@pawl/protocol/ulid";
import type { RunFilter } from "@pawl/store/store";
import { runOutput } from "../../query/outputs.ts";
import type { Queries, ShownRun } from "../../query/queries.ts";
import { ServerError } from "../../server-error.ts";
import { runStatusOf, runStatusWords, timeOrNull, traceIdOf } from "../words.ts";
import { cursorOf } from "../../query/run-cursor.ts";
import { appObject, functionObject } from "./apps.ts";
import { deferObjects, deferredFromObject } from "./defers.ts";
import { eventObject } from "./events.ts";
import { timeOf } from "./times.ts";
import { aiKind } from "@pawl/engine/metadata/ai-cost";
import { spanObject } from "./spans.ts";

const pageMax = 400;

/** The `FunctionRunV2` of a run. */
export function runObject(queries: Queries, shown: ShownRun): object {
  const { run, fn, app } = shown;
  return {
    id: run.id,
    appID: run.appId,
    app: () => (app === null ? null : appObject(app)),
    functionID: run.functionId,
    function: () => (fn === null || app === null ? null : functionObject(fn, app)),
    status: runStatusWords[run.status],
    queuedAt: timeOrNull(run.queuedAt),
    startedAt: timeOrNull(run.startedAt),
    endedAt: timeOrNull(run.endedAt),
    output: () => outputText(queries, shown),
    sourceID: null,
    triggerIDs: run.eventIds,
    traceID: traceIdOf(run.id),
    isBatch: run.batchId !== null,
    batchCreatedAt: batchTime(run),
    cronSchedule: run.schedule?.line ?? null,
    eventName: run.eventName,
    hasAI: () => hasAi(queries, run.id),
    trace: () => traceObject(queries, run.id),
    defers: () => deferObjects(queries, run.id, runObject),
    deferredFrom: () => deferredFromObject(queries, shown, runObject),
  };
}

/** When a batch began to gather, which its id tells. */
function batchTime({ batchId }: ShownRun["run"]): string | null {
  return batchId === null ? null : timeOrNull(ulidTime(batchId));
}

/** Whether a step of the run asks a model, as far as anybody can see. */
async function hasAi(queries: Queries, runId: string): Promise<boolean> {
  const steps = (await queries.trace(runId))?.children ?? [];
  return steps.some(
    ({ op, stepType, metadata }) =>
      op === "infer" || stepType === "step.ai.wrap" || metadata.some(({ kind }) => kind === aiKind),
  );
}

/** The older `FunctionRun` of a run. */
export function oldRunObject(queries: Queries, shown: ShownRun): object {
  const { run, fn, app } = shown;
  const eventId = run.eventIds[0] ?? "";
  return {
    id: run.id,
    functionID: run.functionId,
    function: () => (fn === null || app === null ? null : functionObject(fn, app)),
    status: runStatusWords[run.status],
    startedAt: timeOrNull(run.startedAt),
    finishedAt: timeOrNull(run.endedAt),
    output: () => outputText(queries, shown),
    eventID: eventId,
    event: async () => {
      const event = await queries.event(eventId);
      return event === null ? null : eventObject(queries, event, oldRunObject);
    },
    batchID: run.batchId,
    batchCreatedAt: batchTime(run),
    cron: run.schedule?.line ?? null,
  };
}

/** The root `RunTraceSpan`; null when there is no such run. */
export async function traceObject(queries: Queries, runId: string): Promise<object | null> {
  const [root, shown] = await Promise.all([queries.trace(runId), queries.run(runId)]);
  if (root === null || shown === null) return null;
  return spanObject(root, {
    appId: shown.run.appId,
    functionId: shown.run.functionId,
    run: async () => runObject(queries, shown),
  });
}

/** The `RunTraceTrigger` of a run; null when there is no such run. */
export async function triggerObject(queries: Queries, runId: string): Promise<object | null> {
  const found = await queries.eventsOfRun(runId);
  if (found === null) return null;
  const { run, events } = found;
  return {
    eventName: run.eventName,
    IDs: run.eventIds,
    payloads: events.map(writeEvent),
    timestamp: timeOrNull(run.queuedAt),
    isBatch: run.batchId !== null,
    batchID: run.batchId,
    cron: run.schedule?.line ?? null,
  };
}

async function outputText(queries: Queries, { run }: ShownRun): Promise<string | null> {
  const { data, error } = runOutput(await queries.output(run), null);
  return data ?? error;
}

type TimeField = "QUEUED_AT" | "STARTED_AT" | "ENDED_AT";

export interface RunsArguments {
  readonly first: number;
  readonly after?: string | null;
  readonly orderBy: readonly { readonly field: TimeField; readonly direction: "ASC" | "DESC" }[];
  readonly filter: {
    readonly from: unknown;
    readonly until?: unknown;
    readonly timeField?: TimeField | null;
    readonly status?: readonly string[] | null;
    readonly functionIDs?: readonly string[] | null;
    readonly appIDs?: readonly string[] | null;
    readonly query?: string | null;
  };
}

const times: Readonly<Record<TimeField, RunFilter["by"]>> = {
  QUEUED_AT: "queuedAt",
  STARTED_AT: "startedAt",
  ENDED_AT: "endedAt",
};

/** The `RunsV2Connection` of a filter. Throws `parameter_invalid` for what cannot be asked. */
export async function runsConnection(queries: Queries, args: RunsArguments): Promise<object> {
  const filter = filterOf(args);
  const limit = pageSize(args.first);
  const cursor = args.after ?? null;
  const oldestFirst = args.orderBy[0]?.direction === "ASC";
  const expression = args.filter.query?.trim() ?? "";
  if (expression !== "") {
    const query = { filter, cursor, oldestFirst, limit };
    const { found, scanned, cursor: next } = await queries.searchRuns(query, expression);
    return {
      edges: found.map((shown) => ({
        node: runObject(queries, shown),
        cursor: cursorOf(shown.run, filter.by),
      })),
      pageInfo: searchInfo(found[0] && cursorOf(found[0].run, filter.by), next, cursor),
      totalCount: uncounted,
      scanned,
    };
  }
  const page = await queries.runs({ filter, cursor, oldestFirst, limit });
  return {
    edges: page.runs.map((shown, index) => ({
      node: runObject(queries, shown),
      cursor: page.cursors[index] ?? "",
    })),
    pageInfo: pageInfo(page.cursors, page.hasMore, cursor),
    totalCount: () => queries.countRuns(filter),
  };
}

function filterOf({ filter, orderBy }: RunsArguments): RunFilter {
  const order = orderBy[0]?.field;
  const field = filter.timeField ?? order ?? "QUEUED_AT";
  if (order !== undefined && order !== field) {
    throw new ServerError(
      "parameter_invalid",
      `Runs can be ordered by the time they are filtered by only: set timeField and the field of orderBy to the same.`,
    );
  }
  const { status, functionIDs, appIDs } = filter;
  return {
    statuses: listOrNull(status)?.flatMap((word) => runStatusOf(word) ?? []) ?? null,
    functionIds: listOrNull(functionIDs),
    appIds: listOrNull(appIDs),
    by: times[field],
    from: timeOf(filter.from, "from"),
    until: timeOf(filter.until, "until"),
  };
}

/** Clients send an empty list when nothing is chosen. */
function listOrNull(list: readonly string[] | null | undefined): readonly string[] | null {
  return list === undefined || list === null || list.length === 0 ? null : list;
}

/** A page size within limits. Throws `parameter_invalid` for another. */
export function pageSize(first: number): number {
  if (first >= 1 && first <= pageMax) return first;
  throw new ServerError("parameter_invalid", `A page has 1 to ${String(pageMax)} items.`);
}

/** The `PageInfo` of a page that began behind `after`. */
export function pageInfo(
  cursors: readonly string[],
  hasMore: boolean,
  after: string | null,
): object {
  return {
    hasNextPage: hasMore,
    hasPreviousPage: after !== null,
    startCursor: cursors[0] ?? null,
    endCursor: cursors.at(-1) ?? null,
  };
}

/** `totalCount` of a search: every record would have to be looked at. */
const uncounted = -1;

/**
 * The `PageInfo` of a page of a search: its end is where the search stopped looking, which may be
 * behind the last that was found.
 */
export function searchInfo(
  start: string | undefined,
  next: string | null,
  after: string | null,
): object {
  return {
    hasNextPage: next !== null,
    hasPreviousPage: after !== null,
    startCursor: start ?? null,
    endCursor: next,
  };
}
