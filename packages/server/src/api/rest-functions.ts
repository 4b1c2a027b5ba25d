// `GET /v1/functions` and `/v1/apps/{name}/functions` (protocol.md 8.2).
import { z } from "zod";
import type { AppRecord, FunctionRecord, Trigger } from "@pawl/engine/records";
import { toJsonText } from "@pawl/protocol/json-text";
import { httpProblem, problemResponse } from "../http/problem.ts";
import { functionConfig } from "../query/function-config.ts";
import type { ApiContext } from "./context.ts";
import { endpoint, type DocumentedRoute } from "./endpoint.ts";
import { envelope } from "./envelope.ts";
import { limitSchema } from "./schemas.ts";
import { timeOrNull } from "./words.ts";

const tag = "v1 functions";

const functionSchema = z.object({
  id: z.string(),
  name: z.string(),
  slug: z.string(),
  app_id: z.string(),
  app_name: z.string(),
  triggers: z.array(z.object({ type: z.enum(["EVENT", "CRON"]), value: z.string() })),
  config: z.object({
    retries: z.int(),
    concurrency: z.json(),
    rate_limit: z.json(),
    batch_size: z.int().nullable(),
  }),
});

const time = z.iso.datetime();
const appSchema = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  sdk: z.string(),
  framework: z.string().nullable(),
  error: z.string().nullable(),
  created_at: time,
  updated_at: time,
  functions: z.array(functionSchema),
});

/** The routes that show functions. */
export function restFunctionRoutes(context: ApiContext): readonly DocumentedRoute[] {
  const { queries, now } = context;
  return [
    endpoint({
      method: "GET",
      access: "apps:read",
      pattern: "/v1/functions",
      tag,
      summary: "Functions of all apps",
      query: z.object({ first: limitSchema(20, 400) }),
      data: z.object({ functions: z.array(functionSchema), has_more: z.boolean() }),
      handle: ({ query }) => {
        const all = queries.functions();
        const functions = all.slice(0, query.first).map(({ fn, app }) => functionJson(fn, app));
        const data = { functions, has_more: all.length > query.first };
        return envelope(now(), toJsonText(data));
      },
    }),
    endpoint({
      method: "GET",
      access: "apps:read",
      pattern: "/v1/apps/:name/functions",
      tag,
      summary: "An app and its functions, by the name of the app",
      data: appSchema,
      handle: ({ params: { name = "" } }) => {
        const app = queries.app(name);
        if (app === null) {
          const message = `There is no app ${name}.`;
          return problemResponse(httpProblem(404, "app_not_found", message));
        }
        return envelope(now(), toJsonText(appJson(app)));
      },
    }),
  ];
}

function appJson(app: AppRecord): object {
  return {
    id: app.id,
    name: app.name,
    url: app.url,
    sdk: app.sdk,
    framework: app.framework,
    error: app.error,
    created_at: timeOrNull(app.createdAt),
    updated_at: timeOrNull(app.updatedAt),
    functions: app.functions.map((fn) => functionJson(fn, app)),
  };
}

function functionJson(fn: FunctionRecord, app: AppRecord): object {
  const { concurrency, rateLimit, batchSize } = functionConfig(fn);
  return {
    id: fn.id,
    name: fn.name,
    slug: fn.slug,
    app_id: app.id,
    app_name: app.name,
    triggers: fn.triggers.map(triggerJson),
    config: {
      retries: fn.retries,
      concurrency,
      rate_limit: rateLimit,
      batch_size: batchSize,
    },
  };
}

function triggerJson(trigger: Trigger): { type: "EVENT" | "CRON"; value: string } {
  return trigger.kind === "cron"
    ? { type: "CRON", value: trigger.cron }
    : { type: "EVENT", value: trigger.event };
}
