// Serves an app on node:http, and on everything built upon its request and response objects.
// Translates and does nothing else.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createHandler, type ServeHandler } from "../serve/handler.ts";
import type { ServeRequest } from "../serve/messages.ts";
import type { ServeOptions } from "../serve/service.ts";

/** A listener for `node:http`; also works below any path of a router. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Largest body that is read, in bytes; larger ones are answered with 413. */
export const bodyBytesMax = 64 * 1024 * 1024;

/** A handler for GET, PUT and POST on one path. Throws `PawlError` for wrong functions. */
export function serve(options: ServeOptions): NodeHandler {
  return serveAs("nodejs", options);
}

/** The same under the name of a framework; for adapters that are a thin layer on this one. */
export function serveAs(framework: string, options: ServeOptions): NodeHandler {
  const handle = createHandler(framework, options);
  return (request, response) => respond(handle, request, response);
}

async function respond(
  handle: ServeHandler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  const body = await readBody(request);
  if (body === null) {
    response.writeHead(413, { "content-type": "application/json", connection: "close" });
    response.end('{"message":"The body is too large."}');
    return;
  }
  const answer = await handle(toServeRequest(request, body, gone.signal));
  response.writeHead(answer.status, {
    ...answer.headers,
    "content-length": Buffer.byteLength(answer.body),
  });
  response.end(answer.body);
}

function toServeRequest(request: IncomingMessage, body: string, signal: AbortSignal): ServeRequest {
  const header = (name: string): string | null => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(", ") : (value ?? null);
  };
  return { method: request.method ?? "GET", url: urlOf(request, header), header, body, signal };
}

/** Routers shorten `url` to what lies below their path and keep the whole in `originalUrl`. */
function urlOf(request: IncomingMessage, header: ServeRequest["header"]): string {
  const whole = "originalUrl" in request ? request.originalUrl : undefined;
  const path = typeof whole === "string" ? whole : (request.url ?? "/");
  const secure = "encrypted" in request.socket && request.socket.encrypted === true;
  const [scheme = ""] = (header("x-forwarded-proto") ?? "").split(",");
  const host = header("x-forwarded-host") ?? header("host") ?? "localhost";
  return new URL(path, `${scheme.trim() || (secure ? "https" : "http")}://${host}`).href;
}

/** The body as text; null when it is larger than is read. A parser before us may have taken it. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const parsed = "body" in request ? request.body : undefined;
  if (parsed !== undefined && request.readableEnded) return bodyText(parsed);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    bytes += buffer.length;
    if (bytes > bodyBytesMax) return null;
    chunks.push(buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function bodyText(parsed: unknown): string {
  if (typeof parsed === "string") return parsed;
  if (Buffer.isBuffer(parsed)) return parsed.toString("utf8");
  return JSON.stringify(parsed) ?? "";
}
