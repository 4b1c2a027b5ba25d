// Serves an app on Express 4 and 5. Translates and does nothing else.
import type { ServeOptions } from "../serve/service.ts";
import { serveAs, type NodeHandler } from "./node.ts";

/**
 * A middleware for `app.use`. Throws `PawlError` for wrong functions.
 *
 * ```ts
 * import express from "express";
 * import { serve } from "pawl/express";
 *
 * const app = express();
 * app.use("/api/pawl", serve({ client, functions }));
 * app.use(express.json());
 * ```
 *
 * It also works behind `express.json()`, whose own limit for bodies (100 kB) then applies: give it
 * a `limit` of `"32mb"`, or mount this one first.
 */
export function serve(options: ServeOptions): NodeHandler {
  return serveAs("express", options);
}
