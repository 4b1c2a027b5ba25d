// Serves an app on Astro. Translates and does nothing else.
import type { ServeOptions } from "../serve/service.ts";
import { serveAs, type FetchEventHandler } from "./fetch.ts";

/** The exports of an endpoint. */
export interface AstroEndpoint {
  readonly GET: FetchEventHandler;
  readonly POST: FetchEventHandler;
  readonly PUT: FetchEventHandler;
}

/**
 * The handlers of an endpoint. Throws `PawlError` for wrong functions.
 *
 * ```ts
 * // src/pages/api/pawl.ts
 * import { serve } from "pawl/astro";
 *
 * export const prerender = false;
 * export const { GET, POST, PUT } = serve({ client, functions });
 * ```
 */
export function serve(options: ServeOptions): AstroEndpoint {
  const answer = serveAs("astro", options);
  const handler: FetchEventHandler = ({ request }) => answer(request);
  return { GET: handler, POST: handler, PUT: handler };
}
