// Serves an app on Cloudflare Workers and Pages. Translates and does nothing else.
import type { ServeOptions } from "../serve/service.ts";
import { serveAs } from "./fetch.ts";

/** Takes what a Worker gets, a request, and what a function of Pages gets, a context with one. */
export type CloudflareHandler = (
  input: Request | { readonly request: Request },
) => Promise<Response>;

/**
 * A handler for a Worker or for a function of Pages. Throws `PawlError` for wrong functions.
 *
 * ```ts
 * import { serve } from "pawl/cloudflare";
 *
 * export default { fetch: serve({ client, functions }) }; // a Worker
 * export const onRequest = serve({ client, functions }); // functions/api/pawl.ts of Pages
 * ```
 *
 * `PAWL_*` variables are found with the compatibility flag `nodejs_compat` and a compatibility date
 * of 2025-04-01 or later; without, hand keys and `baseUrl` to `new Pawl`.
 */
export function serve(options: ServeOptions): CloudflareHandler {
  const answer = serveAs("cloudflare", options);
  return (input) => answer("request" in input ? input.request : input);
}
