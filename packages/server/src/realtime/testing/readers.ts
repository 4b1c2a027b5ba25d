// Subscribers for tests, as a browser has them: a WebSocket, and an event stream read by hand.
import assert from "node:assert/strict";

/** Messages in order, each taken once. */
class Messages {
  readonly #waiting: unknown[] = [];
  #wake: (() => void) | null = null;

  push(message: unknown): void {
    this.#waiting.push(message);
    this.#wake?.();
  }

  /** The next one; the timeout of the test bounds the wait. */
  async next(): Promise<unknown> {
    while (this.#waiting.length === 0) await new Promise<void>((wake) => (this.#wake = wake));
    return this.#waiting.shift();
  }
}

export class SocketReader {
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #socket: WebSocket;
  readonly #messages = new Messages();
  #raw = Buffer.alloc(0);

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) =>
      socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason })),
    );
    socket.addEventListener("message", ({ data }) => {
      if (data instanceof ArrayBuffer) this.#raw = Buffer.concat([this.#raw, Buffer.from(data)]);
      else this.#messages.push(JSON.parse(String(data)));
    });
  }

  /** Rejects when the server refuses. */
  static async open(serverUrl: string, token: string): Promise<SocketReader> {
    const url = `${serverUrl.replace("http", "ws")}/v1/realtime/connect?token=${token}`;
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    const reader = new SocketReader(socket);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("error", () => reject(new Error("the server refused")));
    });
    return reader;
  }

  next(): Promise<unknown> {
    return this.#messages.next();
  }

  /** What has come in binary messages, once it is so long. */
  async bytes(length: number): Promise<string> {
    while (this.#raw.length < length) await new Promise((resolve) => setImmediate(resolve));
    return this.#raw.toString();
  }

  send(message: object): void {
    this.sendText(JSON.stringify(message));
  }

  sendText(text: string): void {
    this.#socket.send(text);
  }

  close(): void {
    this.#socket.close();
  }
}

export class EventReader {
  /** Resolves when the response is over, however. */
  readonly ended: Promise<void>;
  readonly #stop: AbortController;
  readonly #messages = new Messages();
  #text = "";
  #parsed = 0;

  private constructor(body: ReadableStream<Uint8Array>, stop: AbortController) {
    this.#stop = stop;
    this.ended = this.#read(body).catch(() => undefined);
  }

  static async open(serverUrl: string, token: string): Promise<EventReader> {
    const stop = new AbortController();
    const response = await fetch(`${serverUrl}/v1/realtime/sse?token=${token}`, {
      signal: stop.signal,
      headers: { accept: "text/event-stream", origin: "https://shop.example" },
    });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    assert.ok(response.body !== null);
    return new EventReader(response.body, stop);
  }

  next(): Promise<unknown> {
    return this.#messages.next();
  }

  /** All that has come, once it is so long. */
  async text(length: number): Promise<string> {
    while (this.#text.length < length) await new Promise((resolve) => setImmediate(resolve));
    return this.#text;
  }

  close(): void {
    this.#stop.abort();
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of body) {
      this.#text += decoder.decode(bytes, { stream: true });
      this.#parse();
    }
  }

  #parse(): void {
    for (;;) {
      const end = this.#text.indexOf("\n\n", this.#parsed);
      if (end === -1) return;
      const event = this.#text.slice(this.#parsed, end);
      this.#parsed = end + 2;
      if (event.startsWith("data: {")) this.#messages.push(JSON.parse(event.slice(6)));
    }
  }
}
