// Trying a request of a client again while the server cannot answer, later and later.
import type { Connection } from "./connection.ts";

/** Tries of one request, the first included. */
export const sendAttemptsMax = 6;
const backoffBaseMs = 100;
/** Also the longest wait that a server may ask for. */
export const backoffMaxMs = 5_000;

/** What one try came to; `afterMs`: the server wants to be left alone for so long. */
export type Try<T> = { readonly value: T } | { readonly retry: Error; readonly afterMs: number };

/** The value, or why the last try had none. What `once` throws is final. */
export async function retrying<T>(
  { runtime }: Connection,
  once: () => Promise<Try<T>>,
): Promise<{ readonly value: T } | { readonly failure: Error }> {
  for (let attempt = 0; ; attempt += 1) {
    const result = await once();
    if ("value" in result) return result;
    if (attempt + 1 === sendAttemptsMax) return { failure: result.retry };
    const [noise = 0] = runtime.randomBytes(1);
    const backoffMs = Math.min(backoffBaseMs * 2 ** attempt, backoffMaxMs) * (1 + noise / 512);
    await runtime.sleep(Math.max(backoffMs, result.afterMs));
  }
}
