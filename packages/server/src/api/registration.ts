// `POST /fn/register` and `DELETE /fn/remove`: apps come and go (protocol.md 1.2, 1.6).
import { headerExpectedServerKind } from "@pawl/protocol/headers";
import { uuidFromName } from "@pawl/protocol/uuid";
import type { RouteRequest } from "../http/message.ts";
import { valueResponse, type HttpResponse } from "../http/response.ts";
import { httpProblem, problemResponse } from "../http/problem.ts";
import type { Route } from "../http/router.ts";
import { ServerError } from "../server-error.ts";
import { appUrlKey } from "../sync/app-url.ts";
import { refusalResponse, type ApiContext } from "./context.ts";

const bodyBytesMax = 8 * 1024 * 1024;

export function registrationRoutes(context: ApiContext): readonly Route[] {
  const shared = { anyOrigin: false, startsWork: true } as const;
  return [
    {
      ...shared,
      method: "POST",
      pattern: "/fn/register",
      access: "signed",
      bodyBytesMax,
      handle: (request) => register(context, request),
    },
    {
      ...shared,
      method: "DELETE",
      pattern: "/fn/remove",
      access: "apps:write",
      bodyBytesMax: 0,
      handle: (request) => remove(context, request),
    },
  ];
}

async function register(context: ApiContext, request: RouteRequest): Promise<HttpResponse> {
  const expected = request.header(headerExpectedServerKind);
  if (expected !== null && expected !== "" && expected !== context.kind) {
    const message = `Expected server kind ${expected}, got ${context.kind}`;
    return problemResponse(httpProblem(400, "server_kind_mismatch", message));
  }
  const reply = await context.registrar.register(request.body);
  if (!reply.ok) return refusalResponse(reply);
  if (reply.value.type !== "synced")
    throw new Error(`a sync was answered with ${reply.value.type}`);
  const { appId, modified } = reply.value;
  const syncId = uuidFromName(`sync:${appId}:${context.backend.hot.app(appId)?.checksum ?? ""}`);
  return valueResponse(200, { ok: true, modified, app_id: appId, sync_id: syncId });
}

async function remove(context: ApiContext, request: RouteRequest): Promise<HttpResponse> {
  const url = request.query.get("url");
  if (url === null || url === "")
    throw new ServerError("parameter_invalid", "The parameter url must name the app.");
  const key = appUrlKey(url);
  const apps = [...context.backend.hot.apps()].filter((app) => appUrlKey(app.url) === key);
  if (apps.length === 0) {
    return problemResponse({
      status: 404,
      code: "app_not_found",
      message: `No app is registered at ${url}.`,
    });
  }
  for (const app of apps) {
    const reply = await context.backend.submit({ type: "app.removed", appId: app.id });
    if (!reply.ok && reply.code !== "app_not_found") return refusalResponse(reply);
  }
  return valueResponse(200, { ok: true });
}
