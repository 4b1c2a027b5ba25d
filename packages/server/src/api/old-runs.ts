// `DELETE /v0/runs/{id}` and `GET /v0/events/{id}/runs`: addresses from before the REST API v1
// (protocol.md 8.1).
import { jsonResponse } from "../http/response.ts";
import type { Route } from "../http/router.ts";
import { refusalResponse, type ApiContext } from "./context.ts";
import { runJson } from "./rest-runs.ts";
import { cancelRun } from "./run-actions.ts";

const runsPerEventMax = 100;
const shared = { bodyBytesMax: 0, anyOrigin: false, startsWork: false } as const;

/** The routes of before. */
export function oldRunRoutes(context: ApiContext): readonly Route[] {
  const { queries } = context;
  return [
    {
      ...shared,
      method: "DELETE",
      access: "runs:write",
      pattern: "/v0/runs/:id",
      handle: async ({ params }) => {
        const reply = await cancelRun(context, params["id"] ?? "");
        return reply.ok ? { status: 204, headers: {}, body: "" } : refusalResponse(reply);
      },
    },
    {
      ...shared,
      method: "GET",
      access: "runs:read",
      pattern: "/v0/events/:id/runs",
      handle: async ({ params }) => {
        const runs = await queries.runsOfEvent(params["id"] ?? "", runsPerEventMax);
        const texts = await Promise.all(runs.map(({ run }) => runJson(queries, run)));
        return jsonResponse(200, `[${texts.join(",")}]`);
      },
    },
  ];
}
