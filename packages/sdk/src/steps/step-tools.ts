// The steps as functions see them. Types only; `make-step-tools.ts` implements them.
import type { Duration, Moment } from "../durations.ts";
import type {
  EventOf,
  EventSchemas,
  NoSchemas,
  ReceivableName,
  Sendable,
} from "../events/event-types.ts";
import type { FetchStepInit, InferOptions } from "./gateway-types.ts";
import type { InvokeData, InvokeTarget, OutputOf } from "../functions/invoke-target.ts";
import type { SendResult } from "../client/send.ts";
import type { OutgoingSignal, SignalResult } from "../client/signals.ts";

/** What names a step: its id, or the id with a name that people read. */
export type StepId = string | StepIdOptions;

export interface StepIdOptions {
  /** Unique in the function, or told apart by order; keep it: records are found by it. */
  readonly id: string;
  readonly name?: string;
}

/** Options of a step that runs code. */
export interface RunStepOptions extends StepIdOptions {
  /** Retries of this step alone, 0 to 20; else the function's. */
  readonly retries?: number;
}

/** Options of `step.waitForEvent`. */
export interface WaitOptions<Name extends string> {
  readonly event: Name;
  /** CEL over `event` (what started the run) and `async` (the arriving event). */
  readonly if?: string;
  /** Path that must be equal in both events, such as `data.userId`; instead of `if`. */
  readonly match?: string;
  /** How long, or until when, to wait. */
  readonly timeout: Duration | Date;
  /**
   * How far back events count that arrived before the step was reached: `"run"` (unless said), for
   * since the run was created; a duration; `false` for not at all.
   */
  readonly lookback?: false | Duration;
}

/** What to wait for, by names of your own: `{ paid: { event: "order/paid" } }`. */
export type NamedEvents<Name extends string> = Readonly<
  Record<string, Pick<WaitOptions<Name>, "event" | "if" | "match">>
>;

/** Options of `step.waitForAny` and `step.waitForAll`. */
export interface WaitForEventsOptions<Named> {
  /** At least one; at most 10 unless the server is set otherwise. */
  readonly events: Named;
  /** How long, or until when, to wait; for all of them together. */
  readonly timeout: Duration | Date;
  /** As with `step.waitForEvent`, for each of them. */
  readonly lookback?: false | Duration;
}

/** The event that came first, with the name it was waited for under. */
export type FirstEvent<Events extends EventSchemas, Named extends NamedEvents<string>> = {
  readonly [Key in keyof Named & string]: {
    readonly name: Key;
    readonly event: EventOf<Events, Named[Key]["event"]>;
  };
}[keyof Named & string];

/** One event of each, by the names they were waited for under. */
export type AllEvents<Events extends EventSchemas, Named extends NamedEvents<string>> = {
  readonly [Key in keyof Named & string]: EventOf<Events, Named[Key]["event"]>;
};

/** Options of `step.waitForSignal`. */
export interface WaitForSignalOptions {
  /** Its name; at most 256 characters unless the server is set otherwise. */
  readonly signal: string;
  /** How long, or until when, to wait. */
  readonly timeout: Duration | Date;
  /**
   * What happens when a run waits for the signal already: `"fail"` (unless said) fails this run;
   * `"replace"` takes its place, and the other waits on in vain until its own time is over.
   */
  readonly onConflict?: "fail" | "replace";
}

/** A signal as a function receives it. */
export interface ReceivedSignal<Data = unknown> {
  readonly signal: string;
  readonly data: Data;
}

/** What becomes of an invoked run when its invoker is cancelled. */
export type OnCancel = "cancel" | "abandon";

/** Options of `step.invoke`. */
export type InvokeOptions<Target extends InvokeTarget> = {
  readonly function: Target;
  readonly user?: Readonly<Record<string, unknown>>;
  /** How long, or until when, to wait for the result; a year unless said. */
  readonly timeout?: Duration | Date;
  /** What becomes of the invoked run when this one is cancelled; it is cancelled too, unless said. */
  readonly onCancel?: OnCancel;
} & InvokeData<Target>;

