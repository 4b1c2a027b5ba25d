// Serves an app on Nuxt, whose server routes are handlers of h3. Translates and does nothing else.
import type { ServeOptions } from "../serve/service.ts";
import { serveAs, type H3Handler } from "./h3.ts";

/**
 * The handler of a server route. Throws `PawlError` for wrong functions.
 *
 * ```ts
 * // server/api/pawl.ts
 * import { serve } from "pawl/nuxt";
 *
 * export default defineEventHandler(serve({ client, functions }));
 * ```
 */
export function serve(options: ServeOptions): H3Handler {
  return serveAs("nuxt", options);
}
