// `GET /v1/runs`, `/v1/runs/counts` and what is below one run: jobs, trace, trigger, outputs
// (protocol.md 8.2).
import { z } from "zod";
import type { Job } from "@pawl/engine/records";
import { writeEvent } from "@pawl/protocol/event-wire";
import { fromJsonText, jsonNull, toJsonText } from "@pawl/protocol/json-text";
import type { RunFilter } from "@pawl/store/store";
import type { Queries, ShownRun } from "../query/queries.ts";
import { placeOfOutputId } from "../query/output-id.ts";
import { runOutput } from "../query/outputs.ts";
import type { SpanInfo, WaitEnd } from "../query/step-info.ts";
import type { Span } from "../query/trace.ts";
import { httpProblem, problemResponse } from "../http/problem.ts";
import type { HttpResponse } from "../http/response.ts";
import { jobSchema, outputSchema, spanSchema, triggerSchema } from "./answer-schemas.ts";
import { runNotFound, type ApiContext } from "./context.ts";
import { endpoint, type DocumentedRoute } from "./endpoint.ts";
import { envelope, spliced } from "./envelope.ts";
import {
  cursorSchema,
  uuidsSchema,
  limitSchema,
  searchSchema,
  statusesSchema,
  timeSchema,
} from "./schemas.ts";
import { userSpanV1 } from "./user-span-json.ts";
import {
  runStatusWords,
  spanIdOf,
  spanStatusWords,
  stepOpWords,
  timeOrNull,
  traceIdOf,
} from "./words.ts";

const dayMs = 86_400_000;
const jobsMax = 10;
const spanDepthMax = 50;
const spanChildrenMax = 1_000;

const filterSchema = z.object({
  status: statusesSchema,
  from: timeSchema,
  until: timeSchema,
  function_id: uuidsSchema,
  app_id: uuidsSchema,
});
const pageSchema = filterSchema.extend({
  first: limitSchema(20, 400),
  cursor: cursorSchema,
  query: searchSchema,
});

const time = z.iso.datetime();
const runSchema = z.object({
  id: z.string(),
  status: z.enum(Object.values(runStatusWords)),
  queued_at: time,
  started_at: time.nullable(),
  ended_at: time.nullable(),
  trace_id: z.string(),
  function_id: z.string(),
  function_name: z.string().nullable(),
  function_slug: z.string().nullable(),
  app_id: z.string(),
  app_name: z.string().nullable(),
  event_name: z.string(),
  cron_schedule: z.string().nullable(),
  is_batch: z.boolean(),
  output: z.json(),
});

const tag = "v1 runs";

/** The routes of lists of runs. They come before `/v1/runs/:id`, which matches `counts` too. */
export function restRunListRoutes(context: ApiContext): readonly DocumentedRoute[] {
  const { queries } = context;
  const shared = { method: "GET", tag, access: "runs:read" } as const;
  return [
    endpoint({
      ...shared,
      pattern: "/v1/runs",
      summary: "Runs, newest first; of the last 24 hours unless `from` says otherwise",
      query: pageSchema,
      data: z.object({
        runs: z.array(runSchema),
        total_count: z.int().nullable().meta({ description: "Null for a search." }),
        cursor: z.string().nullable(),
        has_more: z.boolean(),
        scanned: z.int().optional().meta({ description: "Runs that a search looked at." }),
      }),
      handle: ({ query }) => listRuns(context, query),
    }),
    endpoint({
      ...shared,
      pattern: "/v1/runs/counts",
      summary: "How many runs there are",
      query: filterSchema,
      data: z.object({ count: z.int() }),
      handle: async ({ query }) => {
        const count = await queries.countRuns(filterOf(query, context.now()));
        return envelope(context.now(), toJsonText({ count }));
      },
    }),
    endpoint({
      ...shared,
      pattern: "/v1/runs/:id/jobs",
      summary: "What a run still waits for",
      data: z.array(jobSchema),
      handle: async ({ params: { id = "" } }) => {
        const state = await queries.state(id);
        if (state === null) return runNotFound(id);
        const jobs = state.jobs.slice(0, jobsMax).map(jobJson);
        return envelope(context.now(), toJsonText(jobs));
      },
    }),
    endpoint({
      ...shared,
      pattern: "/v1/runs/:id/trace",
      summary: "What a run did and does, as a tree of spans",
      data: spanSchema,
      handle: async ({ params: { id = "" } }) => {
        const root = await queries.trace(id);
        if (root === null) return runNotFound(id);
        return envelope(context.now(), toJsonText(spanJson(root, 1)));
      },
    }),
    endpoint({
      ...shared,
      pattern: "/v1/runs/:id/trigger",
      summary: "The events that started a run",
      data: triggerSchema,
      handle: ({ params: { id = "" } }) => trigger(context, id),
    }),
    endpoint({
      ...shared,
      pattern: "/v1/runs/:id/outputs/:outputId",
      summary: "Input and output of a span, by its output id",
      data: outputSchema,
      handle: ({ params: { id = "", outputId = "" } }) => spanOutput(context, id, outputId),
    }),
  ];
}

