// Apps and functions in the REST API v2 (protocol.md 8.3), and starting a function. An app is
// named by its name or its UUID, a function by the id its author gave it, its slug or its UUID.
import { z } from "zod";
import type { AppRecord, FunctionRecord } from "@pawl/engine/records";
import { assertJson, sliceObject } from "@pawl/protocol/json-span";
import { toJsonText, type JsonValue } from "@pawl/protocol/json-text";
import { isJsonObject } from "@pawl/protocol/object-reader";
import { everyRun } from "@pawl/store/run-filter";
import { functionConfig } from "../../query/function-config.ts";
import { foreignCursor } from "../../query/run-cursor.ts";
import type { Queries, ShownFunction } from "../../query/queries.ts";
import { valueResponse, type HttpResponse } from "../../http/response.ts";
import type { Route } from "../../http/router.ts";
import { startFunction } from "../accept.ts";
import { refusalProblem, type ApiContext } from "../context.ts";
import { functionWireId, timeOrNull } from "../words.ts";
import { appSchema, functionSchema } from "./function-schemas.ts";
import { pageQuery, runList, runSchema, runsQuery } from "./runs.ts";
import { answer, noQuery, notFound, refuse, v2Endpoint } from "./wire.ts";

const tag = "v2 functions";
const idempotencyKeyCharsMax = 256;

const invocation = z.strictObject({
  data: z.record(z.string(), z.unknown()).optional(),
  idempotencyKey: z.string().min(1).max(idempotencyKeyCharsMax).optional(),
});

/** The routes that show apps and functions, and start functions. */
export function v2FunctionRoutes(context: ApiContext): readonly Route[] {
  const { queries, now } = context;
  const get = { method: "GET", tag, access: "apps:read" } as const;
  return [
    ...v2Endpoint({
      ...get,
      pattern: "/apps",
      summary: "Apps",
      query: pageQuery,
      data: z.array(appSchema),
      handle: ({ query }) => page(now(), queries.apps(), (app) => app.id, appJson, query),
    }),
    ...v2Endpoint({
      ...get,
      pattern: "/apps/:appId",
      summary: "One app",
      query: noQuery,
      data: appSchema,
      handle: ({ params: { appId = "" } }) => {
        const app = queries.app(appId);
        return app === null ? notFound("app", appId) : answer(now(), toJsonText(appJson(app)));
      },
    }),
    ...v2Endpoint({
      ...get,
      pattern: "/apps/:appId/functions",
      summary: "Functions of an app",
      query: pageQuery,
      data: z.array(functionSchema),
      handle: ({ params: { appId = "" }, query }) => {
        const app = queries.app(appId);
        if (app === null) return notFound("app", appId);
        const show = (fn: FunctionRecord): object => functionJson(fn, app);
        return page(now(), app.functions, (fn) => fn.id, show, query);
      },
    }),
    ...v2Endpoint({
      ...get,
      pattern: "/apps/:appId/functions/:functionId",
      summary: "One function",
      query: noQuery,
      data: functionSchema,
      handle: ({ params }) => {
        const found = findFunction(queries, params);
        if (found === null) return notFound("function", params["functionId"] ?? "");
        return answer(now(), toJsonText(functionJson(found.fn, found.app)));
      },
    }),
    ...v2Endpoint({
      ...get,
      pattern: "/apps/:appId/functions/:functionId/runs",
      access: "runs:read",
      summary: "Runs of a function, newest first",
      query: runsQuery,
      data: z.array(runSchema),
      handle: ({ params, query }) => {
        const found = findFunction(queries, params);
        if (found === null) return notFound("function", params["functionId"] ?? "");
        const filter = { ...everyRun, functionIds: [found.fn.id], statuses: query.status };
        return runList(context, filter, query);
      },
    }),
    ...invokeRoutes(context),
  ];
}

function invokeRoutes(context: ApiContext): readonly Route[] {
  return v2Endpoint({
    method: "POST",
    access: "runs:write",
    tag,
    pattern: "/apps/:appId/functions/:functionId/invoke",
    summary: "Start a function",
    query: noQuery,
    body: invocation,
    bodyBytesMax: context.limits.bodyBytesMax,
    data: z.object({ runId: z.string() }),
    status: 201,
    startsWork: true,
    handle: ({ params, body, request }) => invoke(context, params, body, request.body),
  });
}

