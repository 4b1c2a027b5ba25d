// Serves an app on Remix and React Router. Translates and does nothing else.
import type { ServeOptions } from "../serve/service.ts";
import { serveAs, type FetchEventHandler } from "./fetch.ts";

/**
 * The action and the loader of a resource route. Throws `PawlError` for wrong functions.
 *
 * ```ts
 * // app/routes/api.pawl.ts
 * import { serve } from "pawl/remix";
 *
 * const handler = serve({ client, functions });
 * export { handler as action, handler as loader };
 * ```
 */
export function serve(options: ServeOptions): FetchEventHandler {
  const answer = serveAs("remix", options);
  return ({ request }) => answer(request);
}
