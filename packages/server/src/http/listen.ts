// The node:http shell: opens the sockets, translates requests and responses, and nothing else.
// It must not know routes or the runtime.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { randomBytes } from "node:crypto";
import { BodyBudget, readBody, readBytes, readPieces } from "./body.ts";
import type { Gateway } from "./gateway.ts";
import type { HttpRequest } from "./message.ts";
import type { HttpResponse } from "./response.ts";
import { httpProblem, problemResponse, type HttpCode } from "./problem.ts";
import { Upgrades } from "./upgrades.ts";

export interface ListenOptions {
  readonly gateway: Gateway;
  /** Addresses to listen on, all at the same port. Those behind the first may be missing here. */
  readonly hosts: readonly string[];
  /** 0: any free port. */
  readonly port: number;
  /** Bytes of all request bodies in memory at the same time; more are refused as `overloaded`. */
  readonly bodiesBytesMax: number;
  /** How long the body of one request may take to arrive, unless its route says otherwise. */
  readonly requestMs: number;
  /** Told about an address that this machine does not have. */
  readonly onMissingHost: (host: string, error: Error) => void;
}

export interface Listener {
  readonly port: number;
  /** The addresses that are open. */
  readonly hosts: readonly string[];
  /** Takes no new connections, lets requests end for `graceMs`, then closes every connection. */
  close(graceMs: number): Promise<void>;
}

/**
 * Opens the addresses. Rejects with the error of `listen` (`code` is `EADDRINUSE` and so on) when
 * the first address, or another that this machine has, cannot be opened; nothing is open then.
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const budget = new BodyBudget(options.bodiesBytesMax);
  const upgrades = new Upgrades(options.gateway, (message) =>
    translate(message, { budget, requestMs: options.requestMs, onWanted: () => undefined }),
  );
  const servers: { readonly host: string; readonly server: Server }[] = [];
  let port = options.port;
  try {
    for (const host of options.hosts) {
      const server = httpServer(options, budget, upgrades);
      try {
        port = await open(server, host, port);
        servers.push({ host, server });
      } catch (error) {
        // A port that was free on one address by chance need not be free on the next.
        const bearable = error instanceof Error && (isMissingAddress(error) || options.port === 0);
        if (servers.length === 0 || !bearable) throw error;
        options.onMissingHost(host, error);
      }
    }
  } catch (error) {
    await Promise.all(servers.map(({ server }) => closeServer(server, 0)));
    throw error;
  }
  return {
    port,
    hosts: servers.map(({ host }) => host),
    close: async (graceMs) => {
      // A server that closes waits for connections that are no longer HTTP, too.
      const timer = setTimeout(() => upgrades.cutAll(), graceMs);
      await Promise.all(servers.map(({ server }) => closeServer(server, graceMs)));
      clearTimeout(timer);
    },
  };
}

function httpServer(options: ListenOptions, budget: BodyBudget, upgrades: Upgrades): Server {
  const server = createServer({
    // Some bodies are streams that live longer than any other request: each has a limit of its own.
    requestTimeout: 0,
    headersTimeout: Math.min(options.requestMs, 30_000),
    // How often Node looks for requests that are late: else twice a minute, whatever their time is.
    connectionsCheckingInterval: Math.min(options.requestMs, 5_000),
    shouldUpgradeCallback: (message) => upgrades.wants(message),
    // Longer than the idle time of usual proxies, so that they close first and never meet a reset.
    keepAliveTimeout: 75_000,
    noDelay: true,
  });
  const handle = (
    message: IncomingMessage,
    response: ServerResponse,
    expectsContinue: boolean,
  ): void => {
    const request = translate(message, {
      budget,
      requestMs: options.requestMs,
      onWanted: () => {
        if (expectsContinue) response.writeContinue();
      },
    });
    void serve(options.gateway, request, message, response);
  };
  server.on("request", (message, response) => handle(message, response, false));
  server.on("checkContinue", (message, response) => handle(message, response, true));
  server.on("upgrade", (message, socket, head) => void upgrades.take(message, socket, head));
  server.on("clientError", answerClientError);
  return server;
}

/** Unlike those of other processes, and cheap: most ids are never looked at. */
const requestIdPrefix = randomBytes(5).toString("hex");
let requestCount = 0;

function nextRequestId(): string {
  requestCount += 1;
  return `${requestIdPrefix}-${requestCount.toString(36)}`;
}

