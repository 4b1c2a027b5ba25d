// `GET /v0/runs/{id}/batch` and `/actions`: what an app fetches by itself when a request would
// have become too large (protocol.md 3, "large payloads").
import type { StoredRun } from "@pawl/engine/needs";
import { inputMemos } from "@pawl/engine/rules/memo";
import { writeEvent } from "@pawl/protocol/event-wire";
import { jsonResponse, type HttpResponse } from "../http/response.ts";
import type { Route } from "../http/router.ts";
import { runNotFound, type ApiContext } from "./context.ts";

const shared = {
  method: "GET",
  access: "signed",
  bodyBytesMax: 0,
  anyOrigin: false,
  startsWork: false,
} as const;

/** The routes for events and memoized steps of a run. */
export function runStateRoutes(context: ApiContext): readonly Route[] {
  return [
    {
      ...shared,
      pattern: "/v0/runs/:id/batch",
      handle: (request) => answer(context, request.params["id"] ?? "", eventsJson),
    },
    {
      ...shared,
      pattern: "/v0/runs/:id/actions",
      handle: (request) => answer(context, request.params["id"] ?? "", stepsJson),
    },
  ];
}

async function answer(
  context: ApiContext,
  runId: string,
  write: (run: StoredRun) => string,
): Promise<HttpResponse> {
  const [found] = await context.backend.store.load([{ kind: "run", runId }]);
  if (found === undefined || !("run" in found) || found.run === null) return runNotFound(runId);
  return jsonResponse(200, write(found.run));
}

function eventsJson(run: StoredRun): string {
  return `[${run.events.map(writeEvent).join(",")}]`;
}

function stepsJson(run: StoredRun): string {
  const memos = [...run.steps.map(({ id, memo }) => [id, memo]), ...inputMemos(run.jobs)];
  return `{${memos.map(([id, memo]) => `${JSON.stringify(id)}:${memo}`).join(",")}}`;
}
