// What an error of user code says about trying again. Errors are also known by their name, because
// an app may hold two copies of this package (ESM and CommonJS). Pure.
import { PawlError, type PawlErrorCode, type RetryAfterError } from "../errors.ts";

/** Mistakes in the code that another attempt would only repeat. */
const permanentCodes: ReadonlySet<PawlErrorCode> = new Set<PawlErrorCode>([
  "value_unsupported",
  "value_cyclic",
  "value_too_deep",
  "step_nested",
  "step_id_invalid",
  "retries_invalid",
  "duration_invalid",
  "option_invalid",
  "event_invalid",
]);

/** Whether another attempt is pointless, by the word of the one who threw. */
export function isPermanent(error: unknown): boolean {
  if (error instanceof PawlError) return permanentCodes.has(error.code);
  return error instanceof Error && error.name === "NonRetriableError";
}

/** Whether the error says when to try again. */
export function isRetryAfter(error: unknown): error is RetryAfterError {
  return error instanceof Error && error.name === "RetryAfterError" && "retryAfter" in error;
}
