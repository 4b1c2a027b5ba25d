// `POST /v1/functions/{id}/pause` and `/resume`: people hold a function and let it go on. The id is the
// one people use, `<app>-<function>`.
import { functionNotFound } from "@pawl/engine/rules/replies";
import { toJsonText } from "@pawl/protocol/json-text";
import type { HttpResponse } from "../http/response.ts";
import { pausedSchema } from "./answer-schemas.ts";
import { refusalResponse, type ApiContext } from "./context.ts";
import { endpoint, type DocumentedRoute } from "./endpoint.ts";
import { envelope } from "./envelope.ts";

type Action = "function.paused" | "function.resumed";

/** The routes that pause and resume one function. */
export function restFunctionPauseRoutes(context: ApiContext): readonly DocumentedRoute[] {
  const route = (verb: string, summary: string, type: Action): DocumentedRoute =>
    endpoint({
      method: "POST",
      access: "functions:write",
      pattern: `/v1/functions/:id/${verb}`,
      tag: "v1 functions",
      summary,
      data: pausedSchema,
      handle: ({ params: { id = "" } }) => change(context, id, type),
    });
  return [
    route("pause", "Hold a function: its runs wait to begin", "function.paused"),
    route("resume", "Let a function go on", "function.resumed"),
  ];
}

async function change(context: ApiContext, slug: string, type: Action): Promise<HttpResponse> {
  const { backend, now } = context;
  const fn = backend.hot.functionBySlug(slug);
  const missing = functionNotFound(slug);
  const reply = fn === undefined ? missing : await backend.submit({ type, functionId: fn.id });
  if (!reply.ok) return refusalResponse(reply);
  return envelope(now(), toJsonText({ id: slug, paused: type === "function.paused" }));
}
