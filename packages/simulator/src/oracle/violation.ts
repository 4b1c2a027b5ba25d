// What the oracle holds against a simulation: the first promise that was broken.

export type Rule =
  /** A recorded step was written again. */
  | "step-rewritten"
  /** A memo that no execution, event, time or child run explains. */
  | "memo-unexplained"
  /** One dispatch id went out twice. */
  | "dispatch-repeated"
  /** A call went out before its lease was committed. */
  | "sent-uncommitted"
  /** A request does not hold exactly the steps that were recorded when it was decided. */
  | "request-wrong"
  /** A call was sent for a run that had ended before. */
  | "ended-run-called"
  /** A run that had ended was changed. */
  | "ended-run-changed"
  /** Without any fault, a step returned twice. */
  | "step-repeated"
  /** A run has no next wake-up, or one that cannot wake it. */
  | "wake-up"
  /** An event (or its idempotency key) started a function twice, or a step invoked one twice. */
  | "run-started-twice"
  /** An event was stored twice. */
  | "event-repeated"
  /** Something that was acknowledged is not there. */
  | "acknowledged-lost"
  /** An accepted event did not start a function that it triggers. */
  | "run-not-started"
  /** A run ended as its program cannot end. */
  | "outcome-wrong"
  /** A deferred function was lost, started twice, or started although it was aborted. */
  | "defer-broken"
  /** A run goes on although the last who wanted it was cancelled. */
  | "orphan"
  /** A run that was started again is not the repeat of its original, or there are two. */
  | "repeat-wrong"
  /** A wait missed an event, or timed out early. */
  | "wait-missed"
  /** A wait did not see an event within its look-back. */
  | "lookback-missed"
  /** A step has got an event that was not its own, or has kept what it did not get. */
  | "branch-wrong"
  /** A signal was given twice, or to a run that does not hold its name; or a name was not freed. */
  | "signal-broken"
  /** A dispatch that had been replaced moved its run. */
  | "stale-accepted"
  /** A result is recorded, but no discovery has seen it and none is to come. */
  | "progress-missed"
  /** Without any fault, a sleep ended long after its time. */
  | "timer-late"
  /** More calls were out than the gate allows. */
  | "gate-exceeded"
  /** Flow control was not kept: two runs of a singleton, a batch or a start that should not be. */
  | "flow-broken"
  /** More starts than a throttle allows, or one that it held back for nothing. */
  | "throttle-broken"
  /** A queue let more calls pass than its turns while another waited. */
  | "starved"
  /** Within one queue a call left before one that was ahead of it. */
  | "order-broken"
  /** A first call of a paused function left, or a function goes on that nobody resumed. */
  | "pause-broken"
  /** A start was refused although nothing refuses it, or was let through although something does. */
  | "count-wrong"
  /** A call was handed out again while its process still had it under way. */
  | "called-twice"
  /** Metadata of a step is not there, or there twice. */
  | "metadata-broken"
  /** Without any fault, far more was decided than there was to do. */
  | "busy-idling"
  /** A tick of a schedule came twice. */
  | "tick-repeated"
  /** A tick was not taken, or not counted, although the schedule's policy wants it. */
  | "tick-lost"
  /** A tick came that is none, or out of order, or too late. */
  | "tick-wrong"
  /** Runs of two ticks go on although the schedule's overlap forbids it. */
  | "overlap-broken"
  /** After everything, something is left: a run, a slot of a gate, a row. */
  | "never-quiet"
  | "left-over"
  /** The server met a fault of its own. */
  | "server-fault";

export interface Violation {
  readonly rule: Rule;
  readonly message: string;
}

/** Says that a promise was broken. Only the first counts. */
export type Accuse = (rule: Rule, message: string) => void;