function filterOf(query: z.output<typeof filterSchema>, now: number): RunFilter {
  return {
    statuses: query.status,
    functionIds: query.function_id,
    appIds: query.app_id,
    by: "queuedAt",
    from: query.from ?? now - dayMs,
    until: query.until,
  };
}

async function listRuns(
  { queries, now }: ApiContext,
  query: z.output<typeof pageSchema>,
): Promise<HttpResponse> {
  const filter = filterOf(query, now());
  if (query.query !== null) return searchRuns({ queries, now }, filter, query, query.query);
  const [page, total] = await Promise.all([
    queries.runs({ filter, cursor: query.cursor, oldestFirst: false, limit: query.first }),
    queries.countRuns(filter),
  ]);
  const runs = await Promise.all(page.runs.map((shown) => runJson(queries, shown)));
  const rest = JSON.stringify({
    total_count: total,
    cursor: page.hasMore ? (page.cursors.at(-1) ?? null) : null,
    has_more: page.hasMore,
  });
  return envelope(now(), `{"runs":[${runs.join(",")}],${rest.slice(1)}`);
}

async function searchRuns(
  { queries, now }: Pick<ApiContext, "queries" | "now">,
  filter: RunFilter,
  query: z.output<typeof pageSchema>,
  expression: string,
): Promise<HttpResponse> {
  const page = { filter, cursor: query.cursor, oldestFirst: false, limit: query.first };
  const { found, scanned, cursor } = await queries.searchRuns(page, expression);
  const runs = await Promise.all(found.map((shown) => runJson(queries, shown)));
  const rest = JSON.stringify({ total_count: null, cursor, has_more: cursor !== null, scanned });
  return envelope(now(), `{"runs":[${runs.join(",")}],${rest.slice(1)}`);
}

async function runJson(queries: Queries, { run, fn, app }: ShownRun): Promise<string> {
  const plain = {
    id: run.id,
    status: runStatusWords[run.status],
    queued_at: timeOrNull(run.queuedAt),
    started_at: timeOrNull(run.startedAt),
    ended_at: timeOrNull(run.endedAt),
    trace_id: traceIdOf(run.id),
    function_id: run.functionId,
    function_name: fn?.name ?? null,
    function_slug: fn?.slug ?? null,
    app_id: run.appId,
    app_name: app?.name ?? null,
    event_name: run.eventName,
    cron_schedule: run.schedule?.line ?? null,
    is_batch: run.batchId !== null,
  };
  const { data, error } = runOutput(await queries.output(run), null);
  return spliced(plain, { output: data ?? error ?? jsonNull });
}

function jobJson(job: Job): object {
  const call = job.kind === "call" ? job : null;
  return {
    id: job.id,
    run_id: job.runId,
    kind: job.kind,
    status: call?.state.at ?? "waiting",
    step_id: call === null ? job.id : call.target,
    name: job.displayName,
    attempt: call?.attempt ?? 0,
    queued_at: timeOrNull(job.queuedAt),
    due_at: timeOrNull(dueAt(job)),
  };
}

