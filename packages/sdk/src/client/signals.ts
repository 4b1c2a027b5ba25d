// Sending signals to the run that waits for them.
import { PawlError } from "../errors.ts";
import { requestApi } from "../serve/server-api.ts";
import { encodeValue } from "../values/encode.ts";
import { bytesToBase64 } from "../values/bytes.ts";
import type { Connection } from "./connection.ts";
import { retrying, sendAttemptsMax, type Try } from "./retrying.ts";

/** A signal about to be sent. */
export interface OutgoingSignal {
  /** Its name; at most 256 characters unless the server is set otherwise. */
  readonly signal: string;
  readonly data?: unknown;
}

export interface SignalResult {
  /** The run that waited for the signal; null when none did. */
  readonly runId: string | null;
}

/**
 * Sends a signal; `id`: sent again under it, it resumes nothing again. Throws `PawlError`:
 * `signal_invalid`, `signal_refused`, `signal_unsent`, `value_*`.
 */
export async function sendSignal(
  connection: Connection,
  { signal, data }: OutgoingSignal,
  id = bytesToBase64(connection.runtime.randomBytes(15)),
): Promise<SignalResult> {
  checkSignal(signal, "A signal that is sent");
  const value = encodeValue({ signal, data });
  // proof: an object with the two members
  const plain = value.data as { readonly data?: typeof value.data };
  const types = value.types === null ? {} : { types: value.types };
  const body = JSON.stringify({ signal, data: plain.data ?? null, ...types, id });
  const result = await retrying(connection, () => tryOnce(connection, body));
  if ("value" in result) return { runId: result.value };
  const { message } = result.failure;
  const reason = `Signal "${signal}" could not be sent in ${sendAttemptsMax} tries: ${message}`;
  throw new PawlError("signal_unsent", reason, { cause: result.failure });
}

/** Throws `signal_invalid` for what cannot be the name of a signal. */
export function checkSignal(signal: unknown, where: string): void {
  if (typeof signal === "string" && signal !== "") return;
  throw new PawlError("signal_invalid", `${where} has no name: "signal" must be a text.`);
}

async function tryOnce(connection: Connection, body: string): Promise<Try<string | null>> {
  let answer: Awaited<ReturnType<typeof requestApi>>;
  try {
    answer = await requestApi(connection, "POST", "/v1/signals", body);
  } catch (error) {
    const retry = error instanceof Error ? error : new Error(String(error));
    return { retry, afterMs: 0 };
  }
  const { status, text } = answer;
  const { code, error, data } = readAnswer(text);
  if (status === 404 && code === "signal_not_found") return { value: null };
  if (status === 200 && typeof data?.run_id === "string") return { value: data.run_id };
  const reason = typeof error === "string" ? error : `the server answered ${status}`;
  if (status === 200 || status === 429 || status >= 500)
    return { retry: new Error(reason), afterMs: 0 };
  throw new PawlError("signal_refused", `The server refused the signal (${status}): ${reason}`);
}

interface SignalAnswer {
  readonly code?: unknown;
  readonly error?: unknown;
  readonly data?: { readonly run_id?: unknown } | null;
}

function readAnswer(text: string): SignalAnswer {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" ? value : {};
  } catch {
    return {};
  }
}
