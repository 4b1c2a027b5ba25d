// Serves an app on Koa. Translates and does nothing else.
import { createHandler } from "../serve/handler.ts";
import type { ServeOptions } from "../serve/service.ts";
import { readExchange, type NodeRequest, type NodeResponse } from "./node-exchange.ts";

/** What is needed of Koa's context. */
export interface KoaContext {
  readonly req: NodeRequest;
  readonly res: NodeResponse;
  readonly originalUrl: string;
  /** Body parsers leave `rawBody` and `body` here. */
  readonly request: object;
  status: number;
  body: unknown;
  set(headers: Record<string, string>): unknown;
}

/** A middleware. It answers every request that reaches it: give it a path of a router. */
export type KoaHandler = (context: KoaContext) => Promise<void>;

/**
 * A handler for GET, PUT and POST of one path. Throws `PawlError` for wrong functions.
 *
 * ```ts
 * import Router from "@koa/router";
 * import { serve } from "pawl/koa";
 *
 * const router = new Router();
 * router.all("/api/pawl", serve({ client, functions }));
 * app.use(router.routes());
 * ```
 *
 * Behind a body parser its limit for bodies applies (1 MB for JSON): raise it, or put the parser
 * after this router.
 */
export function serve(options: ServeOptions): KoaHandler {
  const handle = createHandler("koa", options);
  return async (context) => {
    const parsed: { readonly rawBody?: unknown; readonly body?: unknown } = context.request;
    const body = parsed.rawBody ?? parsed.body;
    const view = { body, originalUrl: context.originalUrl };
    const read = await readExchange(context.req, context.res, view);
    const answer = "refusal" in read ? read.refusal : await handle(read.request);
    context.status = answer.status;
    context.body = answer.body;
    context.set({ ...answer.headers });
  };
}
