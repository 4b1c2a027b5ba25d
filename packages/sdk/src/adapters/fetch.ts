// Serves an app on everything that speaks the web's `Request` and `Response`. The adapters of most
// frameworks are a thin layer on this one. Translates and does nothing else.
import { createHandler } from "../serve/handler.ts";
import type { ServeOptions } from "../serve/service.ts";

/** Answers a request of the server. Never rejects, except when the body cannot be read. */
export type FetchHandler = (request: Request) => Promise<Response>;

/** The same for frameworks that wrap the request in an event or a context. */
export type FetchEventHandler = (event: { readonly request: Request }) => Promise<Response>;

/**
 * A handler for GET, PUT and POST on one path. Throws `PawlError` for wrong functions.
 *
 * ```ts
 * import { serve } from "pawl/fetch";
 *
 * const handler = serve({ client, functions });
 * const response = await handler(request);
 * ```
 */
export function serve(options: ServeOptions): FetchHandler {
  return serveAs("fetch", options);
}

/** The same under the name of a framework; for adapters that are a thin layer on this one. */
export function serveAs(framework: string, options: ServeOptions): FetchHandler {
  const handle = createHandler(framework, options);
  return async (request) => {
    const response = await handle({
      method: request.method,
      url: request.url,
      header: (name) => request.headers.get(name),
      body: await request.text(),
      signal: request.signal,
    });
    return new Response(response.body, { status: response.status, headers: response.headers });
  };
}
