// The fields of `Query` and `Mutation` (protocol.md 8.4): each asks the query services, or submits
// a command, and hands on what comes back. It must not know HTTP.
import { ServerError } from "../../server-error.ts";
import type { Queries } from "../../query/queries.ts";
import { assertJson } from "@pawl/protocol/json-span";
import { jsonNull } from "@pawl/protocol/json-text";
import { startFunction } from "../accept.ts";
import { cancelRun, rerunRun, startedRunId } from "../run-actions.ts";
import type { ApiContext } from "../context.ts";
import { appObject, functionObject } from "./apps.ts";
import { eventObject, eventPage, eventV2Object, isInternal, streamObject } from "./events.ts";
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

/** Something is asked for that does not exist. */
function missing(what: string, id: string): ServerError {
  return new ServerError("parameter_invalid", `There is no ${what} ${id}.`);
}

/** The root value: a function for each field. */
export function rootFields(context: ApiContext): object {
  return {
    ...appFields(context),
    ...eventFields(context),
    ...runFields(context),
    ...mutations(context),
  };
}

function appFields({ queries }: ApiContext): object {
  return {
    apps: ({ filter }: { readonly filter?: { readonly connectionType?: string | null } | null }) =>
      (filter?.connectionType ?? "SERVE") === "SERVE" ? queries.apps().map(appObject) : [],
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
        after: lastEventId ?? null,
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

function mutations(context: ApiContext): object {
  const { queries } = context;
  const unavailable = (what: string) => () => {
    throw new ServerError("not_implemented", `${what} is not available on this server.`);
  };
  return {
    createApp: unavailable("Adding an app by URL"),
    updateApp: unavailable("Changing the URL of an app"),
    rerun: (args: RerunArguments) => rerun(context, args),
    deleteApp: async ({ id }: { readonly id: string }) => removeApp(context, id),
    deleteAppByName: async ({ name }: { readonly name: string }) =>
      (await removeApp(context, name)) !== "",
    invokeFunction: (args: InvokeArguments) => invoke(context, args),
    cancelRun: async ({ runID }: RunArguments) => {
      const reply = await cancelRun(context, runID);
      const shown = await queries.run(runID);
      if (!reply.ok || shown === null)
        throw new ServerError("parameter_invalid", reply.ok ? "The run is gone." : reply.message);
      return runObject(queries, shown);
    },
  };
}

async function removeApp({ backend, queries }: ApiContext, idOrName: string): Promise<string> {
  const app = queries.app(idOrName);
  if (app === null) throw missing("app", idOrName);
  const reply = await backend.submit({ type: "app.removed", appId: app.id });
  if (!reply.ok) throw new ServerError("parameter_invalid", reply.message);
  return app.id;
}

interface RerunArguments extends RunArguments {
  readonly fromStep?: { readonly stepID: string; readonly input?: unknown } | null;
}

/** The input comes as JSON text, as a string, or as a value of the query itself. */
async function rerun(context: ApiContext, { runID, fromStep }: RerunArguments): Promise<string> {
  const { stepID: stepId, input } = fromStep ?? { stepID: "" };
  const text = typeof input === "string" ? assertJson(input) : JSON.stringify(input ?? null);
  const step = { stepId, input: text === jsonNull ? null : assertJson(text) };
  const reply = await rerunRun(context, runID, stepId === "" ? null : step);
  if (!reply.ok) throw new ServerError("parameter_invalid", reply.message);
  return startedRunId(reply);
}

interface InvokeArguments {
  readonly functionSlug: string;
  readonly data?: unknown;
  readonly user?: unknown;
}

async function invoke(
  context: ApiContext,
  { functionSlug, data, user }: InvokeArguments,
): Promise<true> {
  const invocation = { data: data ?? undefined, user: user ?? undefined };
  const reply = await startFunction(context, functionSlug, JSON.stringify(invocation));
  if (!reply.ok) throw new ServerError("parameter_invalid", reply.message);
  return true;
}
