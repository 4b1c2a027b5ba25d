// Runs in the REST API v2 (protocol.md 8.3): lists, one run, its trace, cancelling it.
import { z } from "zod";
import type { MetadataRecord } from "@pawl/engine/metadata-records";
import { membersOf } from "@pawl/protocol/json-span";
import { jsonNull, toJsonText } from "@pawl/protocol/json-text";
import { everyRun } from "@pawl/store/run-filter";
import type { RunFilter } from "@pawl/store/store";
import { runOutput, type SpanOutput } from "../../query/outputs.ts";
import type { Queries, ShownRun } from "../../query/queries.ts";
import type { Span } from "../../query/trace.ts";
import type { HttpResponse } from "../../http/response.ts";
import type { Route } from "../../http/router.ts";
import { refusalProblem, type ApiContext } from "../context.ts";
import { spliced } from "../envelope.ts";
import { cursorSchema, limitSchema, searchSchema, statusesSchema } from "../schemas.ts";
import { explanationJson, explanationSchema } from "../explanation-json.ts";
import {
  functionWireId,
  runStatusWords,
  spanIdOf,
  spanStatusWords,
  stepOpWords,
  timeOrNull,
} from "../words.ts";
import { userSpanV2, userSpanV2Schema } from "../user-span-json.ts";
import { cancelRun, fromStepOf, rerunRun, startedRunId } from "../run-actions.ts";
import { answer, noQuery, notFound, refuse, v2Endpoint } from "./wire.ts";

const tag = "v2 runs";
const runsPerEventMax = 100;
const depthMax = 10;

const flag = z
  .enum(["true", "false"])
  .optional()
  .transform((text) => text === "true")
  .meta({ type: "boolean" });

export const pageQuery = z.strictObject({ cursor: cursorSchema, limit: limitSchema(20, 100) });
export const runsQuery = pageQuery.extend({ status: statusesSchema, query: searchSchema });
const runQuery = z.strictObject({ includeOutput: flag });
const traceQuery = z.strictObject({
  includeOutput: flag,
  maxDepth: z.coerce.number().int().min(1).max(depthMax).default(5).meta({ type: "integer" }),
});

const time = z.iso.datetime();
export const runSchema = z.object({
  id: z.string(),
  function: z.object({ id: z.string(), name: z.string().nullable() }),
  app: z.object({ id: z.string() }),
  status: z.enum(Object.values(runStatusWords)),
  queuedAt: time,
  startedAt: time.nullable(),
  endedAt: time.nullable(),
  durationMs: z.int().nullable(),
  trigger: z.object({
    eventIds: z.array(z.string()),
    isBatch: z.boolean(),
    batchId: z.string().optional(),
    cronSchedule: z.string().optional(),
  }),
  output: z.json().optional(),
});

const metadataSchema = z.object({
  scope: z.string(),
  kind: z.string(),
  values: z.record(z.string(), z.json()),
  updatedAt: time,
});
const spanSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    status: z.enum(Object.values(spanStatusWords)),
    stepOp: z.enum([...new Set(Object.values(stepOpWords))]).nullable(),
    stepId: z.string().nullable(),
    queuedAt: time,
    startedAt: time.nullable(),
    endedAt: time.nullable(),
    durationMs: z.string().nullable(),
    metadata: z.array(metadataSchema),
    isUserland: z.boolean().optional().describe("Made by user code."),
    userland: userSpanV2Schema.optional(),
    childrenTruncated: z.boolean(),
    input: z.json().optional(),
    output: z.json().optional(),
    get children() {
      return z.array(spanSchema);
    },
  })
  .meta({ id: "SpanV2" });

const rerunBody = z.strictObject({
  fromStep: z
    .strictObject({ stepId: z.string().min(1), input: z.json().optional() })
    .nullish()
    .meta({ description: "Steps before this one keep their results; `input`: its arguments." }),
});

