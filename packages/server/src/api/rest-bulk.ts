// `/v1/bulk`: the same done to many runs. `/v1/cancellations` (protocol.md 8.2) is the older way to ask
// for one kind of it: all runs of a function that began within some time are cancelled.
import { z } from "zod";
import { functionNotFound } from "@pawl/engine/rules/replies";
import type { BulkRecord, RunSelection } from "@pawl/engine/bulk-records";
import { toJsonText } from "@pawl/protocol/json-text";
import type { HttpResponse } from "../http/response.ts";
import { ServerError } from "../server-error.ts";
import { checked, filterSchema, preview, previewSchema, selectionOf } from "./bulk-request.ts";
import { cancellationSchema, okSchema } from "./answer-schemas.ts";
import { refusalResponse, type ApiContext } from "./context.ts";
import { endpoint, type DocumentedRoute } from "./endpoint.ts";
import { envelope } from "./envelope.ts";
import { timeSchema } from "./schemas.ts";
import { environmentId } from "./wire-ids.ts";
import { runStatusWords, timeOrNull } from "./words.ts";

const tag = "v1 bulk actions";

const request = z.strictObject({
  action: z.enum(["cancel", "rerun"]),
  filter: filterSchema,
  dry_run: z.boolean().default(false),
});

const time = z.iso.datetime();
const bulkSchema = z.object({
  id: z.string(),
  action: z.enum(["cancel", "rerun"]),
  state: z.enum(["active", "completed", "stopped"]),
  filter: z.object({
    function_ids: z.array(z.string()).nullable(),
    app_ids: z.array(z.string()).nullable(),
    statuses: z.array(z.string()),
    from: time.nullable(),
    until: time.nullable(),
    if: z.string().nullable(),
  }),
  created_at: time,
  ended_at: time.nullable(),
  cursor: z.string().nullable(),
  examined: z.int(),
  matched: z.int(),
  done: z.int(),
  failed: z.int(),
  problem: z.string().nullable(),
});

/** The routes for actions on many runs. */
export function restBulkRoutes(context: ApiContext): readonly DocumentedRoute[] {
  const { backend, now } = context;
  return [
    endpoint({
      method: "POST",
      pattern: "/v1/bulk",
      access: "runs:write",
      tag,
      summary: "Cancel many runs or start them again; with `dry_run` only count them",
      body: request,
      data: z.union([bulkSchema, previewSchema]),
      startsWork: true,
      handle: async ({ body: { action, filter, dry_run } }) => {
        const selection = selectionOf(context, action, filter);
        if (dry_run) return envelope(now(), toJsonText(await preview(context, selection)));
        return create(context, action, selection, bulkJson);
      },
    }),
    endpoint({
      method: "GET",
      pattern: "/v1/bulk",
      access: "runs:read",
      tag,
      summary: "Bulk actions, newest first",
      data: z.array(bulkSchema),
      handle: async () => {
        const bulks = await backend.store.list<"bulks">({ type: "bulks" });
        return envelope(now(), toJsonText(bulks.map(bulkJson)));
      },
    }),
    endpoint({
      method: "GET",
      pattern: "/v1/bulk/:id",
      access: "runs:read",
      tag,
      summary: "One bulk action, and how far it has come",
      data: bulkSchema,
      handle: async ({ params: { id = "" } }) => {
        const [found] = await backend.store.load([{ kind: "bulk", bulkId: id }]);
        if (found !== undefined && "bulk" in found && found.bulk !== null)
          return envelope(now(), toJsonText(bulkJson(found.bulk)));
        const message = `There is no bulk action ${id}.`;
        return refusalResponse({ ok: false, code: "bulk_not_found", message });
      },
    }),
    endpoint({
      method: "DELETE",
      pattern: "/v1/bulk/:id",
      access: "runs:write",
      tag,
      summary: "Stop a bulk action; what it has done stays done",
      data: bulkSchema,
      handle: async ({ params: { id = "" } }) => {
        const reply = await backend.submit({ type: "bulk.stopped", bulkId: id });
        if (!reply.ok) return refusalResponse(reply);
        const bulk = reply.value.type === "bulk" ? bulkJson(reply.value.bulk) : null;
        return envelope(now(), toJsonText(bulk));
      },
    }),
    ...cancellationRoutes(context),
  ];
}

