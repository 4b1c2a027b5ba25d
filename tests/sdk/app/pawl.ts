// The words of the scenarios in our own SDK.
import {
  NonRetriableError,
  Pawl,
  referenceFunction,
  RetryAfterError,
  type FunctionSettings,
  type Middleware,
  type StepTools,
} from "pawl";
import { serve } from "pawl/node";
import type { Code, Context, Kit } from "./kit.ts";
import type { AppSettings } from "./messages.ts";
import { addedByMiddleware, type Sdk } from "./sdk.ts";

/** `note` tells the test. */
export function createSdk(settings: AppSettings, note: Kit["note"]): Sdk {
  const { keys, appId, serverUrl } = settings;
  const adding: Middleware<{ fromMiddleware: string }> = {
    name: "adding",
    context: () => ({ fromMiddleware: addedByMiddleware }),
    onStepStart: ({ id, call }) => note(`middleware ${call.functionId}`, id),
    transformInput: ({ call }, args) =>
      call.functionId === "middleware-order" ? args.map((arg) => `(${String(arg)})`) : args,
    transformOutput: ({ call }, value) =>
      call.functionId === "middleware-order" ? `<${String(value)}>` : value,
  };
  const line = (...parts: readonly unknown[]): void => note("log", parts.map(String).join(" "));
  const client = new Pawl({
    id: appId,
    baseUrl: serverUrl,
    isDev: keys === null,
    middleware: [adding],
    logger: { info: line, warn: line, error: line, debug: () => {} },
    ...(keys === null ? null : { eventKey: keys.eventKey, signingKey: keys.signingKey }),
    ...(typeof keys?.fallbackKey !== "string" ? null : { signingKeyFallback: keys.fallbackKey }),
  });
  const kit: Kit = {
    flavour: settings.flavour,
    appId,
    note,
    fn: ({ onFailure, ...options }, triggers, code) =>
      client.createFunction(
        {
          ...(options as FunctionSettings), // proof: the kit's options are a subset of the SDK's
          ...(onFailure === undefined ? null : { onFailure: asHandler(onFailure) }),
        },
        [triggers].flat(),
        asHandler(code),
      ),
    reference: (app, functionId) => referenceFunction({ appId: app, functionId }),
    nonRetriable: (message) => new NonRetriableError(message),
    retryAfter: (message, seconds) => new RetryAfterError(message, seconds),
    fetch: ({ step }, id, url, init) => {
      const own = step as unknown as StepTools; // proof: this SDK's steps
      return own.fetch(id, url, init);
    },
    deferring: null,
    race: (_context, branches) => Promise.race(branches()),
  };
  return {
    kit,
    send: (event) => client.send(event),
    serve: (functions) =>
      serve({
        client,
        functions: functions as Parameters<typeof serve>[0]["functions"], // proof: all made by `kit.fn`
      }),
  };
}

function asHandler(code: Code): (context: object) => unknown {
  return (context) => code(context as Context); // proof: the kit's context is a subset of the SDK's
}
