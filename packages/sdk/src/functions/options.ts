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
  readonly event: Name;
  readonly if?: string;
}

/** Starts a function at times: five fields, or six with seconds, in UTC or behind `TZ=Area/City `. */
export interface CronTrigger {
  readonly cron: string;
  /** Spreads the starts over that long. */
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

/** Whom a limit counts: runs of the function, of the environment, or of the whole account. */
export type LimitScope = "fn" | "env" | "account";

/** So many steps at once; per value of the CEL expression `key`. */
export interface ConcurrencyOptions {
  readonly limit: number;
  readonly key?: string;
  readonly scope?: LimitScope;
}

/** Cancels runs when a matching event arrives. */
export interface CancelOptions<Name extends string = string> {
  readonly event: Name;
  /** CEL over `event` (what started the run) and `async` (the arriving event). */
  readonly if?: string;
  /** Path that must be equal in both events, such as `data.userId`; instead of `if`. */
  readonly match?: string;
  /** How long after its start a run can be cancelled so; a year unless said. */
  readonly timeout?: Duration | Date;
}

/** Options that the server enforces. All durations as in `step.sleep`. */
export interface FlowOptions<Name extends string = string> {
  readonly concurrency?:
    | number
    | ConcurrencyOptions
    | readonly [ConcurrencyOptions]
    | readonly [ConcurrencyOptions, ConcurrencyOptions];
  /** Starts at most `limit` runs (and a `burst`) per `period`; the others wait. */
  readonly throttle?: {
    readonly limit: number;
    readonly period: Duration;
    readonly burst?: number;
    readonly key?: string;
  };
  /** Starts at most `limit` runs per `period`; the others are dropped. */
  readonly rateLimit?: {
    readonly limit: number;
    readonly period: Duration;
    readonly key?: string;
  };
  /** Waits until no event has come for `period`, at most `timeout`, and takes the last. */
  readonly debounce?: {
    readonly period: Duration;
    readonly timeout?: Duration;
    readonly key?: string;
  };
  /** Collects up to `maxSize` events, for at most `timeout`, into one run. */
  readonly batchEvents?: {
    readonly maxSize: number;
    readonly timeout: Duration;
    readonly key?: string;
    readonly if?: string;
  };
  /** CEL whose number moves a run that many seconds forward in the queue. */
  readonly priority?: { readonly run: string };
  /** CEL: events with an equal value start the function once in 24 hours. */
  readonly idempotency?: string;
  /** At most five. */
  readonly cancelOn?: readonly CancelOptions<Name>[];
  /** Cancels runs that did not start, or did not finish, within that time. */
  readonly timeouts?: { readonly start?: Duration; readonly finish?: Duration };
  /** One run at a time: a new one is skipped, or cancels the old one. */
  readonly singleton?: { readonly mode: "skip" | "cancel"; readonly key?: string };
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
  readonly description?: string;
  /** Retries of the function and of each of its steps, 0 to 20; 3 unless said. */
  readonly retries?: number;
  /** `false`: answer after each step. */
  readonly checkpointing?: boolean | CheckpointOptions;
}
