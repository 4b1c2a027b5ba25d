// `GET /dev`: what a development server is and knows (protocol.md 1.6). SDKs look here to find
// out whether one is running.
import type { AppRecord, FunctionRecord, Trigger } from "@pawl/engine/records";
import { valueResponse } from "../http/response.ts";
import type { Route } from "../http/router.ts";
import type { ApiContext } from "./context.ts";
import { version } from "./version.ts";

/** The route; it exists on development servers only. */
export function devInfoRoute(context: ApiContext): Route {
  return {
    method: "GET",
    pattern: "/dev",
    access: "dev",
    bodyBytesMax: 0,
    anyOrigin: true,
    startsWork: false,
    handle: () => {
      const apps = [...context.backend.hot.apps()];
      return valueResponse(200, {
        version,
        authed: false,
        startOpts: context.startOptions,
        functions: apps.flatMap((app) => app.functions.map(functionInfo)),
        handlers: apps.map(handlerInfo),
        isSingleNodeService: true,
        isMissingSigningKey: true,
        isMissingEventKeys: true,
        features: {},
      });
    },
  };
}

function functionInfo(fn: FunctionRecord): object {
  return {
    id: fn.id,
    name: fn.name,
    slug: fn.slug,
    triggers: fn.triggers.map(triggerInfo),
    steps: [{ id: "step", name: "step", uri: fn.url, retries: { attempts: fn.retries } }],
  };
}

function triggerInfo(trigger: Trigger): object {
  if (trigger.kind === "cron") return { cron: trigger.cron };
  return {
    event: trigger.event,
    ...(trigger.expression === null ? null : { expression: trigger.expression }),
  };
}

function handlerInfo(app: AppRecord): object {
  return {
    id: app.id,
    name: app.name,
    url: app.url,
    sdk: app.sdk,
    framework: app.framework,
    error: app.error,
    functions: app.functions.map((fn) => fn.slug),
  };
}
