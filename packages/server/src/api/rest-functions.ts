// `POST /v1/functions/{id}/pause` and `/resume`: people hold a function and let it go on. The id is the
// one people use, `<app>-<function>`.
import { functionNotFound } from "@pawl/engine/rules/replies";
import { isoTime } from "./envelope.ts";
import type { RouteRequest } from "../http/message.ts";
import { valueResponse, type HttpResponse } from "../http/response.ts";
import type { Route } from "../http/router.ts";
import { refusalResponse, type ApiContext } from "./context.ts";

type Action = "function.paused" | "function.resumed";

const shared = { access: "api", bodyBytesMax: 1_024, anyOrigin: false, startsWork: false } as const;

/** The routes that pause and resume one function. */
export function restFunctionRoutes(context: ApiContext): readonly Route[] {
  const route = (verb: string, type: Action): Route => ({
    ...shared,
    method: "POST",
    pattern: `/v1/functions/:id/${verb}`,
    handle: (request) => change(context, request, type),
  });
  return [route("pause", "function.paused"), route("resume", "function.resumed")];
}

async function change(
  context: ApiContext,
  request: RouteRequest,
  type: Action,
): Promise<HttpResponse> {
  const { backend, now } = context;
  const slug = request.params["id"] ?? "";
  const fn = backend.hot.functionBySlug(slug);
  const missing = functionNotFound(slug);
  const reply = fn === undefined ? missing : await backend.submit({ type, functionId: fn.id });
  if (!reply.ok) return refusalResponse(reply);
  return valueResponse(200, {
    data: { id: slug, paused: type === "function.paused" },
    metadata: { fetched_at: isoTime(now()), cached_until: null },
  });
}
