// Serves an app on Hono, wherever Hono runs. Translates and does nothing else.
import { createHandler } from "../serve/handler.ts";
import type { ServeOptions } from "../serve/service.ts";

/** What is needed of Hono's context. */
export interface HonoContext {
  readonly req: {
    readonly method: string;
    readonly url: string;
    readonly raw: Request;
    /** Hono's own, since a middleware may have read the body of `raw` before. */
    text(): Promise<string>;
  };
}

/** A handler of a route. */
export type HonoHandler = (context: HonoContext) => Promise<Response>;

/**
 * A handler for GET, PUT and POST of one path. Throws `PawlError` for wrong functions.
 *
 * ```ts
 * import { Hono } from "hono";
 * import { serve } from "pawl/hono";
 *
 * const app = new Hono();
 * app.on(["GET", "PUT", "POST"], "/api/pawl", serve({ client, functions }));
 * ```
 */
export function serve(options: ServeOptions): HonoHandler {
  const handle = createHandler("hono", options);
  return async ({ req }) => {
    const { status, headers, body } = await handle({
      method: req.method,
      url: req.url,
      header: (name) => req.raw.headers.get(name),
      body: await req.text(),
      signal: req.raw.signal,
    });
    return new Response(body, { status, headers });
  };
}
