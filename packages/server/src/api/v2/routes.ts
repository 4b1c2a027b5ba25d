// The table of the REST API v2 (protocol.md 8.3): what this server does, and what it says with
// status 501 that it does not do, mostly parts of a hosted product.
import { z } from "zod";
import { toJsonText } from "@pawl/protocol/json-text";
import { httpProblem } from "../../http/problem.ts";
import type { Route } from "../../http/router.ts";
import type { ApiContext } from "../context.ts";
import { v2EventRoutes } from "./events.ts";
import { v2FunctionRoutes } from "./functions.ts";
import { v2RunRoutes } from "./runs.ts";
import { v2ScoreRoutes } from "./scores.ts";
import { v2SyncRoutes } from "./syncs.ts";
import { answer, noQuery, refuse, v2Endpoint } from "./wire.ts";

/** Every route of the REST API v2. */
export function v2Routes(context: ApiContext): readonly Route[] {
  return [
    ...v2Endpoint({
      method: "GET",
      tag: "v2 server",
      pattern: "/health",
      summary: "Whether the server is up",
      query: noQuery,
      access: "public",
      data: z.object({ status: z.literal("ok") }),
      handle: () => answer(context.now(), toJsonText({ status: "ok" })),
    }),
    ...v2RunRoutes(context),
    ...v2ScoreRoutes(context),
    ...v2FunctionRoutes(context),
    ...v2EventRoutes(context),
    ...v2SyncRoutes(context),
    ...unavailable(),
  ];
}

type Method = Route["method"];

const missing: readonly (readonly [methods: readonly Method[], pattern: string])[] = [
  [["GET"], "/account"],
  [["GET"], "/apps/:appId/functions/:functionId/experiments"],
  [["GET"], "/apps/:appId/functions/:functionId/experiments/:experimentId"],
  [["GET"], "/sessions"],
  [["GET"], "/sessions/:key"],
  [["GET"], "/sessions/:key/:id/runs"],
  [["GET"], "/experiments"],
  [["GET"], "/insights/tables"],
  [["GET"], "/insights/events/schemas"],
  [["POST"], "/insights/query"],
  [["POST"], "/insights/query/prompt"],
  [["GET", "POST"], "/envs"],
  [["PATCH"], "/envs/:id"],
  [["GET"], "/keys/events"],
  [["GET"], "/keys/signing"],
  [["GET", "POST"], "/env/webhooks"],
  [["GET", "POST"], "/partner/accounts"],
  [["GET", "POST"], "/sandboxes"],
  [["GET", "DELETE"], "/sandboxes/:id"],
  [["POST"], "/sandboxes/:id/exec"],
  [["POST"], "/sandboxes/:id/pause"],
  [["POST"], "/sandboxes/:id/resume"],
  [["POST"], "/sandboxes/:id/snapshots"],
  [["GET", "POST"], "/sandboxes/:id/processes"],
  [["GET"], "/sandboxes/:id/processes/:pid"],
  [["POST"], "/sandboxes/:id/processes/:pid/signals"],
  [["POST"], "/sandboxes/:id/processes/:pid/wait"],
  [["GET"], "/sandboxes/:id/processes/:pid/output"],
  [["GET"], "/sandboxes/:id/processes/:pid/output/stream"],
  [["GET", "PUT"], "/sandboxes/:id/files"],
  [["GET"], "/sandboxes/:id/logs"],
  [["GET"], "/snapshots"],
  [["GET", "DELETE"], "/snapshots/:id"],
];

function unavailable(): readonly Route[] {
  return missing.flatMap(([methods, pattern]) =>
    ["/v2", "/api/v2"].flatMap((prefix) =>
      methods.map((method) => ({
        method,
        pattern: prefix + pattern,
        access: "admin" as const,
        bodyBytesMax: 0,
        anyOrigin: false,
        startsWork: false,
        refuse,
        handle: () =>
          refuse(
            httpProblem(501, "not_implemented", `${prefix}${pattern} is not part of this server.`),
          ),
      })),
    ),
  );
}
