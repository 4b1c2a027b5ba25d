// What a function can be told besides its code: triggers, retries and flow control, in the words of
// the registration (protocol.md 1.3). Types only; `registration.ts` writes them out.
import type { Duration } from "../durations.ts";
import type {
  EventOf,
  EventSchemas,
  InternalEvents,
  PawlEvent,
  ReceivableName,
  ScheduledEvent,
} from "../events/event-types.ts";

/** Starts a function for each event of that name for which the CEL expression `if` is true. */
export interface EventTrigger<Name extends string = string> {
  /** Name of the event; may end in `*`. */
  readonly event: Name;
  /** CEL over `event`, such as `event.data.total > 100`; every event unless said. */
  readonly if?: string;
}

/** Starts a function at times. */
export interface CronTrigger {
  /**
   * Five fields, or six with seconds before them, such as `0 9 * * 1-5`. In UTC, or in the zone named
   * before them: `TZ=Europe/Paris 0 9 * * *`.
   */
  readonly cron: string;
  /** Each start is late by a random time up to this; not at all unless said. */
  readonly jitter?: Duration;
}

/** What starts a function. Names may end in `*`. */
export type Trigger<Name extends string = string> = EventTrigger<Name> | CronTrigger;

/** One trigger, or up to ten. */
export type Triggers<Name extends string = string> = Trigger<Name> | readonly Trigger<Name>[];

/** Event names that a trigger of this client may have. */
export type TriggerName<Events extends EventSchemas> = ReceivableName<Events> | `${string}*`;

type EventOfTrigger<Events extends EventSchemas, T> = T extends { readonly event: infer Name }
  ? Name extends string
    ? EventOf<Events, Name>
    : never
  : T extends { readonly cron: string }
    ? ScheduledEvent
    : never;

/** The event that a function with these triggers receives: a union over several. */
export type EventOfTriggers<Events extends EventSchemas, T> = [T] extends [readonly (infer Each)[]]
  ? EventOfTrigger<Events, Each>
  : EventOfTrigger<Events, T>;

/** The data one may invoke a function with that receives such events. */
export type InvokableData<Event> = Event extends ScheduledEvent
  ? never
  : Event extends InternalEvents[keyof InternalEvents]
    ? never
    : Event extends PawlEvent<string, infer Data>
      ? Data
      : never;

/** Whom a limit counts: the function, everything in the environment, or the whole account. */
export type LimitScope = "fn" | "env" | "account";

/** A limit of calls in flight. Runs that sleep or wait hold no place; at most two limits a function. */
export interface ConcurrencyOptions {
  /** Calls at the same time, whole; 0: no limit. A sync changes it for runs under way, too. */
  readonly limit: number;
  /** CEL over `event`, such as `event.data.userId`: each value has places and a queue of its own. */
  readonly key?: string;
  /** `fn` unless said. `env` and `account` share places among functions with the same key, and need one. */
  readonly scope?: LimitScope;
}

/** Cancels runs when a matching event arrives. */
export interface CancelOptions<Name extends string = string> {
  /** Name of the event that cancels. */
  readonly event: Name;
  /** CEL over `event` (what started the run) and `async` (the arriving event); any unless said. */
  readonly if?: string;
  /** Path that must be equal in both events, such as `data.userId`; instead of `if`. */
  readonly match?: string;
  /** How long after its start, or until when, a run can be cancelled so; always unless said. */
  readonly timeout?: Duration | Date;
}

/** Holds starts back to a rate; none is lost. */
export interface ThrottleOptions {
  /** Starts in one period, whole, from 1. */
  readonly limit: number;
  /** From 1 s. */
  readonly period: Duration;
  /** Starts that may happen at once after a pause, from 0, which is like 1; 1 unless said. */
  readonly burst?: number;
  /** CEL over `event`: each value has a rate of its own; one for the function unless said. */
  readonly key?: string;
}

/** Drops starts beyond a rate; the run is recorded as skipped. */
export interface RateLimitOptions {
  /** Starts in one period, whole, from 1. */
  readonly limit: number;
  /** From 1 s to 24 h. */
  readonly period: Duration;
  /** CEL over `event`: each value has a rate of its own; one for the function unless said. */
  readonly key?: string;
}