/** Steps that ask AI models. */
export interface AiStepTools {
  /**
   * Has the server ask a model, so that no function waits for it, and returns the provider's
   * response. Throws `StepError` named `AIGatewayError` when the provider refused, or when all
   * attempts have failed.
   */
  infer<Input, Output>(
    id: string | RunStepOptions,
    options: InferOptions<Input, Output>,
  ): Promise<Output>;
  /** `step.run` for code that asks a model itself; people see it as such. */
  wrap<Args extends readonly unknown[], Output>(
    id: string | RunStepOptions,
    code: (...args: Args) => Output,
    ...args: Args
  ): Promise<Awaited<Output>>;
}

/** See the head of this file. Each step's result is recorded; a finished step never runs again. */
export interface StepTools<Events extends EventSchemas = NoSchemas> {
  /**
   * Runs code until it has succeeded once, and returns what it returned then. The arguments are
   * shown to people and handed to the code. Throws `StepError` when all attempts have failed.
   */
  run<Args extends readonly unknown[], Output>(
    id: string | RunStepOptions,
    code: (...args: Args) => Output,
    ...args: Args
  ): Promise<Awaited<Output>>;
  /** Pauses the run; nothing stays in memory meanwhile. */
  sleep(id: StepId, duration: Duration): Promise<void>;
  /** Pauses the run until a moment; one in the past is over at once. */
  sleepUntil(id: StepId, moment: Moment): Promise<void>;
  /** Waits for an event; null when none came in time. */
  waitForEvent<const Name extends ReceivableName<Events>>(
    id: StepId,
    options: WaitOptions<Name>,
  ): Promise<EventOf<Events, Name> | null>;
  /**
   * Waits for the first of several events; null when none came in time. `name` tells which it is,
   * and the type of `event` follows from it. The others are not waited for any more. An event that
   * fits several of them counts for the first.
   */
  waitForAny<const Named extends NamedEvents<ReceivableName<Events>>>(
    id: StepId,
    options: WaitForEventsOptions<Named>,
  ): Promise<FirstEvent<Events, Named> | null>;
  /**
   * Waits until one event of each has come; null when the time was over before. An event that fits
   * several of them counts for each. What had come is not lost: a later wait that looks back
   * finds it.
   */
  waitForAll<const Named extends NamedEvents<ReceivableName<Events>>>(
    id: StepId,
    options: WaitForEventsOptions<Named>,
  ): Promise<AllEvents<Events, Named> | null>;
  /**
   * Waits for a signal by its name, which is this run's alone while it waits; null when none came
   * in time. Nobody checks `Data`: it is what senders are trusted to send.
   */
  waitForSignal<Data = unknown>(
    id: StepId,
    options: WaitForSignalOptions,
  ): Promise<ReceivedSignal<Data> | null>;
  /**
   * Sends a signal as a step: once, however often the function runs. `runId` of the result is null
   * when nobody waited for it.
   */
  sendSignal(id: StepId, signal: OutgoingSignal): Promise<SignalResult>;
  /**
   * Runs another function and returns what it returns. Throws `StepError` with its error when it
   * failed, `InvokeTimeoutError` when it was not done in time.
   */
  invoke<Target extends InvokeTarget>(
    id: StepId,
    options: InvokeOptions<Target>,
  ): Promise<OutputOf<Target>>;
  /**
   * Has the server send an HTTP request, so that no function waits for it, and returns the response,
   * whatever its status: on a replay the very same. Requests that change something carry an
   * `idempotency-key` that stays the same when they are sent again. Throws `StepError` named
   * `GatewayError` when no attempt brought a response.
   */
  fetch(id: string | RunStepOptions, url: string | URL, init?: FetchStepInit): Promise<Response>;
  readonly ai: AiStepTools;
  /** Sends events as a step: once, however often the function runs. */
  sendEvent(id: StepId, events: Sendable<Events>): Promise<SendResult>;
}
