// What a call to an app came to, as plain data: the driver seam's output and the engine's input.
// Drivers translate their transport into this; they decide nothing.
import type { JsonText } from "./json-text.ts";
import type { Opcode } from "./opcode.ts";

/** The function returned; `memo` is `{"data": result}`, wrapper included. */
export interface CompletedAnswer {
  readonly kind: "completed";
  readonly memo: JsonText;
}

/** The app answered with opcodes. `retryAfterMs`: `retry-after` that came with a 206. */
export interface OpcodesAnswer {
  readonly kind: "opcodes";
  readonly opcodes: readonly Opcode[];
  readonly retryAfterMs: number | null;
}

/** The call failed: the app said so, or its answer could not be had or read. */
export interface FailedAnswer {
  readonly kind: "failed";
  /** `{name, message, stack?, code?}`, as the app sent it or as the driver found it. */
  readonly error: JsonText;
  readonly noRetry: boolean;
  /** When to try again, in ms from now; null leaves it to the backoff table. */
  readonly retryAfterMs: number | null;
}

export type Answer = (CompletedAnswer | OpcodesAnswer | FailedAnswer) & {
  /** `x-inngest-req-version` of the answer; null when it was missing. */
  readonly requestVersion: number | null;
};