/** The function that a path names; null when there is none in that app. */
function findFunction(
  queries: Queries,
  { appId = "", functionId = "" }: Readonly<Record<string, string>>,
): ShownFunction | null {
  const app = queries.app(appId);
  const fn = app?.functions.find(
    (one) =>
      one.id === functionId || one.slug === functionId || functionWireId(one, app) === functionId,
  );
  return app === null || fn === undefined ? null : { fn, app };
}

async function invoke(
  context: ApiContext,
  params: Readonly<Record<string, string>>,
  { idempotencyKey }: z.output<typeof invocation>,
  body: string,
): Promise<HttpResponse> {
  const found = findFunction(context.queries, params);
  if (found === null) return notFound("function", params["functionId"] ?? "");
  // The payload is handed on as the text that arrived.
  const data = body.trim() === "" ? undefined : sliceObject(assertJson(body)).get("data");
  const invocationText = data === undefined ? "{}" : `{"data":${data}}`;
  const key = idempotencyKey ?? null;
  const reply = await startFunction(context, found.fn.slug, invocationText, key);
  if (!reply.ok) return refuse(refusalProblem(reply));
  const started = reply.value.type === "started" ? reply.value : null;
  const runId = started?.runId ?? null;
  if (started?.isRepeat === true) return repeated(started.runId, idempotencyKey ?? "");
  return answer(context.now(), toJsonText({ runId }), { status: 201 });
}

/** An earlier invocation had the key: the answer names its run (protocol.md 8.3). */
function repeated(runId: string, key: string): HttpResponse {
  const message = `Run ${runId} was started with the idempotency key ${JSON.stringify(key)}; nothing was started now.`;
  return valueResponse(409, {
    errors: [{ code: "idempotency_conflict", message }],
    data: { runId },
  });
}

/** A page of a list in memory; the cursor is the id of the last item. */
function page<T>(
  now: number,
  items: readonly T[],
  idOf: (item: T) => string,
  show: (item: T) => object,
  { cursor, limit }: { readonly cursor: string | null; readonly limit: number },
): HttpResponse {
  if (cursor !== null && !z.uuid().safeParse(cursor).success) throw foreignCursor();
  const sorted = items.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  const rest = cursor === null ? sorted : sorted.filter((item) => idOf(item) > cursor);
  const shown = rest.slice(0, limit);
  const last = shown.at(-1);
  const hasMore = rest.length > limit;
  const next = hasMore && last !== undefined ? idOf(last) : null;
  return answer(now, toJsonText(shown.map(show)), { page: { cursor: next, hasMore, limit } });
}

function appJson(app: AppRecord): object {
  return {
    id: app.name,
    internalId: app.id,
    name: app.name,
    url: app.url,
    sdk: app.sdk,
    framework: app.framework,
    error: app.error,
    functionCount: app.functions.length,
    createdAt: timeOrNull(app.createdAt),
    updatedAt: timeOrNull(app.updatedAt),
  };
}

/** A limit as it was registered, a bare number included; none of them is a plan's. */
function concurrencyJson(one: JsonValue): object {
  const { scope, key, limit } = isJsonObject(one) ? one : {};
  return {
    scope: typeof scope === "string" ? scope : "fn",
    limit: { value: typeof limit === "number" ? limit : 0, isPlanLimit: false },
    key: typeof key === "string" ? key : null,
  };
}

function functionJson(fn: FunctionRecord, app: AppRecord): object {
  const config = functionConfig(fn);
  return {
    id: functionWireId(fn, app),
    internalId: fn.id,
    name: fn.name,
    slug: fn.slug,
    isPaused: fn.pausedAt !== null,
    isArchived: false,
    app: { id: app.name },
    triggers: fn.triggers.map((trigger) =>
      trigger.kind === "cron"
        ? { type: "CRON", value: trigger.cron, condition: null }
        : { type: "EVENT", value: trigger.event, condition: trigger.expression },
    ),
    configuration: {
      cancellations: config.cancellations,
      retries: { value: fn.retries, isDefault: !config.hasRetries },
      priority: config.priority,
      eventsBatch: config.batchEvents,
      concurrency: config.concurrency.map(concurrencyJson),
      rateLimit: config.rateLimit,
      debounce: config.debounce,
      throttle: config.throttle,
      singleton: config.singleton,
    },
  };
}