/** The routes that show and cancel runs, and start them again. */
export function v2RunRoutes(context: ApiContext): readonly Route[] {
  const { queries, now } = context;
  const get = { method: "GET", tag, access: "runs:read" } as const;
  return [
    ...v2Endpoint({
      ...get,
      pattern: "/runs",
      summary: "Runs, newest first",
      query: runsQuery,
      data: z.array(runSchema),
      handle: ({ query }) => runList(context, { ...everyRun, statuses: query.status }, query),
    }),
    ...v2Endpoint({
      ...get,
      pattern: "/runs/:runId",
      summary: "One run",
      query: runQuery,
      data: runSchema,
      handle: async ({ params: { runId = "" }, query }) => {
        const shown = await queries.run(runId);
        if (shown === null) return notFound("run", runId);
        return answer(now(), await runJson(queries, shown, query.includeOutput));
      },
    }),
    ...traceRoutes(context),
    ...v2Endpoint({
      ...get,
      pattern: "/runs/:runId/explain",
      summary: "Why a run is not running, and what to do",
      query: noQuery,
      data: explanationSchema,
      handle: async ({ params: { runId = "" } }) => {
        const explanation = await queries.explain(runId, now());
        if (explanation === null) return notFound("run", runId);
        return answer(now(), explanationJson(explanation));
      },
    }),
    ...v2Endpoint({
      method: "POST",
      access: "runs:write",
      tag,
      pattern: "/runs/:runId/cancel",
      summary: "Cancel a run",
      query: noQuery,
      data: z.object({ runId: z.string() }),
      handle: ({ params: { runId = "" } }) => cancel(context, runId),
    }),
    ...rerunRoutes(context),
    ...v2Endpoint({
      ...get,
      pattern: "/events/:eventId/runs",
      summary: "Runs that an event started",
      query: z.strictObject({ includeOutput: flag, limit: limitSchema(20, runsPerEventMax) }),
      data: z.array(runSchema),
      handle: async ({ params: { eventId = "" }, query: { includeOutput, limit } }) => {
        const found = await queries.runsOfEvent(eventId, limit + 1);
        const runs = found.slice(0, limit);
        const texts = await Promise.all(runs.map((run) => runJson(queries, run, includeOutput)));
        const page = { cursor: null, hasMore: found.length > limit, limit };
        return answer(now(), `[${texts.join(",")}]`, { page });
      },
    }),
  ];
}

function traceRoutes(context: ApiContext): readonly Route[] {
  const get = { method: "GET", tag, access: "runs:read" } as const;
  return [
    ...v2Endpoint({
      ...get,
      pattern: "/runs/:runId/trace",
      summary: "What a run did and does, as a tree of spans",
      query: traceQuery,
      data: z.object({ runId: z.string(), rootSpan: spanSchema }),
      handle: ({ params: { runId = "" }, query }) => trace(context, runId, query, null),
    }),
    ...v2Endpoint({
      ...get,
      pattern: "/runs/:runId/trace/:spanId",
      summary: "One span of a trace, and what is below it",
      query: traceQuery,
      data: z.object({ runId: z.string(), span: spanSchema }),
      handle: ({ params: { runId = "", spanId = "" }, query }) =>
        trace(context, runId, query, spanId),
    }),
  ];
}

function rerunRoutes(context: ApiContext): readonly Route[] {
  return v2Endpoint({
    method: "POST",
    tag,
    pattern: "/runs/:runId/rerun",
    access: "runs:write",
    summary: "Start an ended run again, from its beginning or from a step",
    query: noQuery,
    body: rerunBody,
    bodyBytesMax: context.limits.bodyBytesMax,
    data: z.object({ runId: z.string() }),
    status: 201,
    startsWork: true,
    handle: ({ params: { runId = "" }, request }) => rerun(context, runId, request.body),
  });
}

/** One page of the runs that pass a filter. */
export async function runList(
  { queries, now }: ApiContext,
  filter: RunFilter,
  {
    cursor,
    limit,
    query = null,
  }: { readonly cursor: string | null; readonly limit: number; readonly query?: string | null },
): Promise<HttpResponse> {
  if (query !== null) {
    const asked = { filter, cursor, oldestFirst: false, limit };
    const { found, scanned, cursor: next } = await queries.searchRuns(asked, query);
    const texts = await Promise.all(found.map((run) => runJson(queries, run, false)));
    const page = { cursor: next, hasMore: next !== null, limit, scanned };
    return answer(now(), `[${texts.join(",")}]`, { page });
  }
  const { runs, cursors, hasMore } = await queries.runs({
    filter,
    cursor,
    oldestFirst: false,
    limit,
  });
  const texts = await Promise.all(runs.map((run) => runJson(queries, run, false)));
  const page = { cursor: hasMore ? (cursors.at(-1) ?? null) : null, hasMore, limit };
  return answer(now(), `[${texts.join(",")}]`, { page });
}

