// Serves an app on edge functions that export one handler. Translates and does nothing else.
import type { ServeOptions } from "../serve/service.ts";
import { serveAs, type FetchHandler } from "./fetch.ts";

/**
 * A handler for a function of Vercel's edge runtime, Netlify's edge functions and their like.
 * Throws `PawlError` for wrong functions.
 *
 * ```ts
 * import { serve } from "pawl/edge";
 *
 * export const config = { runtime: "edge" };
 * export default serve({ client, functions });
 * ```
 */
export function serve(options: ServeOptions): FetchHandler {
  return serveAs("edge", options);
}
