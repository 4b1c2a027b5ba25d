// `POST /v1/checkpoint/{runId}/async`: an app reports finished steps while its call goes on
// (protocol.md 6.2).
import { readCheckpoint } from "@pawl/protocol/checkpoint-wire";
import type { RouteRequest } from "../http/message.ts";
import { valueResponse, type HttpResponse } from "../http/response.ts";
import type { Route } from "../http/router.ts";
import { refusalResponse, type ApiContext } from "./context.ts";

/** The route under both of its prefixes. A stopping server still takes what its calls bring. */
export function checkpointRoutes(context: ApiContext): readonly Route[] {
  return ["/v1/checkpoint/:runId/async", "/v1/http/runs/:runId/async"].map((pattern) => ({
    method: "POST",
    pattern,
    access: "signed",
    bodyBytesMax: context.limits.bodyBytesMax,
    anyOrigin: false,
    startsWork: false,
    handle: (request) => receive(context, request),
  }));
}

async function receive(context: ApiContext, request: RouteRequest): Promise<HttpResponse> {
  const runId = request.params["runId"] ?? "";
  const { qiId, requestId, opcodes } = readCheckpoint(request.body);
  const reply = await context.backend.submit({
    type: "checkpoint.received",
    runId,
    jobId: qiId,
    requestId,
    opcodes,
  });
  return reply.ok ? valueResponse(200, { data: { run_id: runId } }) : refusalResponse(reply);
}
