// Serves an app on node:http, and on everything built upon its request and response objects.
// Translates and does nothing else.
import { createHandler } from "../serve/handler.ts";
import type { ServeOptions } from "../serve/service.ts";
import {
  readExchange,
  writeExchange,
  type NodeRequest,
  type NodeResponse,
} from "./node-exchange.ts";

export type { NodeRequest, NodeResponse };

/** A listener for `node:http`; also works below any path of a router. Never rejects. */
export type NodeHandler = (request: NodeRequest, response: NodeResponse) => Promise<void>;

/**
 * A handler for GET, PUT and POST on one path. Throws `PawlError` for wrong functions.
 *
 * ```ts
 * import { createServer } from "node:http";
 * import { serve } from "pawl/node";
 *
 * createServer(serve({ client, functions })).listen(3000);
 * ```
 */
export function serve(options: ServeOptions): NodeHandler {
  return serveAs("nodejs", options);
}

/** The same under the name of a framework; for adapters that are a thin layer on this one. */
export function serveAs(framework: string, options: ServeOptions): NodeHandler {
  const handle = createHandler(framework, options);
  return async (request, response) => {
    const read = await readExchange(request, response);
    writeExchange(response, "refusal" in read ? read.refusal : await handle(read.request));
  };
}
