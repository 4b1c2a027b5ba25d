// The WebSocket shell: takes connections that HTTP lets go of, asks the gateway, and speaks the
// protocol through the library `ws`, which is loaded with the first of them. It must not know routes,
// nor what is said.
// Invariant: `#sockets` holds every connection that left HTTP and is not closed.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocket, WebSocketServer } from "ws";
import type { Gateway } from "./gateway.ts";
import type { HttpRequest } from "./message.ts";
import type { HttpResponse } from "./response.ts";
import type { Upgrade, WebSocketPeer } from "./web-socket.ts";

/** How long the other side has to take a refusal, or to answer a goodbye. */
const goodbyeMs = 5_000;

/** Connections that are, or ask to become, WebSockets. One per listener. */
export class Upgrades {
  readonly #gateway: Gateway;
  readonly #translate: (message: IncomingMessage) => HttpRequest;
  readonly #sockets = new Set<Duplex>();
  readonly #servers = new Map<number, WebSocketServer>();

  constructor(gateway: Gateway, translate: (message: IncomingMessage) => HttpRequest) {
    this.#gateway = gateway;
    this.#translate = translate;
  }

  /** Whether a request wants a WebSocket. Wishes for other protocols are ignored, as HTTP allows. */
  wants({ method, headers }: IncomingMessage): boolean {
    return method === "GET" && headers.upgrade?.toLowerCase() === "websocket";
  }

  /** Answers a request whose connection has left HTTP. Never rejects. */
  async take(message: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    const outcome = await this.#gateway.upgrade(this.#translate(message));
    if (socket.destroyed) return;
    if ("status" in outcome) return refuse(socket, outcome);
    const server = await this.#server(outcome.messageBytesMax);
    server.handleUpgrade(message, socket, head, (opened) => connect(opened, outcome));
  }

  /** Ends every connection at once. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #server(maxPayload: number): Promise<WebSocketServer> {
    const known = this.#servers.get(maxPayload);
    if (known !== undefined) return known;
    const { WebSocketServer } = await import("ws");
    const made = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload,
    });
    this.#servers.set(maxPayload, made);
    return made;
  }
}

function connect(opened: WebSocket, { open }: Upgrade): void {
  // What the other side did wrong is said by the close that follows.
  opened.on("error", () => undefined);
  const listener = open(peerOf(opened));
  opened.on("message", (data, isBinary) => {
    if (Buffer.isBuffer(data)) listener.message(data, !isBinary);
  });
  opened.on("pong", () => listener.pong());
  opened.on("close", () => listener.closed());
}

function peerOf(opened: WebSocket): WebSocketPeer {
  return {
    send: (message, isText, done) => opened.send(message, { binary: !isText }, done),
    ping: () => {
      if (opened.readyState === opened.OPEN) opened.ping();
    },
    close: (code, reason) => {
      opened.close(code, reason);
      const timer = setTimeout(() => opened.terminate(), goodbyeMs);
      timer.unref();
      opened.on("close", () => clearTimeout(timer));
    },
    cut: () => opened.terminate(),
  };
}

/** Writes an answer by hand: HTTP has let go of the connection. */
function refuse(socket: Duplex, { status, headers, body }: HttpResponse): void {
  const text = typeof body === "string" ? body : "";
  const lines = Object.entries({
    ...headers,
    connection: "close",
    "content-length": Buffer.byteLength(text),
  }).map(([name, value]) => `${name}: ${String(value)}`);
  socket.end(`HTTP/1.1 ${String(status)} Refused\r\n${lines.join("\r\n")}\r\n\r\n${text}`);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), goodbyeMs);
  timer.unref();
  socket.on("close", () => clearTimeout(timer));
}
