// `POST /v1/checkpoint` and `/v1/checkpoint/{runId}/steps`: an app tells of runs that it began by itself,
// because somebody called one of its durable endpoints (protocol.md 6.3).
import type { Reply } from "@pawl/engine/decision";
import type { EndpointRegistered } from "@pawl/engine/endpoint-commands";
import {
  httpRequestEventName,
  readEndpointRun,
  readEndpointSteps,
  type EndpointRequest,
  type EndpointRun,
} from "@pawl/protocol/endpoint-wire";
import { toJsonText } from "@pawl/protocol/json-text";
import { uuidFromName } from "@pawl/protocol/uuid";
import type { RouteRequest } from "../http/message.ts";
import { problemResponse } from "../http/problem.ts";
import { valueResponse, type HttpResponse } from "../http/response.ts";
import type { Route } from "../http/router.ts";
import { serverTopics } from "../realtime/topics.ts";
import { refusalResponse, type ApiContext } from "./context.ts";

/** The routes under both of their prefixes. A stopping server still takes what its runs bring. */
export function endpointRunRoutes(context: ApiContext): readonly Route[] {
  const shared = {
    method: "POST",
    access: "signed",
    bodyBytesMax: context.limits.bodyBytesMax,
    anyOrigin: false,
  } as const;
  return ["/v1/checkpoint", "/v1/http/runs"].flatMap((prefix) => [
    {
      ...shared,
      pattern: prefix,
      startsWork: true,
      handle: (request) => begin(context, request),
    },
    {
      ...shared,
      pattern: `${prefix}/:runId/steps`,
      startsWork: false,
      handle: (request) => goOn(context, request),
    },
  ]);
}

async function begin(context: ApiContext, request: RouteRequest): Promise<HttpResponse> {
  const run = readEndpointRun(request.body, context.limits.eventBytesMax);
  const { origin } = run.request;
  if (!mayBeCalled(context, origin)) return foreign(origin);
  const endpoint = endpointOf(context, run, request.header("x-inngest-sdk") ?? "");
  const kept = await keepEndpoint(context, endpoint);
  if (kept?.ok === false) return refusalResponse(kept);
  const { runId, requestVersion, opcodes } = run;
  const now = context.now();
  const reply = await context.backend.submit({
    type: "endpoint.called",
    runId,
    functionId: endpoint.fn.id,
    event: {
      id: context.ids.next(now),
      name: httpRequestEventName,
      externalId: null,
      ts: run.ts ?? now,
      receivedAt: context.arrival(now),
      data: run.data,
      user: null,
      version: null,
      meta: null,
    },
    requestVersion,
    opcodes,
  });
  if (!reply.ok) return refusalResponse(reply);
  const { tokens } = context.realtime;
  const stream = { kind: "run", channel: runId, name: serverTopics.stream } as const;
  const data = {
    fn_id: endpoint.fn.id,
    app_id: endpoint.app.id,
    run_id: runId,
    token: await context.outputTokens.issue(runId, now),
    realtime_token: await tokens.issue([stream]),
  };
  const answer = valueResponse(200, { data });
  return { ...answer, headers: { ...answer.headers, "cache-control": "no-store" } };
}

/** The app believes what a request says of its host; whoever sends it could have us call anything. */
function mayBeCalled({ kind, endpointOrigins }: ApiContext, origin: string): boolean {
  const isAny = kind === "dev" && endpointOrigins.length === 0;
  return isAny || endpointOrigins.includes(origin);
}

function foreign(origin: string): HttpResponse {
  const message = `Endpoints at ${origin} are not called by this server. Add the origin to --endpoint-origins, or fix the one that the app serves at (INNGEST_SERVE_ORIGIN).`;
  return problemResponse({ status: 403, code: "endpoint_origin_refused", message });
}

async function goOn(context: ApiContext, request: RouteRequest): Promise<HttpResponse> {
  const runId = request.params["runId"] ?? "";
  const opcodes = readEndpointSteps(request.body);
  const reply = await context.backend.submit({ type: "endpoint.progressed", runId, opcodes });
  return reply.ok ? valueResponse(200, { data: { run_id: runId } }) : refusalResponse(reply);
}

type Endpoint = Pick<EndpointRegistered, "app" | "fn">;

/** Its ids follow from origin, method and path, or from the id that the app gave it. */
function endpointOf(context: ApiContext, run: EndpointRun, sdk: string): Endpoint {
  const { request } = run;
  const { origin } = request;
  const name = request.functionId ?? `${request.method} ${request.path}`;
  const slug = `${origin}-${name}`;
  const retries = run.retries ?? context.backend.hot.settings.retriesDefault;
  return {
    app: { id: uuidFromName(`endpoints:${origin}`), name: origin, url: origin, sdk },
    fn: {
      id: uuidFromName(`function:${slug}`),
      slug,
      name,
      url: urlOf(request),
      retries,
      config: toJsonText({ id: slug, name, triggers: [], retries: { attempts: retries } }),
    },
  };
}

/** An id may stand for many paths; one of them would say nothing. */
function urlOf({ origin, path, functionId }: EndpointRequest): string {
  return functionId === null ? origin + path : origin;
}

/** Registers an endpoint that is new or has changed; null: it is known as it is. */
async function keepEndpoint({ backend }: ApiContext, { app, fn }: Endpoint): Promise<Reply | null> {
  if (backend.hot.functionById(fn.id)?.config === fn.config) return null;
  return backend.submit({ type: "endpoint.registered", app, fn });
}
