// Serves an app on Deno. Translates and does nothing else.
import type { ServeOptions } from "../serve/service.ts";
import { serveAs, type FetchHandler } from "./fetch.ts";

/**
 * A handler for `Deno.serve`. Throws `PawlError` for wrong functions. Reading `PAWL_*` variables
 * takes `--allow-env`, calling the server `--allow-net`.
 *
 * ```ts
 * import { serve } from "npm:pawl/deno";
 *
 * Deno.serve({ port: 3000 }, serve({ client, functions }));
 * ```
 */
export function serve(options: ServeOptions): FetchHandler {
  return serveAs("deno", options);
}