async function create(
  context: ApiContext,
  kind: BulkRecord["kind"],
  selection: RunSelection,
  write: (bulk: BulkRecord) => object,
): Promise<HttpResponse> {
  const { backend, ids, now } = context;
  const bulk = { id: ids.next(now()), kind, selection };
  const reply = await backend.submit({ type: "bulk.created", bulk });
  if (!reply.ok) return refusalResponse(reply);
  const written = reply.value.type === "bulk" ? write(reply.value.bulk) : null;
  return envelope(now(), toJsonText(written));
}

function bulkJson(bulk: BulkRecord): z.input<typeof bulkSchema> {
  const { functionIds, appIds, statuses, from, until, expression } = bulk.selection;
  return {
    id: bulk.id,
    action: bulk.kind,
    state: bulk.state,
    filter: {
      function_ids: functionIds === null ? null : [...functionIds],
      app_ids: appIds === null ? null : [...appIds],
      statuses: statuses.map((status) => runStatusWords[status]),
      from: timeOrNull(from),
      until: timeOrNull(until),
      if: expression,
    },
    created_at: new Date(bulk.createdAt).toISOString(),
    ended_at: timeOrNull(bulk.endedAt),
    cursor: bulk.cursor,
    examined: bulk.examined,
    matched: bulk.matched,
    done: bulk.done,
    failed: bulk.failed,
    problem: bulk.problem,
  };
}

const cancellation = z.object({
  app_id: z.string(),
  function_id: z.string(),
  started_after: timeSchema,
  started_before: timeSchema,
  if: z.string().nullish(),
});

function cancellationRoutes(context: ApiContext): readonly DocumentedRoute[] {
  const { backend, now } = context;
  const shared = { tag: "v1 cancellations", pattern: "/v1/cancellations" } as const;
  return [
    endpoint({
      ...shared,
      method: "POST",
      access: "runs:write",
      summary: "Cancel the runs of a function that began within some time",
      body: cancellation,
      data: cancellationSchema,
      startsWork: true,
      handle: ({ body }) => cancelMany(context, body),
    }),
    endpoint({
      ...shared,
      method: "GET",
      access: "runs:read",
      summary: "Cancellations, newest first",
      data: z.array(cancellationSchema),
      handle: async () => {
        const bulks = await backend.store.list<"bulks">({ type: "bulks" });
        const shown = bulks.filter(isCancellation).map((bulk) => cancellationJson(context, bulk));
        return envelope(now(), toJsonText(shown));
      },
    }),
    endpoint({
      ...shared,
      method: "DELETE",
      access: "runs:write",
      pattern: "/v1/cancellations/:id",
      summary: "Stop and forget a cancellation",
      data: okSchema,
      handle: async ({ params: { id = "" } }) => {
        const reply = await backend.submit({ type: "bulk.removed", bulkId: id });
        return reply.ok ? envelope(now(), toJsonText({ ok: true })) : refusalResponse(reply);
      },
    }),
  ];
}

function isCancellation({ kind, selection }: BulkRecord): boolean {
  return kind === "cancel" && selection.functionIds?.length === 1;
}

async function cancelMany(
  context: ApiContext,
  body: z.output<typeof cancellation>,
): Promise<HttpResponse> {
  const { queries, now } = context;
  if (body.started_before === null || body.started_before > now()) {
    throw new ServerError("body_invalid", "started_before must be a time in the past.");
  }
  const app = queries.app(body.app_id);
  const fn = app?.functions.find(({ id, slug }) =>
    [id, slug, slug.replace(`${app.name}-`, "")].includes(body.function_id),
  );
  if (fn === undefined) return refusalResponse(functionNotFound(body.function_id));
  const selection: RunSelection = {
    functionIds: [fn.id],
    appIds: null,
    statuses: ["queued", "running"],
    from: body.started_after,
    until: body.started_before,
    expression: checked(body.if ?? undefined),
  };
  return create(context, "cancel", selection, (bulk) => cancellationJson(context, bulk));
}

function cancellationJson({ queries }: ApiContext, bulk: BulkRecord): object {
  const { functionIds, from, until, expression } = bulk.selection;
  const functionId = functionIds?.[0] ?? "";
  return {
    id: bulk.id,
    environment_id: environmentId,
    function_internal_id: functionId,
    function_id: queries.fn(functionId)?.fn.slug ?? functionId,
    started_after: timeOrNull(from),
    started_before: timeOrNull(until),
    if: expression,
    queued_at: timeOrNull(bulk.createdAt),
  };
}
