// `GET` and `DELETE /v1/runs/{id}` (protocol.md 8.2), and how a run is written there.
import { sliceObject } from "@pawl/protocol/json-span";
import { jsonNull, type JsonText } from "@pawl/protocol/json-text";
import type { RunRecord, RunStatus } from "@pawl/engine/records";
import type { Store } from "@pawl/store/store";
import { valueResponse, type HttpResponse } from "../http/response.ts";
import { problemResponse } from "../http/problem.ts";
import type { Route } from "../http/router.ts";
import { refusalResponse, type ApiContext } from "./context.ts";
import { envelope, isoTime, spliced } from "./envelope.ts";
import { environmentId } from "./wire-ids.ts";

const shared = { access: "api", bodyBytesMax: 0, anyOrigin: false, startsWork: false } as const;

/** The routes that show and cancel one run. */
export function restRunRoutes(context: ApiContext): readonly Route[] {
  return [
    {
      ...shared,
      method: "GET",
      pattern: "/v1/runs/:id",
      handle: (request) => oneRun(context, request.params["id"] ?? ""),
    },
    {
      ...shared,
      method: "DELETE",
      pattern: "/v1/runs/:id",
      handle: (request) => cancelRun(context, request.params["id"] ?? ""),
    },
  ];
}

async function oneRun(context: ApiContext, runId: string): Promise<HttpResponse> {
  const [found] = await context.backend.store.load([{ kind: "run", runId }]);
  if (found === undefined || !("run" in found) || found.run === null) return runNotFound(runId);
  return envelope(context.now(), await runJson(context.backend.store, found.run.run));
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

/** The answer for a run that does not exist, in the words of the engine's own code. */
export function runNotFound(runId: string): HttpResponse {
  return problemResponse({
    status: 404,
    code: "run_not_found",
    message: `There is no run ${runId}.`,
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
export async function runJson(store: Store, run: RunRecord): Promise<string> {
  const plain = {
    run_id: run.id,
    run_started_at: isoTime(run.startedAt ?? run.queuedAt),
    function_id: run.functionId,
    function_version: run.functionVersion,
    environment_id: environmentId,
    event_id: run.eventIds[0] ?? null,
    batch_id: run.batchId,
    original_run_id: run.originalRunId,
    cron: null,
    status: wireStatus[run.status],
    ended_at: run.endedAt === null ? null : isoTime(run.endedAt),
  };
  const output =
    run.endedAt === null ? null : await store.list<"output">({ type: "output", runId: run.id });
  return spliced(plain, { output: bareOutput(output) });
}

/** The result or the error itself, out of the `{"data"}` or `{"error"}` it is stored in. */
function bareOutput(output: JsonText | null): JsonText {
  if (output === null) return jsonNull;
  const members = sliceObject(output);
  return members.get("data") ?? members.get("error") ?? jsonNull;
}
