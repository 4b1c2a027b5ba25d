// The words of the scenarios in `inngest` 3.
import {
  Inngest,
  InngestMiddleware,
  NonRetriableError,
  referenceFunction,
  RetryAfterError,
} from "inngest3";
import { serve } from "inngest3/node";
import type { Code, Context, Kit, Trigger } from "./kit.ts";
import type { AppSettings } from "./messages.ts";
import { addedByMiddleware, type Sdk } from "./sdk.ts";

/** `note` tells the test. */
export function createSdk(settings: AppSettings, note: Kit["note"]): Sdk {
  const { keys, appId, serverUrl } = settings;
  const adding = new InngestMiddleware({
    name: "adding",
    init: () => ({
      onFunctionRun: ({ fn }) => ({
        transformInput: () => ({ ctx: { fromMiddleware: addedByMiddleware } }),
        transformOutput: ({ step }) => {
          if (String(step?.op) === "StepRun") note(`middleware ${fn.id(appId)}`, step?.displayName);
        },
      }),
    }),
  });
  const line = (...parts: readonly unknown[]): void => note("log", parts.map(String).join(" "));
  const client = new Inngest({
    id: appId,
    baseUrl: serverUrl,
    isDev: keys === null,
    middleware: [adding],
    logger: { info: line, warn: line, error: line, debug: () => {} },
    ...(keys === null ? null : { eventKey: keys.eventKey }),
  });
  const kit: Kit = {
    flavour: settings.flavour,
    appId,
    note,
    fn: ({ onFailure, ...options }, triggers, code) =>
      client.createFunction(
        {
          ...options,
          ...(onFailure === undefined ? null : { onFailure: asHandler(onFailure) }),
        } as Parameters<typeof client.createFunction>[0], // proof: the kit's options are a subset of the SDK's
        listOf(triggers),
        asHandler(code),
      ),
    reference: (app, functionId) => referenceFunction({ appId: app, functionId }),
    nonRetriable: (message) => new NonRetriableError(message),
    retryAfter: (message, seconds) => new RetryAfterError(message, seconds * 1_000),
    fetch: ({ step }, _id, url, init) => {
      const own = step as unknown as { fetch: typeof fetch }; // proof: this SDK's steps have it
      return own.fetch(url, init);
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
        streaming: settings.streaming ? "force" : false,
        ...(keys === null ? null : { signingKey: keys.signingKey }),
        ...(typeof keys?.fallbackKey !== "string"
          ? null
          : { signingKeyFallback: keys.fallbackKey }),
      }),
  };
}

type Triggers = Parameters<Inngest["createFunction"]>[1];

function listOf(triggers: Trigger | readonly Trigger[]): Triggers {
  return [triggers].flat();
}

function asHandler(code: Code): (context: object) => unknown {
  return (context) => code(context as Context); // proof: the kit's context is a subset of the SDK's
}
