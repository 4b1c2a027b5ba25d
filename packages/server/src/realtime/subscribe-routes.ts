// The routes by which one subscribes (protocol.md 5.9): a token from the server that has a key, and
// with it a WebSocket or an event stream from anywhere. It must not know who publishes.
import { z } from "zod";
import type { ApiContext } from "../api/context.ts";
import { endpoint, type DocumentedRoute } from "../api/endpoint.ts";
import type { RouteRequest } from "../http/message.ts";
import { httpProblem, problemResponse, type Problem } from "../http/problem.ts";
import { valueResponse, type HttpResponse } from "../http/response.ts";
import type { Upgrade } from "../http/web-socket.ts";
import { requestBytesMax } from "./limits.ts";
import { subscribeEvents } from "./sse-line.ts";
import { topicsSchema } from "./topics-schema.ts";
import type { Topic } from "./topics.ts";
import { subscribeSocket } from "./websocket-line.ts";

const tag = "v1 realtime";
const tokenQuery = z.object({
  token: z.string().default("").describe("From `POST /v1/realtime/token`, at most a minute old."),
});

/** `token`, `connect` and `sse`. */
export function subscribeRoutes(context: ApiContext): readonly DocumentedRoute[] {
  return [tokenRoute(context), connectRoute(context), eventsRoute(context)];
}

function tokenRoute({ realtime }: ApiContext): DocumentedRoute {
  return endpoint({
    method: "POST",
    pattern: "/v1/realtime/token",
    access: "realtime:read",
    tag,
    summary: "Get a token with which to subscribe, for a minute",
    body: topicsSchema(realtime.limits),
    bodyBytesMax: requestBytesMax,
    data: z.object({ jwt: z.string() }),
    isBare: true,
    status: 201,
    startsWork: true,
    handle: async ({ body }) => {
      const answer = valueResponse(201, { jwt: await realtime.tokens.issue(body) });
      return { ...answer, headers: { ...answer.headers, "cache-control": "no-store" } };
    },
  });
}

function connectRoute(context: ApiContext): DocumentedRoute {
  const { realtime, now } = context;
  const { hub, limits, tokens } = realtime;
  const parts = { hub, limits, now, readToken: (token: string) => tokens.read(token) };
  const route = endpoint({
    method: "GET",
    pattern: "/v1/realtime/connect",
    access: "token",
    tag,
    summary: "Subscribe over a WebSocket",
    query: tokenQuery,
    isBare: true,
    status: 101,
    startsWork: true,
    handle: async ({ request }) => {
      const admitted = await admit(context, request);
      if (!admitted.ok) return problemResponse(admitted.problem);
      const message = "Ask for a WebSocket here, or use GET /v1/realtime/sse.";
      const refusal = problemResponse(httpProblem(426, "upgrade_required", message));
      return { ...refusal, headers: { ...refusal.headers, upgrade: "websocket" } };
    },
  });
  const upgrade = async (request: RouteRequest): Promise<HttpResponse | Upgrade> => {
    const admitted = await admit(context, request);
    if (!admitted.ok) return problemResponse(admitted.problem);
    const open: Upgrade["open"] = (peer) => subscribeSocket(parts, peer, admitted.topics);
    return { messageBytesMax: requestBytesMax, open };
  };
  return { ...route, anyOrigin: true, upgrade };
}

function eventsRoute(context: ApiContext): DocumentedRoute {
  const { realtime, clock } = context;
  const { hub, limits } = realtime;
  const route = endpoint({
    method: "GET",
    pattern: "/v1/realtime/sse",
    access: "token",
    tag,
    summary: "Subscribe to an event stream",
    query: tokenQuery,
    isBare: true,
    startsWork: true,
    handle: async ({ request }) => {
      const admitted = await admit(context, request);
      if (!admitted.ok) return problemResponse(admitted.problem);
      return subscribeEvents({ hub, limits, clock }, admitted.topics);
    },
  });
  return { ...route, anyOrigin: true };
}

type Admitted =
  | { readonly ok: true; readonly topics: readonly Topic[] }
  | { readonly ok: false; readonly problem: Problem };

async function admit({ realtime }: ApiContext, { query }: RouteRequest): Promise<Admitted> {
  const { hub, limits, tokens } = realtime;
  const reading = await tokens.read(query.get("token") ?? "");
  if (!reading.ok || hub.hasRoom) return reading;
  const message = `This server has ${String(limits.connectionsMax)} subscribers already (--realtime-connections-max).`;
  return { ok: false, problem: httpProblem(503, "overloaded", message) };
}
