// HTTP by hand over a socket, so that requests may be as wrong as they like. It must not know what
// answers should look like, beyond their framing.
import { connect, type Socket } from "node:net";
import type { Case, Framing } from "./cases.ts";

export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** What came back: answers, and whether everything that came was one. */
export interface Exchange {
  readonly answers: readonly RawAnswer[];
  /** Bytes at the end that are no whole answer. */
  readonly rest: string;
  readonly timedOut: boolean;
  /** The request before on the same connection; null: this was the first. */
  readonly before: number | null;
}

const answerMs = 20_000;
const quietMs = 400;
const going: readonly Framing[] = ["length", "chunked"];

/** Keeps one connection for requests that leave it usable. */
export class Wire {
  readonly #port: number;
  #socket: Socket | null = null;
  #before: number | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  async send(one: Case): Promise<Exchange> {
    // Behind a wish to upgrade that was passed over, Node answers requests, but not what is none.
    const wishes = one.headers.some(([name]) => name === "upgrade");
    const keeps = going.includes(one.framing) && !wishes;
    const socket = (keeps ? this.#socket : null) ?? (await this.#open());
    const before = this.#socket === null || !keeps ? null : this.#before;
    if (keeps) this.#socket = null;
    const exchange = { ...(await talk(socket, one, keeps)), before };
    this.#before = one.index;
    const last = exchange.answers.at(-1);
    const goesOn =
      keeps &&
      last !== undefined &&
      last.headers.has("content-length") &&
      last.headers.get("connection") !== "close";
    if (goesOn && !exchange.timedOut && exchange.rest === "" && !socket.destroyed)
      this.#socket = socket;
    else socket.destroy();
    return exchange;
  }

  close(): void {
    this.#socket?.destroy();
  }

  #open(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#port, "127.0.0.1", () => resolve(socket));
      socket.setNoDelay(true);
      socket.once("error", reject);
    });
  }
}

function talk(socket: Socket, one: Case, keeps: boolean): Promise<Omit<Exchange, "before">> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0);
    let quiet: NodeJS.Timeout | null = null;
    const timer = setTimeout(() => finish(true), answerMs);
    const finish = (timedOut: boolean): void => {
      clearTimeout(timer);
      if (quiet !== null) clearTimeout(quiet);
      socket.removeAllListeners("data").removeAllListeners("close").removeAllListeners("error");
      socket.on("error", () => undefined);
      resolve({ ...readAnswers(bytes, one.method === "HEAD"), timedOut });
    };
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const { answers, rest } = readAnswers(bytes, one.method === "HEAD");
      if (answers.length === 0 && !isStream(bytes)) return;
      if ((keeps && rest === "") || isStream(bytes)) return finish(false);
      // More answers may come, or the end of the connection.
      if (quiet !== null) clearTimeout(quiet);
      quiet = setTimeout(() => finish(false), quietMs);
    });
    socket.on("close", () => finish(false));
    socket.on("error", () => undefined);
    void write(socket, one);
  });
}

/** The feed of the development server never ends. */
function isStream(bytes: Buffer): boolean {
  return bytes.subarray(0, 2_000).includes("application/x-ndjson");
}

async function write(socket: Socket, one: Case): Promise<void> {
  const { framing, body } = one;
  const head = headOf(one);
  switch (framing) {
    case "garbage":
      socket.end(
        Buffer.concat([body.subarray(0, 3_000), Buffer.from(head.replace("HTTP/1.1", "HTTP/9.9"))]),
      );
      return;
    case "slow":
      for (const piece of [head, ...body.subarray(0, 8), body.subarray(8)]) {
        if (socket.destroyed) return;
        socket.write(typeof piece === "number" ? Buffer.from([piece]) : piece);
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
      return;
    case "truncated":
      socket.end(Buffer.concat([Buffer.from(head), body.subarray(0, body.length / 2)]));
      return;
    case "pipelined": {
      const whole = Buffer.concat([Buffer.from(head), body]);
      socket.write(Buffer.concat([whole, whole, whole]));
      return;
    }
    case "chunked":
      socket.write(Buffer.concat([Buffer.from(head), ...chunks(body)]));
      return;
    case "bad chunk":
      socket.write(Buffer.concat([Buffer.from(`${head}zz\r\n`), body]));
      return;
    case "length":
    case "too long":
    case "both":
    case "expect":
      socket.write(Buffer.concat([Buffer.from(head), body]));
  }
}

function* chunks(body: Buffer): Generator<Buffer> {
  const size = Math.max(1, Math.ceil(body.length / 3));
  for (let at = 0; at < body.length; at += size) {
    const piece = body.subarray(at, at + size);
    yield Buffer.from(`${piece.length.toString(16)}\r\n`);
    yield piece;
    yield Buffer.from("\r\n");
  }
  yield Buffer.from("0\r\n\r\n");
}

function headOf({ method, target, headers, body, framing }: Case): string {
  const length =
    framing === "truncated"
      ? body.length + 10
      : framing === "too long"
        ? body.length >> 1
        : body.length;
  const isChunked = framing === "chunked" || framing === "bad chunk";
  const lines = [
    `${method} ${target} HTTP/1.1`,
    "host: 127.0.0.1",
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(isChunked || framing === "both" ? ["transfer-encoding: chunked"] : []),
    ...(isChunked ? [] : [`content-length: ${String(length)}`]),
    ...(framing === "expect" ? ["expect: 100-continue"] : []),
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function readAnswers(bytes: Buffer, isHead: boolean): Pick<Exchange, "answers" | "rest"> {
  const answers: RawAnswer[] = [];
  let at = 0;
  for (;;) {
    const end = bytes.indexOf("\r\n\r\n", at);
    if (end === -1) break;
    const [first = "", ...lines] = bytes.toString("latin1", at, end).split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? Number.NaN);
    if (Number.isNaN(status)) break;
    const headers = new Map(
      lines.map((line) => {
        const mark = line.indexOf(":");
        return [line.slice(0, mark).toLowerCase(), line.slice(mark + 1).trim()] as const;
      }),
    );
    const from = end + 4;
    const hasBody = status >= 200 && status !== 204 && status !== 304 && !isHead;
    const length = hasBody ? Number(headers.get("content-length") ?? 0) : 0;
    if (bytes.length < from + length) break;
    at = from + length;
    if (status >= 200) answers.push({ status, headers, body: bytes.toString("utf8", from, at) });
  }
  return { answers, rest: bytes.toString("latin1", at, Math.min(bytes.length, at + 500)) };
}
