// Serves an app on h3, version 1 (objects of Node) and version 2 (of the web), and so on Nitro.
// Translates and does nothing else.
import { createHandler } from "../serve/handler.ts";
import type { ServeOptions } from "../serve/service.ts";
import { serveAs as serveOnFetch } from "./fetch.ts";
import { readExchange, type NodeRequest, type NodeResponse } from "./node-exchange.ts";

/** What is needed of the event of h3 version 2. */
export interface WebEvent {
  readonly req: Request;
}

/** What is needed of the event of h3 version 1. */
export interface NodeEvent {
  readonly node: { readonly req: NodeRequest; readonly res: NodeResponse };
}

/** An event handler. */
export type H3Handler = (event: WebEvent | NodeEvent) => Promise<Response>;

/**
 * An event handler for GET, PUT and POST of one path. Throws `PawlError` for wrong functions.
 *
 * ```ts
 * import { H3 } from "h3";
 * import { serve } from "pawl/h3";
 *
 * const app = new H3();
 * app.all("/api/pawl", serve({ client, functions }));
 * ```
 *
 * With version 1 of h3: `router.use("/api/pawl", defineEventHandler(serve({ client, functions })))`.
 */
export function serve(options: ServeOptions): H3Handler {
  return serveAs("h3", options);
}

/** The same under the name of a framework; for adapters that are a thin layer on this one. */
export function serveAs(framework: string, options: ServeOptions): H3Handler {
  const onWeb = serveOnFetch(framework, options);
  const onNode = createHandler(framework, options);
  return async (event) => {
    if (isWebEvent(event)) return onWeb(event.req);
    const read = await readExchange(event.node.req, event.node.res);
    const answer = "refusal" in read ? read.refusal : await onNode(read.request);
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  };
}

/** Version 1 has a `req` as well, but that is Node's. */
function isWebEvent(event: WebEvent | NodeEvent): event is WebEvent {
  return "req" in event && typeof event.req.headers.get === "function";
}
