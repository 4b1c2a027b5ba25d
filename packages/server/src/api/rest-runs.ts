// `GET` and `DELETE /v1/runs/{id}` (protocol.md 8.2), and how a run is written there.
import { jsonNull } from "@pawl/protocol/json-text";
import type { RunRecord, RunStatus } from "@pawl/engine/records";
import { valueResponse, type HttpResponse } from "../http/response.ts";
import { runOutput } from "../query/outputs.ts";
import type { Queries } from "../query/queries.ts";
import { refusalResponse, runNotFound, type ApiContext } from "./context.ts";
import { endpoint, type DocumentedRoute } from "./endpoint.ts";
import { envelope, isoTime, spliced } from "./envelope.ts";
import { environmentId } from "./wire-ids.ts";

/** The routes that show and cancel one run. */
export function restRunRoutes(context: ApiContext): readonly DocumentedRoute[] {
  const { queries, now } = context;
  const shared = { pattern: "/v1/runs/:id", tag: "v1 runs" } as const;
  return [
    endpoint({
      ...shared,
      method: "GET",
      access: "runs:read",
      summary: "One run",
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
      handle: ({ params: { id = "" } }) => cancelRun(context, id),
    }),
  ];
}

async function cancelRun(context: ApiContext, runId: string): Promise<HttpResponse> {
  const { backend, now } = context;
  const reply = await backend.submit({
    type: "run.cancelled",
    runId,
    reason: "cancelled through the API",
  });
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
