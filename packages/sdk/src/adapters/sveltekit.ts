// Serves an app on SvelteKit. Translates and does nothing else.
import type { ServeOptions } from "../serve/service.ts";
import { serveAs, type FetchEventHandler } from "./fetch.ts";

/** The exports of an endpoint. */
export interface SvelteKitEndpoint {
  readonly GET: FetchEventHandler;
  readonly POST: FetchEventHandler;
  readonly PUT: FetchEventHandler;
}

/**
 * The handlers of an endpoint. Throws `PawlError` for wrong functions.
 *
 * ```ts
 * // src/routes/api/pawl/+server.ts
 * import { serve } from "pawl/sveltekit";
 *
 * export const { GET, POST, PUT } = serve({ client, functions });
 * ```
 */
export function serve(options: ServeOptions): SvelteKitEndpoint {
  const answer = serveAs("sveltekit", options);
  const handler: FetchEventHandler = ({ request }) => answer(request);
  return { GET: handler, POST: handler, PUT: handler };
}
