// Asking an app to sync in the REST API v2 (protocol.md 8.3). A sync that fails keeps the shape of one
// that does not, with status 422.
import { z } from "zod";
import { toJsonText } from "@pawl/protocol/json-text";
import { uuidFromName } from "@pawl/protocol/uuid";
import type { HttpResponse } from "../../http/response.ts";
import type { Route } from "../../http/router.ts";
import { appAt } from "../../sync/sync-app.ts";
import type { ApiContext } from "../context.ts";
import { answer, noQuery, v2Endpoint } from "./wire.ts";

const outcome = z.object({
  id: z.string(),
  appId: z.string(),
  status: z.enum(["COMPLETED", "FAILED"]),
  error: z.object({ code: z.literal("app_sync_failed"), message: z.string() }).optional(),
});

/** `POST /apps/{appId}/syncs`. */
export function v2SyncRoutes(context: ApiContext): readonly Route[] {
  return v2Endpoint({
    method: "POST",
    tag: "v2 apps",
    pattern: "/apps/:appId/syncs",
    summary: "Ask an app to sync, now",
    access: "apps:write",
    query: noQuery,
    body: z.strictObject({ url: z.url({ protocol: /^https?$/ }).describe("Where it serves.") }),
    data: outcome,
    failureStatus: 422,
    startsWork: true,
    handle: ({ params: { appId = "" }, body: { url } }) => sync(context, appId, url),
  });
}

async function sync(context: ApiContext, appId: string, url: string): Promise<HttpResponse> {
  const trouble = (await context.syncApp(url)) ?? otherName(context, appId, url);
  const id = uuidFromName(`sync:${appId}:${String(context.now())}`);
  const data: z.infer<typeof outcome> =
    trouble === null
      ? { id, appId, status: "COMPLETED" }
      : { id, appId, status: "FAILED", error: { code: "app_sync_failed", message: trouble } };
  return answer(context.now(), toJsonText(data), { status: trouble === null ? 200 : 422 });
}

/** The app is in sync then, but it is not the one that was meant. */
function otherName({ backend }: ApiContext, appId: string, url: string): string | null {
  const app = appAt(backend.hot.apps(), url);
  if (app === undefined || app.name === appId || app.id === appId) return null;
  return `The app at ${url} calls itself "${app.name}", not "${appId}". It was synced under its own name.`;
}
