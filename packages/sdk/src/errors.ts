// Every error class of this package. `PawlError` is what the SDK itself complains with; the other
// classes are words that user code and the SDK exchange about retries and failed steps.
// This file must not know HTTP.

/**
 * Why the SDK refused something:
 *
 * - `app_id_invalid`, `function_id_invalid`, `step_id_invalid`: an id is empty, too long, or has
 *   characters that ids may not have.
 * - `trigger_missing`, `trigger_invalid`, `trigger_duplicate`, `triggers_too_many`: the triggers of
 *   a function cannot be registered.
 * - `retries_invalid`: retries are not a whole number from 0 to 20.
 * - `duration_invalid`: a duration or a time cannot be read.
 * - `option_invalid`: another option has a value it cannot have.
 * - `function_duplicate`: two functions given to one `serve` have the same id.
 * - `event_invalid`: an event about to be sent breaks its schema or the rules for events.
 * - `event_key_missing`: events cannot be sent, because no event key is set outside of dev mode.
 * - `event_refused`: the server understood the events and refused them.
 * - `event_unsent`: the server could not be reached, or kept failing, until the retries ran out.
 * - `signal_invalid`: a signal has no name.
 * - `signal_refused`: the server understood the signal and refused it, as too large for example.
 * - `signal_unsent`: the server could not be reached, or kept failing, until the retries ran out.
 * - `schedule_exists`, `schedule_not_found`, `schedule_busy`, `schedule_refused`: the server refused
 *   what was asked of a schedule; the message has its reason.
 * - `server_unreachable`, `server_refused`: another request to the server failed.
 * - `value_unsupported`, `value_cyclic`, `value_too_deep`: a value cannot be recorded.
 * - `step_nested`: a step was started inside another step.
 * - `call_invalid`: the server's request does not follow the protocol.
 */
export type PawlErrorCode =
  | "app_id_invalid"
  | "function_id_invalid"
  | "step_id_invalid"
  | "trigger_missing"
  | "trigger_invalid"
  | "trigger_duplicate"
  | "triggers_too_many"
  | "retries_invalid"
  | "duration_invalid"
  | "option_invalid"
  | "function_duplicate"
  | "event_invalid"
  | "event_key_missing"
  | "event_refused"
  | "event_unsent"
  | "signal_invalid"
  | "signal_refused"
  | "signal_unsent"
  | "schedule_exists"
  | "schedule_not_found"
  | "schedule_busy"
  | "schedule_refused"
  | "server_unreachable"
  | "server_refused"
  | "value_unsupported"
  | "value_cyclic"
  | "value_too_deep"
  | "step_nested"
  | "call_invalid";

/** The one error this package throws on its own account; branch on `code`, never on the message. */
export class PawlError extends Error {
  override readonly name = "PawlError";
  readonly code: PawlErrorCode;

  constructor(code: PawlErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Thrown by user code: do not try this step, or this function, again. */
export class NonRetriableError extends Error {
  override readonly name: string = "NonRetriableError";
}

/**
 * Thrown by user code: try again, but not before the given time. The server keeps it between one
 * second and one day from now.
 */
export class RetryAfterError extends Error {
  override readonly name: string = "RetryAfterError";
  /** Seconds, a duration such as `"90s"`, or the moment itself. */
  readonly retryAfter: number | string | Date;

  constructor(message: string, retryAfter: number | string | Date, options?: ErrorOptions) {
    super(message, options);
    this.retryAfter = retryAfter;
  }
}

/** What is known about a step that failed for good. */
export interface StepErrorDetails {
  /** The step's id as the function wrote it. */
  readonly stepId: string;
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
  /** What caused the failure, when the failing code said so. */
  readonly cause?: unknown;
}

/**
 * Thrown into a function by a step that failed for good. `name`, `message`, `stack` and `cause` are
 * those of the error that the last attempt threw; catch it to go on without the step.
 */
export class StepError extends Error {
  /** The step's id as the function wrote it. */
  readonly stepId: string;

  constructor(details: StepErrorDetails) {
    super(details.message, "cause" in details ? { cause: details.cause } : undefined);
    this.stepId = details.stepId;
    Object.defineProperty(this, "name", { value: details.name, configurable: true });
    if (details.stack !== null) {
      Object.defineProperty(this, "stack", { value: details.stack, configurable: true });
    }
  }
}

/** The wire's name for an invocation that ran out of time (protocol.md 2.2). */
export const invokeTimeoutName = "InngestInvokeTimeoutError";

/** A `step.invoke` whose function did not finish within its timeout. */
export class InvokeTimeoutError extends StepError {}