async function serve(
  gateway: Gateway,
  request: HttpRequest,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = await gateway.answer(request);
  const { body } = answer;
  if (typeof body === "string" || body instanceof Uint8Array) {
    if (!response.destroyed) sendWhole(message, response, answer, body);
  } else if (response.destroyed || message.method === "HEAD") {
    // Pieces may never end, and none of them is sent.
    await body[Symbol.asyncIterator]().return?.();
    if (!response.destroyed) sendWhole(message, response, answer, "");
  } else await sendPieces(response, answer, body);
}

interface Reading {
  readonly budget: BodyBudget;
  readonly requestMs: number;
  /** Called once the sender may go on with the body. */
  readonly onWanted: () => void;
}

function translate(
  message: IncomingMessage,
  { budget, requestMs, onWanted }: Reading,
): HttpRequest {
  const target = message.url ?? "/";
  const mark = target.indexOf("?");
  return {
    id: nextRequestId(),
    from: message.socket.remoteAddress ?? null,
    method: message.method ?? "GET",
    path: mark === -1 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark === -1 ? "" : target.slice(mark + 1)),
    header: (name) => {
      const value = message.headers[name];
      return (typeof value === "string" ? value : value?.[0]) ?? null;
    },
    readBody: (bytesMax) => readBody(message, bytesMax, budget, requestMs, onWanted),
    readBytes: (bytesMax) => readBytes(message, bytesMax, budget, requestMs, onWanted),
    readPieces: (limits, take) => readPieces(message, limits, onWanted, take),
  };
}

function sendWhole(
  message: IncomingMessage,
  response: ServerResponse,
  answer: HttpResponse,
  body: string | Uint8Array,
): void {
  // A body that was not read to its end blocks the connection for the next request: it is
  // discarded for a moment, so that the sender gets to see the answer, and then cut off.
  const unread = !message.complete;
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(answer.status === 204 || answer.status === 304
      ? null
      : { "content-length": Buffer.byteLength(body) }),
    ...(unread ? { connection: "close" } : null),
  });
  response.end(body);
  if (unread) discard(message);
}

const discardMs = 2_000;
const discardBytesMax = 64 * 1024 * 1024;

function discard(message: IncomingMessage): void {
  let bytes = 0;
  const timer = setTimeout(() => message.destroy(), discardMs);
  timer.unref();
  message.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > discardBytesMax) message.destroy();
  });
  message.on("error", () => undefined);
  message.on("close", () => clearTimeout(timer));
  message.resume();
}

/** Sends pieces as fast as the other side takes them; stops the source when it leaves. */
async function sendPieces(
  response: ServerResponse,
  answer: HttpResponse,
  pieces: AsyncIterable<string | Uint8Array>,
): Promise<void> {
  const source = pieces[Symbol.asyncIterator]();
  const cut = (): void => void response.destroy();
  answer.cut?.addEventListener("abort", cut);
  response.on("close", () => {
    answer.cut?.removeEventListener("abort", cut);
    void source.return?.();
  });
  response.writeHead(answer.status, { ...answer.headers });
  response.flushHeaders();
  try {
    for (let next = await source.next(); next.done !== true; next = await source.next()) {
      if (response.destroyed) return;
      if (!response.write(next.value)) await drained(response);
    }
    response.end();
  } catch {
    // The head is out: all that can still be said is that the answer is not complete.
    response.destroy();
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}

/** What node:http refuses by itself gets an answer in our shape, too. */
function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code, message] = clientProblem(error.code);
  const { body } = problemResponse(httpProblem(status, code, message));
  const text = typeof body === "string" ? body : "";
  const head = `HTTP/1.1 ${String(status)} ${code}\r\ncontent-type: application/json\r\nconnection: close`;
  socket.end(`${head}\r\ncontent-length: ${String(Buffer.byteLength(text))}\r\n\r\n${text}`);
}

function clientProblem(code: string | undefined): [number, HttpCode, string] {
  if (code === "HPE_HEADER_OVERFLOW")
    return [431, "headers_too_large", "The headers are too long."];
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return [408, "request_timeout", "The request did not arrive in time."];
  return [400, "request_malformed", "This is not a valid HTTP request."];
}

function open(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    // `ipv6Only`: `::1` and `127.0.0.1` are opened one by one and must not shadow each other.
    server.listen({ host, port, ipv6Only: host === "::1" }, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port); // proof: a TCP server that listens has one
    });
  });
}

function isMissingAddress(error: Error & { code?: string }): boolean {
  return error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT";
}

function closeServer(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
