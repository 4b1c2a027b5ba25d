// `GET` and `DELETE /v1/runs/{id}` (protocol.md 8.2), `POST /v1/runs/{id}/rerun`, and how a run is written there.
import { z } from "zod";
import { jsonNull, toJsonText } from "@pawl/protocol/json-text";
import type { RunRecord, RunStatus } from "@pawl/engine/records";
import { valueResponse, type HttpResponse } from "../http/response.ts";
import { runOutput } from "../query/outputs.ts";
import type { Queries } from "../query/queries.ts";
import { oneRunSchema, runIdSchema } from "./answer-schemas.ts";
import { refusalResponse, runNotFound, type ApiContext } from "./context.ts";
import { endpoint, type DocumentedRoute } from "./endpoint.ts";
import { envelope, isoTime, spliced } from "./envelope.ts";
import { cancelRun, fromStepOf, rerunRun, startedRunId } from "./run-actions.ts";
import { environmentId } from "./wire-ids.ts";

const rerunBody = z.strictObject({
  from_step: z
    .strictObject({ step_id: z.string().min(1), input: z.json().optional() })
    .nullish()
    .meta({ description: "Steps before this one keep their results; `input`: its arguments." }),
});

/** The routes that show and cancel one run, and start it again. */
export function restRunRoutes(context: ApiContext): readonly DocumentedRoute[] {
  const { queries, now } = context;
  const shared = { pattern: "/v1/runs/:id", tag: "v1 runs" } as const;
  return [
    endpoint({
      ...shared,
      method: "GET",
      access: "runs:read",
      summary: "One run",
      data: oneRunSchema,
      handle: async ({ params: { id = "" } }) => {
        const shown = await queries.run(id);
        if (shown === null) return runNotFound(id);
        return envelope(now(), await runJson(queries, shown.run));
      },
    }),
    endpoint({
      ...shared,
      method: "DELETE",
      access: "runs:write",
      summary: "Cancel a run",
      data: runIdSchema,
      handle: ({ params: { id = "" } }) => cancel(context, id),
    }),
    endpoint({
      ...shared,
      method: "POST",
      pattern: "/v1/runs/:id/rerun",
      access: "runs:write",
      summary: "Start an ended run again, from its beginning or from a step",
      body: rerunBody,
      bodyBytesMax: context.limits.bodyBytesMax,
      data: z.object({ run_id: z.string() }),
      startsWork: true,
      handle: async ({ params: { id = "" }, request }) => {
        const fromStep = fromStepOf(request.body, { step: "from_step", id: "step_id" });
        const reply = await rerunRun(context, id, fromStep);
        if (!reply.ok) return refusalResponse(reply);
        return envelope(now(), toJsonText({ run_id: startedRunId(reply) }));
      },
    }),
  ];
}

async function cancel(context: ApiContext, runId: string): Promise<HttpResponse> {
  const { now } = context;
  const reply = await cancelRun(context, runId);
  if (!reply.ok) return refusalResponse(reply);
  return valueResponse(200, {
    data: { run_id: runId },
    metadata: { fetched_at: isoTime(now()), cached_until: null },
  });
}

const wireStatus: Readonly<Record<RunStatus, string>> = {
  queued: "Running",
  running: "Running",
  completed: "Completed",
  failed: "Failed",
  cancelled: "Cancelled",
  skipped: "Skipped",
};

/** A run as the REST API v1 writes it, its output spliced in. */
export async function runJson(queries: Queries, run: RunRecord): Promise<string> {
  const plain = {
    run_id: run.id,
    run_started_at: isoTime(run.startedAt ?? run.queuedAt),
    function_id: run.functionId,
    function_version: run.functionVersion,
    environment_id: environmentId,
    event_id: run.eventIds[0] ?? null,
    batch_id: run.batchId,
    original_run_id: run.originalRunId,
    cron: run.schedule?.line ?? null,
    status: wireStatus[run.status],
    ended_at: run.endedAt === null ? null : isoTime(run.endedAt),
    end_reason: run.endReason,
  };
  const { data, error } = runOutput(await queries.output(run), null);
  return spliced(plain, { output: data ?? error ?? jsonNull });
}
