// `POST /invoke/{slug}`: starts a function by its id (protocol.md 4).
import { startFunction } from "./accept.ts";
import type { RouteRequest } from "../http/message.ts";
import { valueResponse, type HttpResponse } from "../http/response.ts";
import type { Route } from "../http/router.ts";
import { refusalResponse, type ApiContext } from "./context.ts";

/** The body is an invocation: `{data?, user?, …}`, or nothing. */
export function invokeRoute(context: ApiContext): Route {
  return {
    method: "POST",
    pattern: "/invoke/:slug",
    access: "runs:write",
    bodyBytesMax: context.limits.bodyBytesMax,
    anyOrigin: false,
    startsWork: true,
    handle: (request) => invoke(context, request),
  };
}

async function invoke(context: ApiContext, request: RouteRequest): Promise<HttpResponse> {
  const reply = await startFunction(context, request.params["slug"] ?? "", request.body);
  if (!reply.ok) return refusalResponse(reply);
  const started = reply.value.type === "started" ? reply.value : null;
  return valueResponse(200, {
    id: started?.eventId ?? null,
    run_id: started?.runId ?? null,
    status: 200,
  });
}