async function runJson(
  queries: Queries,
  { run, fn, app }: ShownRun,
  includeOutput: boolean,
): Promise<string> {
  const { startedAt, endedAt } = run;
  const plain = {
    id: run.id,
    function: {
      id: fn === null || app === null ? run.functionId : functionWireId(fn, app),
      name: fn?.name ?? null,
    },
    app: { id: app?.name ?? run.appId },
    status: runStatusWords[run.status],
    queuedAt: timeOrNull(run.queuedAt),
    startedAt: timeOrNull(startedAt),
    endedAt: timeOrNull(endedAt),
    durationMs: startedAt === null || endedAt === null ? null : endedAt - startedAt,
    trigger: {
      eventIds: run.eventIds,
      isBatch: run.batchId !== null,
      ...(run.batchId === null ? null : { batchId: run.batchId }),
      ...(run.schedule === null ? null : { cronSchedule: run.schedule.line }),
    },
  };
  if (!includeOutput) return JSON.stringify(plain);
  const { data, error } = runOutput(await queries.output(run), null);
  return spliced(plain, { output: data ?? error ?? jsonNull });
}

async function trace(
  { queries, now }: ApiContext,
  runId: string,
  { includeOutput, maxDepth }: z.output<typeof traceQuery>,
  /** Null: the whole trace. */
  spanId: string | null,
): Promise<HttpResponse> {
  const root = await queries.trace(runId);
  if (root === null) return notFound("run", runId);
  const shown = spanId === null ? root : findSpan(root, spanId);
  if (shown === null) return notFound("span", spanId ?? "");
  const outputs = includeOutput ? await queries.spanOutputs(runId) : () => null;
  return answer(
    now(),
    `{"runId":${JSON.stringify(runId)},"${spanId === null ? "rootSpan" : "span"}":${spanJson(shown, maxDepth, outputs)}}`,
  );
}

function findSpan(span: Span, spanId: string): Span | null {
  if (spanIdOf(span.runId, span.id) === spanId) return span;
  for (const child of span.children) {
    const found = findSpan(child, spanId);
    if (found !== null) return found;
  }
  return null;
}

function spanJson(
  span: Span,
  depth: number,
  outputs: (outputId: string) => SpanOutput | null,
): string {
  const { startedAt, endedAt } = span;
  const isCut = depth <= 1 && span.children.length > 0;
  const plain = {
    id: spanIdOf(span.runId, span.id),
    name: span.name,
    status: spanStatusWords[span.status],
    stepOp: span.op === null ? null : stepOpWords[span.op],
    stepId: span.stepId,
    queuedAt: timeOrNull(span.queuedAt),
    startedAt: timeOrNull(startedAt),
    endedAt: timeOrNull(endedAt),
    durationMs: startedAt === null || endedAt === null ? null : String(endedAt - startedAt),
    metadata: span.metadata.map(metadataJson),
    ...(span.user === null ? null : { isUserland: true, userland: userSpanV2(span.user) }),
    childrenTruncated: isCut,
  };
  const output = span.outputId === null ? null : outputs(span.outputId);
  const children = isCut ? [] : span.children.map((child) => spanJson(child, depth - 1, outputs));
  const text = spliced(plain, {
    ...(output === null || output.input === null ? null : { input: output.input }),
    ...(output === null ? null : { output: output.data ?? output.error ?? jsonNull }),
  });
  return `${text.slice(0, -1)},"children":[${children.join(",")}]}`;
}

/** Each of the values is JSON inside a string, as the wire has it (protocol.md 8.3). */
function metadataJson({ scope, kind, values, updatedAt }: MetadataRecord): object {
  const texts = Object.fromEntries(membersOf(values));
  return { scope, kind, values: texts, updatedAt: timeOrNull(updatedAt) };
}

async function cancel(context: ApiContext, runId: string): Promise<HttpResponse> {
  const reply = await cancelRun(context, runId);
  if (!reply.ok) return refuse(refusalProblem(reply));
  return answer(context.now(), toJsonText({ runId }));
}

async function rerun(context: ApiContext, runId: string, body: string): Promise<HttpResponse> {
  const fromStep = fromStepOf(body, { step: "fromStep", id: "stepId" });
  const reply = await rerunRun(context, runId, fromStep);
  if (!reply.ok) return refuse(refusalProblem(reply));
  return answer(context.now(), toJsonText({ runId: startedRunId(reply) }), { status: 201 });
}
