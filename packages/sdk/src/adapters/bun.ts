// Serves an app on Bun. Translates and does nothing else.
import type { ServeOptions } from "../serve/service.ts";
import { serveAs, type FetchHandler } from "./fetch.ts";

/**
 * A handler for a route of `Bun.serve`. Throws `PawlError` for wrong functions.
 *
 * ```ts
 * import { serve } from "pawl/bun";
 *
 * Bun.serve({ port: 3000, routes: { "/api/pawl": serve({ client, functions }) } });
 * ```
 */
export function serve(options: ServeOptions): FetchHandler {
  return serveAs("bun", options);
}
