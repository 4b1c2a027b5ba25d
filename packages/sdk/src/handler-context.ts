// What a function's code receives. Types only.
import type { EventSchemas, PawlEvent } from "./events/event-types.ts";
import type { Logger } from "./logger.ts";
import type { StepTools } from "./steps/step-tools.ts";

/** What every handler receives, whatever its events. */
export interface HandlerBase {
  /** The event that started the run; the first one of a batch. */
  readonly event: PawlEvent;
  /** All events of the run, at least one. */
  readonly events: readonly PawlEvent[];
  readonly step: StepTools;
  readonly runId: string;
  /** Zero for the first try of the step or function at hand. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Silent while finished steps are replayed, so that each line appears once. */
  readonly logger: Logger;
  /** The function's id as it was defined. */
  readonly functionId: string;
  /** Aborted when nobody waits for the answer of this call any more, where the host can tell. */
  readonly signal: AbortSignal;
}

/** What the handler of a function receives, with its events typed and middleware's additions. */
export type HandlerContext<Events extends EventSchemas, Event, Additions extends object> = Omit<
  HandlerBase,
  "event" | "events" | "step" | keyof Additions
> & {
  readonly event: Event;
  readonly events: readonly [Event, ...Event[]];
  readonly step: StepTools<Events>;
} & Additions;

/** What `onFailure` receives besides: the error that ended the run, and the event that started it. */
export interface FailureDetails<Original> {
  readonly error: Error;
  readonly originalEvent: Original;
}
