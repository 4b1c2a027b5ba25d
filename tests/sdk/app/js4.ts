// The words of the scenarios in `inngest` 4.
import {
  Inngest,
  Middleware,
  NonRetriableError,
  referenceFunction,
  RetryAfterError,
} from "inngest";
import {
  createDefer,
  createScorer,
  metadataMiddleware,
  scoreMiddleware,
} from "inngest/experimental";
import { serve } from "inngest/node";
import type { Code, Context, Deferring, Kit } from "./kit.ts";
import type { AppSettings } from "./messages.ts";
import { addedByMiddleware, type Sdk } from "./sdk.ts";

/** `note` tells the test. */
export function createSdk(settings: AppSettings, note: Kit["note"]): Sdk {
  const { keys, appId, serverUrl } = settings;
  class Adding extends Middleware.BaseMiddleware {
    readonly id = "adding";
    override transformFunctionInput(args: Middleware.TransformFunctionInputArgs) {
      return { ...args, ctx: { ...args.ctx, fromMiddleware: addedByMiddleware } };
    }
    override onStepStart({ fn, stepInfo }: Middleware.OnStepStartArgs): void {
      note(`middleware ${fn.id()}`, stepInfo.options.id);
    }
  }
  const line = (...parts: readonly unknown[]): void => note("log", parts.map(String).join(" "));
  const client = new Inngest({
    id: appId,
    baseUrl: serverUrl,
    isDev: keys === null,
    checkpointing: settings.flavour === "js4",
    middleware: [Adding, metadataMiddleware(), scoreMiddleware()],
    logger: { info: line, warn: line, error: line, debug: () => {} },
    ...(keys === null ? null : { eventKey: keys.eventKey, signingKey: keys.signingKey }),
    ...(typeof keys?.fallbackKey !== "string" ? null : { signingKeyFallback: keys.fallbackKey }),
  });
  const kit: Kit = {
    flavour: settings.flavour,
    appId,
    client,
    note,
    fn: ({ onFailure, ...options }, triggers, code) =>
      client.createFunction(
        {
          ...options,
          ...(onFailure === undefined ? null : { onFailure: asHandler(onFailure) }),
          triggers: [triggers].flat(),
        } as Parameters<typeof client.createFunction>[0], // proof: the kit's options are a subset of the SDK's
        asHandler(code),
      ),
    reference: (app, functionId) => referenceFunction({ appId: app, functionId }),
    nonRetriable: (message) => new NonRetriableError(message),
    retryAfter: (message, seconds) => new RetryAfterError(message, seconds * 1_000),
    fetch: ({ step }, _id, url, init) => {
      const own = step as unknown as { fetch: typeof fetch }; // proof: this SDK's steps have it
      return own.fetch(url, init);
    },
    deferring: deferringOf(client),
    race: (context, branches) => {
      const { group } = context as unknown as { group: Group }; // proof: this SDK's context has it
      return group.parallel({ mode: "race" }, () => Promise.race(branches()));
    },
  };
  return {
    kit,
    send: (event) => client.send(event),
    serve: (functions) =>
      serve({
        client,
        functions: functions as Parameters<typeof serve>[0]["functions"], // proof: all made by `kit.fn`
        streaming: settings.streaming,
      }),
  };
}

function deferringOf(client: Inngest): Deferring {
  type Options = Parameters<typeof createDefer>[1];
  return {
    deferred: (options, code) =>
      createDefer(
        client,
        options as Options, // proof: the kit's options are a subset of the SDK's
        (context) => code(context as never), // proof: so are its contexts
      ),
    scorer: (options, code) =>
      createScorer(
        client,
        options as Options, // proof: the kit's options are a subset of the SDK's
        (context) => code(context as never), // proof: so are its contexts
      ),
    defer: (context, id, options) => {
      // proof: this SDK's context has it
      const { defer } = context as unknown as { defer: Defer };
      return defer(id, options);
    },
  };
}

type Defer = (id: string, options: object) => { abort(): void };

interface Group {
  parallel<T>(options: { mode: "race" }, code: () => Promise<T>): Promise<T>;
}

function asHandler(code: Code): (context: object) => unknown {
  return (context) => code(context as Context); // proof: the kit's context is a subset of the SDK's
}