/** Starts once events have ceased to come, with the last of them by `ts`. */
export interface DebounceOptions {
  /** Silence before the start, from 1 s to 7 d. */
  readonly period: Duration;
  /** Longest delay since the first event, from 1 s; none unless said. */
  readonly timeout?: Duration;
  /** CEL over `event`: each value is debounced by itself; all together unless said. */
  readonly key?: string;
}

/** Collects events into one run, which gets them as `events`. Not with `debounce`, `rateLimit`, `priority`. */
export interface BatchOptions {
  /** Events that start the run at once, whole, from 2 to 100. */
  readonly maxSize: number;
  /** Longest wait for more events since the first, from 1 s to 60 s. */
  readonly timeout: Duration;
  /** CEL over `event`: each value has a batch of its own; one for the function unless said. */
  readonly key?: string;
  /** CEL over `event`: an event for which it is false runs alone; every event is batched unless said. */
  readonly if?: string;
}

/** Moves runs in the queue of their function. Not with `batchEvents`. */
export interface PriorityOptions {
  /** CEL over `event` for a whole number from -600 to 600: seconds by which a run goes ahead of others. */
  readonly run: string;
}

/** Ends runs that take too long: they count as cancelled. */
export interface TimeoutOptions {
  /** From the event to the first call, from 1 s; no limit unless said. */
  readonly start?: Duration;
  /** From the first call to the end, from 1 s; no limit unless said. */
  readonly finish?: Duration;
}

/** One run at a time. */
export interface SingletonOptions {
  /** What becomes of a second run: it is skipped, or the first is cancelled for it. */
  readonly mode: "skip" | "cancel";
  /** CEL over `event`: one run for each value; the value `false` lets the event pass. One run unless said. */
  readonly key?: string;
}

/**
 * Options that the server enforces. Durations are ms, texts such as `"1h30m"` (w, d, h, m, s, ms), or
 * `Temporal.Duration`. What cannot work is refused by `createFunction`, in the server's own words; only
 * whether expressions compile is checked when the app is synced.
 */
export interface FlowOptions<Name extends string = string> {
  /** Calls in flight at the same time: a number, a limit, or two limits. No limit unless said. */
  readonly concurrency?:
    | number
    | ConcurrencyOptions
    | readonly [ConcurrencyOptions]
    | readonly [ConcurrencyOptions, ConcurrencyOptions];
  /** At most so many starts in a period; the others wait. */
  readonly throttle?: ThrottleOptions;
  /** At most so many starts in a period; the others are dropped. */
  readonly rateLimit?: RateLimitOptions;
  /** One start for a series of events, with the last. */
  readonly debounce?: DebounceOptions;
  /** One run for several events. */
  readonly batchEvents?: BatchOptions;
  /** Runs that go ahead of others of this function, or behind them. */
  readonly priority?: PriorityOptions;
  /** CEL over `event`: events with an equal value start the function once in 24 hours. */
  readonly idempotency?: string;
  /** Events that cancel runs; at most five. */
  readonly cancelOn?: readonly CancelOptions<Name>[];
  /** Longest times to start and to finish. */
  readonly timeouts?: TimeoutOptions;
  /** One run at a time, for the function or for each value of a key. */
  readonly singleton?: SingletonOptions;
}

/** How far a call goes on by itself, saving each finished step, before it answers. */
export interface CheckpointOptions {
  /** Finished steps to gather before saving them; 1 unless said, the safest. */
  readonly bufferedSteps?: number;
  /** Saves at the end of a step when this long has passed since the last time; 0: never. */
  readonly maxInterval?: Duration;
  /** Answers when a step ends and this long has passed; 10 s unless said, 0: no limit. */
  readonly maxRuntime?: Duration;
}

/** What `createFunction` takes besides triggers and `onFailure`. */
export interface FunctionSettings<Name extends string = string> extends FlowOptions<Name> {
  /** Letters, digits, `.`, `_` and `-`; keep it: runs in flight find their function by it. */
  readonly id: string;
  /** What people read; the id unless said. */
  readonly name?: string;
  /** What the function is for, for people. */
  readonly description?: string;
  /** Retries of the function and of each of its steps, 0 to 20; 3 unless said. */
  readonly retries?: number;
  /** `false`: answer after each step. */
  readonly checkpointing?: boolean | CheckpointOptions;
}
