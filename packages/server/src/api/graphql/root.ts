// The fields of `Query` (protocol.md 8.4): each asks the query services and hands on what comes back.
// It must not know HTTP.
import type { Queries } from "../../query/queries.ts";
import type { ApiContext } from "../context.ts";
import { appObject, functionObject } from "./apps.ts";
import { eventObject, eventPage, eventV2Object, isInternal, streamObject } from "./events.ts";
import { mutationFields } from "./mutations.ts";
import {
  oldRunObject,
  pageInfo,
  pageSize,
  runObject,
  runsConnection,
  searchInfo,
  traceObject,
  triggerObject,
  type RunsArguments,
} from "./runs.ts";
import { outputObject } from "./spans.ts";
import { missing } from "./missing.ts";
import { timeOf } from "./times.ts";

const streamMax = 1_000;
const eventsMax = 100;

interface StreamArguments {
  readonly query: {
    readonly after?: unknown;
    readonly before?: unknown;
    readonly limit: number;
    readonly includeInternalEvents?: boolean | null;
  };
}
interface EventsArguments {
  readonly query: { readonly name?: string | null; readonly lastEventId?: string | null };
}
interface AppsArguments {
  readonly filter?: {
    readonly connectionType?: string | null;
    readonly method?: string | null;
  } | null;
}
interface EventsV2Arguments {
  readonly first: number;
  readonly after?: string | null;
  readonly filter: {
    readonly eventNames?: readonly string[] | null;
    readonly from: unknown;
    readonly until?: unknown;
    readonly includeInternalEvents: boolean;
    readonly query?: string | null;
  };
}
interface RunArguments {
  readonly runID: string;
}

/** The root value: a function for each field. */
export function rootFields(context: ApiContext): object {
  return {
    ...appFields(context),
    ...eventFields(context),
    ...runFields(context),
    ...mutationFields(context),
  };
}

function appFields({ queries }: ApiContext): object {
  return {
    // All apps are served over HTTP.
    apps: ({ filter }: AppsArguments) =>
      [filter?.connectionType, filter?.method].every((method) => (method ?? "SERVE") === "SERVE")
        ? queries.apps().map(appObject)
        : [],
    app: ({ id }: { readonly id: string }) => {
      const app = queries.app(id);
      return app === null ? null : appObject(app);
    },
    functions: () => queries.functions().map(({ fn, app }) => functionObject(fn, app)),
    functionBySlug: ({ query }: { readonly query: { readonly functionSlug: string } }) => {
      const found = queries.fn(query.functionSlug);
      return found === null ? null : functionObject(found.fn, found.app);
    },
    workerConnections: () => ({ edges: [], pageInfo: pageInfo([], false, null), totalCount: 0 }),
    workerConnection: () => null,
  };
}

function eventFields({ queries }: ApiContext): object {
  return {
    stream: async ({ query }: StreamArguments) => {
      const { events } = await eventPage(queries, {
        names: [],
        from: timeOf(query.after, "after"),
        until: timeOf(query.before, "before"),
        after: null,
        includeInternal: query.includeInternalEvents ?? false,
        limit: Math.min(Math.max(query.limit, 1), streamMax),
      });
      return events.map((event) => streamObject(queries, event, oldRunObject));
    },
    event: async ({ query }: { readonly query: { readonly eventId: string } }) => {
      const event = await queries.event(query.eventId);
      return event === null ? null : eventObject(queries, event, oldRunObject);
    },
    events: async ({ query }: EventsArguments) => {
      const { name, lastEventId } = query;
      const { events } = await eventPage(queries, {
        names: name === undefined || name === null || name === "" ? [] : [name],
        from: null,
        until: null,
        after: lastEventId === "" ? null : (lastEventId ?? null),
        includeInternal: true,
        limit: eventsMax,
      });
      return events.map((event) => eventObject(queries, event, oldRunObject));
    },
    eventV2: async ({ id }: { readonly id: string }) => {
      const event = await queries.event(id);
      if (event === null) throw missing("event", id);
      return eventV2Object(queries, event, runObject);
    },
    eventsV2: async (args: EventsV2Arguments) => {
      const { first, after, filter } = args;
      const expression = filter.query?.trim() ?? "";
      if (expression !== "") return searchEvents(queries, args, expression);
      const { events, hasMore } = await eventPage(queries, {
        names: filter.eventNames ?? [],
        from: timeOf(filter.from, "from"),
        until: timeOf(filter.until, "until"),
        after: after ?? null,
        includeInternal: filter.includeInternalEvents,
        limit: pageSize(first),
      });
      const cursors = events.map((event) => event.id);
      return {
        edges: events.map((event) => ({
          node: eventV2Object(queries, event, runObject),
          cursor: event.id,
        })),
        pageInfo: pageInfo(cursors, hasMore, after ?? null),
      };
    },
  };
}

/** Events are looked through by name only when there is one name. */
async function searchEvents(
  queries: Queries,
  { first, after, filter }: EventsV2Arguments,
  expression: string,
): Promise<object> {
  const names = filter.eventNames ?? [];
  const [only] = names;
  const { found, scanned, cursor } = await queries.searchEvents(
    {
      name: names.length === 1 && only !== undefined ? only : null,
      receivedFrom: timeOf(filter.from, "from"),
      receivedUntil: timeOf(filter.until, "until"),
      cursor: after ?? null,
      limit: pageSize(first),
    },
    expression,
  );
  const events = found.filter(
    (event) =>
      (names.length === 0 || names.includes(event.name)) &&
      (filter.includeInternalEvents || !isInternal(event)),
  );
  return {
    edges: events.map((event) => ({
      node: eventV2Object(queries, event, runObject),
      cursor: event.id,
    })),
    pageInfo: searchInfo(events[0]?.id, cursor, after ?? null),
    scanned,
  };
}

function runFields({ queries }: ApiContext): object {
  return {
    functionRun: async ({ query }: { readonly query: { readonly functionRunId: string } }) => {
      const shown = await queries.run(query.functionRunId);
      return shown === null ? null : oldRunObject(queries, shown);
    },
    runs: (args: RunsArguments) => runsConnection(queries, args),
    run: async ({ runID }: RunArguments) => {
      const shown = await queries.run(runID);
      return shown === null ? null : runObject(queries, shown);
    },
    runTrace: async ({ runID }: RunArguments) => {
      const trace = await traceObject(queries, runID);
      if (trace === null) throw missing("run", runID);
      return trace;
    },
    runTraceSpanOutputByID: async ({ outputID }: { readonly outputID: string }) => {
      const output = await queries.spanOutput(outputID);
      if (output === null) throw missing("output", outputID);
      return outputObject(output);
    },
    runTrigger: async ({ runID }: RunArguments) => {
      const trigger = await triggerObject(queries, runID);
      if (trigger === null) throw missing("run", runID);
      return trigger;
    },
  };
}
