// Reads the body of a node:http request within limits: of one body, and of all bodies that are in
// memory at the same time. It must not know what a body means.
import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { BodyRead } from "./message.ts";
import { httpProblem, type HttpCode } from "./problem.ts";

const inflate = promisify(gunzip);

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

/**
 * The body as text, or why not. `onWanted` is called once the sender may go on with the body
 * (`expect: 100-continue`): not for a body that is too long by its own `content-length`.
 */
export async function readBody(
  message: IncomingMessage,
  bytesMax: number,
  budget: BodyBudget,
  onWanted: () => void,
): Promise<BodyRead> {
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
  const gathered = await gather(message, bytesMax, budget);
  if (gathered === "body_too_large") return tooLarge(bytesMax);
  if (gathered === "overloaded")
    return refuse(503, gathered, "Too many large requests are under way; try again.");
  if (gathered === "body_incomplete")
    return refuse(400, gathered, "The connection ended before the body did.");
  try {
    return encoding === "gzip" ? await inflated(gathered, bytesMax) : decoded(gathered);
  } finally {
    budget.give(gathered.length);
  }
}

/** The bytes of the body, for which room in the budget is taken; without room when refused. */
function gather(
  message: IncomingMessage,
  bytesMax: number,
  budget: BodyBudget,
): Promise<Buffer | Extract<HttpCode, "body_too_large" | "overloaded" | "body_incomplete">> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (
      refusal: Extract<HttpCode, "body_too_large" | "overloaded" | "body_incomplete"> | null,
    ): void => {
      message.off("data", onData).off("end", onEnd).off("error", onLost).off("close", onLost);
      const [first] = chunks;
      if (refusal === null)
        return resolve(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks));
      message.pause();
      budget.give(bytes);
      resolve(refusal);
    };
    const onData = (chunk: Buffer): void => {
      if (bytes + chunk.length > bytesMax) return finish("body_too_large");
      if (!budget.take(chunk.length)) return finish("overloaded");
      bytes += chunk.length;
      chunks.push(chunk);
    };
    const onEnd = (): void => finish(null);
    const onLost = (): void => finish("body_incomplete");
    message.on("data", onData).on("end", onEnd).on("error", onLost).on("close", onLost);
  });
}

async function inflated(packed: Buffer, bytesMax: number): Promise<BodyRead> {
  try {
    return decoded(await inflate(packed, { maxOutputLength: bytesMax }));
  } catch (error) {
    if (error instanceof RangeError) return tooLarge(bytesMax);
    return refuse(400, "content_encoding_invalid", "The body is not valid gzip.");
  }
}

function decoded(bytes: Buffer): BodyRead {
  if (!isUtf8(bytes)) return refuse(400, "body_not_text", "The body is not UTF-8 text.");
  const text = bytes.toString("utf8");
  return { ok: true, text: text.charCodeAt(0) === 0xfeff ? text.slice(1) : text };
}

function tooLarge(bytesMax: number): BodyRead {
  return refuse(
    413,
    "body_too_large",
    `The body is longer than ${String(bytesMax)} bytes, the limit of this route.`,
  );
}

function refuse(status: number, code: HttpCode, message: string): BodyRead {
  return { ok: false, problem: httpProblem(status, code, message) };
}
