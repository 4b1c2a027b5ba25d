// `POST /invoke/{slug}`: starts a function by its id (protocol.md 4).
import { readInvocation } from "@pawl/protocol/event-wire";
import type { RouteRequest } from "../http/message.ts";
import { valueResponse, type HttpResponse } from "../http/response.ts";
import type { Route } from "../http/router.ts";
import { refusalResponse, type ApiContext } from "./context.ts";
import { eventLimits } from "./events.ts";

/** The body is an invocation: `{data?, user?, …}`, or nothing. */
export function invokeRoute(context: ApiContext): Route {
  return {
    method: "POST",
    pattern: "/invoke/:slug",
    access: "api",
    bodyBytesMax: context.limits.bodyBytesMax,
    anyOrigin: false,
    startsWork: true,
    handle: (request) => invoke(context, request),
  };
}

async function invoke(context: ApiContext, request: RouteRequest): Promise<HttpResponse> {
  const now = context.now();
  const event = readInvocation(request.body, {
    now,
    limits: eventLimits(context),
    id: context.ids.next(now),
  });
  const reply = await context.backend.submit({
    type: "run.invoked",
    functionSlug: request.params["slug"] ?? "",
    newRunId: null,
    event: { ...event, receivedAt: context.arrival(now) },
    parent: null,
  });
  if (!reply.ok) return refusalResponse(reply);
  const runId = reply.value.type === "started" ? reply.value.runId : null;
  return valueResponse(200, { id: event.id, run_id: runId, status: 200 });
}
