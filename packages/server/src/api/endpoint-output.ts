// `GET /v1/http/runs/{runId}/output`: what a durable endpoint came to, for whoever called it, as soon as
// its run ends (protocol.md 6.3). The answer is that of the endpoint: made by an app, shown by us.
import { runOutput } from "../query/outputs.ts";
import { awaitRuns } from "../query/await-runs.ts";
import type { ShownRun } from "../query/queries.ts";
import { fromJsonText, type JsonText, type JsonValue } from "@pawl/protocol/json-text";
import { isJsonObject, type JsonObject } from "@pawl/protocol/object-reader";
import { z } from "zod";
import { httpProblem, problemResponse } from "../http/problem.ts";
import { jsonResponse, valueResponse, type HttpResponse } from "../http/response.ts";
import { runNotFound, type ApiContext } from "./context.ts";
import { endpoint, type DocumentedRoute } from "./endpoint.ts";

/** How long one request waits for the end of a run (protocol.md 6.3). */
const waitMs = 5 * 60_000;

const query = z.object({
  token: z.string().default("").describe("What the app got for the run."),
});

export function endpointOutputRoute(context: ApiContext): DocumentedRoute {
  let waiting = 0;
  const route = endpoint({
    method: "GET",
    pattern: "/v1/http/runs/:runId/output",
    access: "token",
    tag: "v1 runs",
    summary: "Wait for a durable endpoint, and get what it answers",
    query,
    isBare: true,
    handle: async ({ params, query: { token } }) => {
      const { connectionsMax } = context.realtime.limits;
      if (waiting >= connectionsMax) return crowded(connectionsMax);
      waiting += 1;
      try {
        return await output(context, params["runId"] ?? "", token);
      } finally {
        waiting -= 1;
      }
    },
  });
  return { ...route, anyOrigin: true };
}

/** Who waits here is one that follows, like a subscriber of realtime. */
function crowded(most: number): HttpResponse {
  const message = `This server has ${String(most)} requests already that wait for an output (--realtime-connections-max).`;
  return problemResponse(httpProblem(503, "overloaded", message));
}

async function output(context: ApiContext, runId: string, token: string): Promise<HttpResponse> {
  const refusal = await context.outputTokens.refusal(token, runId);
  if (refusal !== null) return problemResponse(refusal);
  const { queries, backend, after } = context;
  const onCommit: typeof backend.onCommit = (listener) => backend.onCommit(listener);
  const [shown] = await awaitRuns({ queries, onCommit, after }, [runId], waitMs);
  if (shown === undefined || shown === null) return runNotFound(runId);
  if (shown.run.endedAt !== null) {
    const { data, error } = runOutput(await queries.output(shown.run), null);
    return data === null ? failure(shown, error) : guarded(replay(data));
  }
  const message = `Run ${runId} has not ended within ${String(waitMs / 1_000)} s. Ask again: it goes on.`;
  return problemResponse({ status: 408, code: "run_not_ended", message });
}

function failure({ run }: ShownRun, error: JsonText | null): HttpResponse {
  const message = `Run ${run.id} has not come to an answer: it ${run.status === "failed" ? "failed" : `was ${run.status}`}.`;
  const details = error === null ? null : fromJsonText(error);
  return valueResponse(500, { error: message, status: 500, code: "run_failed", data: details });
}

/** The kept answer, if it is one; other data is answered as it is. */
function replay(data: JsonText): HttpResponse {
  const value = fromJsonText(data);
  const answer = isJsonObject(value) ? answerOf(value) : null;
  return answer ?? jsonResponse(200, data);
}

/** `{status_code, headers, body}`; the TypeScript SDK writes `status`. */
function answerOf(value: JsonObject): HttpResponse | null {
  const { status = value["status_code"], headers, body } = value;
  const isStatus = typeof status === "number" && Number.isInteger(status);
  if (!isStatus || status < 200 || status > 599 || typeof body !== "string") return null;
  const hasBody = status !== 204 && status !== 304;
  return { status, headers: headersOf(headers), body: hasBody ? body : "" };
}

/** Headers that speak of a connection, a place or a cookie of the endpoint, none of which are ours. */
const unfit =
  /^(?:connection|keep-alive|transfer-encoding|te|trailer|upgrade|content-length|content-encoding|set-cookie|clear-site-data|strict-transport-security|access-control-.*|proxy-.*|x-inngest-.*)$/;

function headersOf(headers: JsonValue | undefined): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of isJsonObject(headers) ? Object.entries(headers) : []) {
    const lower = name.toLowerCase();
    const isHeader = /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(lower) && !unfit.test(lower);
    if (isHeader && typeof value === "string" && /^[\t -~\u0080-\u00ff]*$/.test(value)) {
      kept[lower] = value;
    }
  }
  return kept;
}

/** Pages of apps must not act as pages of the server that shows them. */
function guarded(response: HttpResponse): HttpResponse {
  return {
    ...response,
    headers: {
      "content-type": "application/json",
      ...response.headers,
      "content-security-policy": "sandbox",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
    },
  };
}