function dueAt(job: Job): number | null {
  if (job.kind !== "call") return job.dueAt;
  return job.state.at === "delayed" ? job.state.dueAt : null;
}

function spanJson(span: Span, depth: number): object {
  const { runId, startedAt, endedAt } = span;
  const children = depth < spanDepthMax ? span.children.slice(0, spanChildrenMax) : [];
  return {
    span_id: spanIdOf(runId, span.id),
    trace_id: traceIdOf(runId),
    name: span.name,
    status: spanStatusWords[span.status],
    step_op: span.op === null ? null : stepOpWords[span.op],
    step_id: span.stepId,
    attempts: span.attempts,
    queued_at: timeOrNull(span.queuedAt),
    started_at: timeOrNull(startedAt),
    ended_at: timeOrNull(endedAt),
    duration_ms: startedAt === null || endedAt === null ? null : endedAt - startedAt,
    is_root: span.parentId === null,
    is_userland: span.user !== null,
    userland: span.user === null ? null : userSpanV1(span.user),
    output_id: span.outputId,
    parent_span_id: span.parentId === null ? null : spanIdOf(runId, span.parentId),
    step_info: infoJson(span.info),
    metadata: span.metadata.map(({ scope, kind, values, updatedAt }) => ({
      scope,
      kind,
      values: fromJsonText(values),
      updated_at: timeOrNull(updatedAt),
    })),
    children: children.map((child) => spanJson(child, depth + 1)),
  };
}

function infoJson(info: SpanInfo | null): object | null {
  switch (info?.type) {
    case undefined:
      return null;
    case "sleep":
      return { sleep_until: timeOrNull(info.until) };
    case "waitForEvent":
      return {
        event_name: info.event,
        expression: info.expression,
        timeout: timeOrNull(info.until),
        ...endJson(info.end),
      };
    case "waitForEvents":
      return {
        events: info.branches.map(({ name, event, expression, eventId }) => ({
          name,
          event_name: event,
          expression,
          event_id: eventId,
        })),
        timeout: timeOrNull(info.until),
        ...endJson(info.end),
      };
    case "waitForSignal":
      return { signal: info.signal, timeout: timeOrNull(info.until), ...endJson(info.end) };
    case "invoke":
      return {
        function_id: info.functionSlug,
        run_id: info.childRunId,
        timeout: timeOrNull(info.until),
        ...endJson(info.end),
      };
  }
}

/** Nothing while the wait is open. */
function endJson(end: WaitEnd | undefined): object | null {
  if (end === undefined) return null;
  const { timedOut: timed_out, eventId: found_event_id } = end;
  return { timed_out, ...(found_event_id === null ? null : { found_event_id }) };
}

async function trigger({ queries, now }: ApiContext, runId: string): Promise<HttpResponse> {
  const found = await queries.eventsOfRun(runId);
  if (found === null) return runNotFound(runId);
  const { run, events } = found;
  const plain = {
    event_name: run.eventName,
    ids: run.eventIds,
    timestamp: timeOrNull(run.queuedAt),
    is_batch: run.batchId !== null,
    batch_id: run.batchId,
    cron: run.schedule?.line ?? null,
  };
  const payloads = `[${events.map(writeEvent).join(",")}]`;
  return envelope(now(), `${JSON.stringify(plain).slice(0, -1)},"payloads":${payloads}}`);
}

async function spanOutput(
  { queries, now }: ApiContext,
  runId: string,
  outputId: string,
): Promise<HttpResponse> {
  const isOfRun = placeOfOutputId(outputId)?.runId === runId;
  const output = isOfRun ? await queries.spanOutput(outputId) : null;
  if (output === null) {
    const message = `Run ${runId} has no output ${outputId}.`;
    return problemResponse(httpProblem(404, "output_not_found", message));
  }
  const { input, data, error } = output;
  return envelope(
    now(),
    spliced(
      { output_id: outputId },
      { input: input ?? jsonNull, data: data ?? jsonNull, error: error ?? jsonNull },
    ),
  );
}
