// Reads the body of a node:http request within limits: of one body, and of all bodies that are in
// memory at the same time. It must not know what a body means.
import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { BodyRead, BytesRead, HttpRequest, PieceLimits } from "./message.ts";
import { httpProblem, type HttpCode, type Problem } from "./problem.ts";

const inflate = promisify(gunzip);

type Refused = Extract<BodyRead, { ok: false }>;

/** Bytes of all bodies that are being read or decoded now. One per server. */
export class BodyBudget {
  readonly #bytesMax: number;
  #used = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Takes room for more bytes; false: there is none, and nothing was taken. */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.#bytesMax) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}

/** Of a request that was not read from a connection. */
export const noBody: Pick<HttpRequest, "readBody" | "readBytes" | "readPieces"> = {
  readBody: () => Promise.resolve({ ok: true, text: "" }),
  readBytes: () => Promise.resolve({ ok: true, bytes: Buffer.alloc(0) }),
  readPieces: () => Promise.resolve(null),
};

/** The body as text, or why not; see `readBytes`. */
export async function readBody(
  message: IncomingMessage,
  bytesMax: number,
  budget: BodyBudget,
  withinMs: number,
  onWanted: () => void,
): Promise<BodyRead> {
  const read = await readBytes(message, bytesMax, budget, withinMs, onWanted);
  return read.ok ? decoded(read.bytes) : read;
}

/**
 * The body, or why not. It may take `withinMs` to arrive. `onWanted` is called once the sender may go on with the body
 * (`expect: 100-continue`): not for a body that is too long by its own `content-length`.
 */
export async function readBytes(
  message: IncomingMessage,
  bytesMax: number,
  budget: BodyBudget,
  withinMs: number,
  onWanted: () => void,
): Promise<BytesRead> {
  const encoding = (message.headers["content-encoding"] ?? "identity").toLowerCase();
  if (encoding !== "identity" && encoding !== "gzip" && encoding !== "") {
    return refuse(
      415,
      "content_encoding_invalid",
      `content-encoding ${encoding} is not supported; send gzip or none.`,
    );
  }
  const announced = Number(message.headers["content-length"] ?? 0);
  if (announced > bytesMax) return tooLarge(bytesMax);
  onWanted();
  const gathered = await gather(message, bytesMax, budget, withinMs);
  if (typeof gathered === "string")
    return { ok: false, problem: cutShort(gathered, bytesMax, withinMs) };
  try {
    return encoding === "gzip" ? await inflated(gathered, bytesMax) : { ok: true, bytes: gathered };
  } finally {
    budget.give(gathered.length);
  }
}

/**
 * Hands over the body as it arrives; null at its end, or why it was cut short. What one piece holds
 * is all that is in memory of it.
 */
export async function readPieces(
  message: IncomingMessage,
  { bytesMax, withinMs }: PieceLimits,
  onWanted: () => void,
  take: (piece: Uint8Array) => void,
): Promise<Problem | null> {
  const encoding = (message.headers["content-encoding"] ?? "identity").toLowerCase();
  if (encoding !== "identity" && encoding !== "") {
    const said = `content-encoding ${encoding} is not supported for a body that is taken as it arrives; send none.`;
    return httpProblem(415, "content_encoding_invalid", said);
  }
  onWanted();
  let bytes = 0;
  const cut = await arrive(message, withinMs, (chunk) => {
    bytes += chunk.length;
    if (bytes > bytesMax) return "body_too_large";
    take(chunk);
    return null;
  });
  return cut === null ? null : cutShort(cut, bytesMax, withinMs);
}

/** Why a body did not arrive to its end. */
type Cut = Extract<
  HttpCode,
  "body_too_large" | "overloaded" | "body_incomplete" | "request_timeout"
>;

/** Lets the chunks of a body come, until its end (null), or until `take` or a loss cuts it short. */
function arrive(
  message: IncomingMessage,
  withinMs: number,
  take: (chunk: Buffer) => Cut | null,
): Promise<Cut | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => finish("request_timeout"), withinMs);
    const finish = (cut: Cut | null): void => {
      clearTimeout(timer);
      message.off("data", onData).off("end", onEnd).off("error", onLost).off("close", onLost);
      if (cut !== null) message.pause();
      resolve(cut);
    };
    const onData = (chunk: Buffer): void => {
      const cut = take(chunk);
      if (cut !== null) finish(cut);
    };
    const onEnd = (): void => finish(null);
    const onLost = (): void => finish("body_incomplete");
    message.on("data", onData).on("end", onEnd).on("error", onLost).on("close", onLost);
  });
}

/** The bytes of the body, for which room in the budget is taken; without room when cut short. */
async function gather(
  message: IncomingMessage,
  bytesMax: number,
  budget: BodyBudget,
  withinMs: number,
): Promise<Buffer | Cut> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const cut = await arrive(message, withinMs, (chunk) => {
    if (bytes + chunk.length > bytesMax) return "body_too_large";
    if (!budget.take(chunk.length)) return "overloaded";
    bytes += chunk.length;
    chunks.push(chunk);
    return null;
  });
  if (cut !== null) {
    budget.give(bytes);
    return cut;
  }
  const [first] = chunks;
  return chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
}

function cutShort(cut: Cut, bytesMax: number, withinMs: number): Problem {
  switch (cut) {
    case "body_too_large":
      return tooLong(bytesMax);
    case "overloaded":
      return httpProblem(503, cut, "Too many large requests are under way; try again.");
    case "body_incomplete":
      return httpProblem(400, cut, "The connection ended before the body did.");
    case "request_timeout":
      return httpProblem(408, cut, `The body did not arrive within ${String(withinMs)} ms.`);
  }
}

async function inflated(packed: Buffer, bytesMax: number): Promise<BytesRead> {
  try {
    return { ok: true, bytes: await inflate(packed, { maxOutputLength: bytesMax }) };
  } catch (error) {
    if (error instanceof RangeError) return tooLarge(bytesMax);
    return refuse(400, "content_encoding_invalid", "The body is not valid gzip.");
  }
}

function decoded(bytes: Uint8Array): BodyRead {
  if (!isUtf8(bytes)) return refuse(400, "body_not_text", "The body is not UTF-8 text.");
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  return { ok: true, text: text.charCodeAt(0) === 0xfeff ? text.slice(1) : text };
}

function tooLarge(bytesMax: number): Refused {
  return { ok: false, problem: tooLong(bytesMax) };
}

function tooLong(bytesMax: number): Problem {
  return httpProblem(
    413,
    "body_too_large",
    `The body is longer than ${String(bytesMax)} bytes, the limit of this route.`,
  );
}

function refuse(status: number, code: HttpCode, message: string): Refused {
  return { ok: false, problem: httpProblem(status, code, message) };
}
