// Serves an app on Fastify, as a plugin. Translates and does nothing else.
import { createHandler, defaultServePath } from "../serve/handler.ts";
import type { ServeRequest } from "../serve/messages.ts";
import type { ServeOptions } from "../serve/service.ts";
import { bodyBytesMax, publicUrl } from "./node-exchange.ts";

/** What is needed of Fastify's request. */
export interface FastifyRequest {
  readonly method: string;
  readonly originalUrl: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
  readonly raw: { readonly socket: object };
}

/** What is needed of Fastify's reply. */
export interface FastifyReply {
  readonly raw: {
    readonly writableFinished: boolean;
    once(event: "close", listener: () => void): unknown;
  };
  code(status: number): unknown;
  headers(headers: Record<string, string>): unknown;
  send(body: string): unknown;
}

type BodyParser = (
  request: unknown,
  body: string,
  done: (error: null, body: string) => void,
) => void;

/** What is needed of a Fastify instance. */
export interface FastifyInstance {
  removeAllContentTypeParsers(): unknown;
  addContentTypeParser(type: string, options: { parseAs: "string" }, parser: BodyParser): unknown;
  route(options: {
    method: ("GET" | "PUT" | "POST")[];
    url: string;
    bodyLimit: number;
    handler: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
  }): unknown;
}

/** Options of the plugin's registration. */
export interface FastifyOptions {
  /** Path of the app below the prefix of the registration; `/api/pawl` unless said. */
  readonly path?: string | undefined;
}

/** A plugin; its parsers for bodies hold for its own route alone. */
export type FastifyPlugin = (instance: FastifyInstance, options: FastifyOptions) => Promise<void>;

/**
 * A plugin with one route for GET, PUT and POST. Throws `PawlError` for wrong functions.
 *
 * ```ts
 * import Fastify from "fastify";
 * import { serve } from "pawl/fastify";
 *
 * const app = Fastify();
 * app.register(serve({ client, functions }), { path: "/api/pawl" });
 * ```
 */
export function serve(options: ServeOptions): FastifyPlugin {
  const handle = createHandler("fastify", options);
  return async (instance, { path }) => {
    // Signatures are over the text of the body, and a registration may come without any.
    instance.removeAllContentTypeParsers();
    const asText: BodyParser = (_request, body, done) => done(null, body);
    instance.addContentTypeParser("*", { parseAs: "string" }, asText);
    instance.route({
      method: ["GET", "PUT", "POST"],
      url: path ?? defaultServePath,
      bodyLimit: bodyBytesMax,
      handler: async (request, reply) => {
        const answer = await handle(toServeRequest(request, reply));
        reply.code(answer.status);
        reply.headers({ ...answer.headers });
        await reply.send(answer.body);
      },
    });
  };
}

function toServeRequest(request: FastifyRequest, reply: FastifyReply): ServeRequest {
  const gone = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  const header = (name: string): string | null => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(", ") : (value ?? null);
  };
  const { socket } = request.raw;
  const secure = "encrypted" in socket && socket.encrypted === true;
  // A host that no URL can hold still gets an answer; only registrations use it.
  const url = publicUrl(header, request.originalUrl, secure) ?? "http://localhost/";
  const body = typeof request.body === "string" ? request.body : "";
  return { method: request.method, url, header, body, signal: gone.signal };
}
