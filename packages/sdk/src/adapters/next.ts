// Serves an app on Next.js. Translates and does nothing else.
import type { ServeOptions } from "../serve/service.ts";
import { serveAs, type FetchHandler } from "./fetch.ts";
import { serveAs as serveOnNode, type NodeHandler } from "./node.ts";

/** The exports of a route of the app router. */
export interface NextRoute {
  readonly GET: FetchHandler;
  readonly POST: FetchHandler;
  readonly PUT: FetchHandler;
}

/**
 * The handlers of a route of the app router. Throws `PawlError` for wrong functions.
 *
 * ```ts
 * // app/api/pawl/route.ts
 * import { serve } from "pawl/next";
 *
 * export const { GET, POST, PUT } = serve({ client, functions });
 * ```
 */
export function serve(options: ServeOptions): NextRoute {
  const handler = serveAs("nextjs", options);
  return { GET: handler, POST: handler, PUT: handler };
}

/**
 * The handler of an API route of the pages router. Throws `PawlError` for wrong functions.
 *
 * ```ts
 * // pages/api/pawl.ts
 * import { servePages } from "pawl/next";
 *
 * export const config = { api: { bodyParser: false } };
 * export default servePages({ client, functions });
 * ```
 *
 * It also works with the body parser on, whose limit of 1 MB for bodies then applies.
 */
export function servePages(options: ServeOptions): NodeHandler {
  return serveOnNode("nextjs", options);
}
