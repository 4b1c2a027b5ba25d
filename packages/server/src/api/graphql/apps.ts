// Apps and functions as GraphQL objects.
import { functionConfig } from "../../query/function-config.ts";
import type { AppRecord, FunctionRecord } from "@pawl/engine/records";
import { isJsonObject } from "@pawl/protocol/object-reader";

/** The `App` of a record. */
export function appObject(app: AppRecord): object {
  // `js:v4.24.0`: language and version.
  const [sdkLanguage = "", sdkVersion = ""] = app.sdk.split(":v");
  return {
    id: app.id,
    externalID: app.name,
    name: app.name,
    url: app.url,
    sdkLanguage,
    sdkVersion,
    framework: app.framework,
    platform: app.platform,
    checksum: app.checksum,
    error: app.error,
    connected: app.error === null,
    functions: () => app.functions.map((fn) => functionObject(fn, app)),
    functionCount: app.functions.length,
    autodiscovered: false,
    appVersion: app.appVersion,
    method: "SERVE",
  };
}

/** The `Function` of a record. */
export function functionObject(fn: FunctionRecord, app: AppRecord): object {
  return {
    id: fn.id,
    name: fn.name,
    slug: fn.slug,
    config: fn.config,
    concurrency: concurrencyOf(fn),
    triggers: fn.triggers.map((trigger) =>
      trigger.kind === "cron"
        ? { type: "CRON", value: trigger.cron, condition: null }
        : { type: "EVENT", value: trigger.event, condition: trigger.expression },
    ),
    url: fn.url,
    appID: app.name,
    app: () => appObject(app),
    isPaused: fn.pausedAt !== null,
    retries: fn.retries,
  };
}

/** The lowest of its limits; 0: there is none. */
function concurrencyOf(fn: FunctionRecord): number {
  const limits = functionConfig(fn).concurrency.flatMap((one) =>
    isJsonObject(one) && typeof one["limit"] === "number" && one["limit"] > 0 ? [one["limit"]] : [],
  );
  return limits.length === 0 ? 0 : Math.min(...limits);
}
