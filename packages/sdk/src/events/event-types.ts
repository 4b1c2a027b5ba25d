// Events as handlers see them and as senders write them, typed by the client's schemas.
// Types only.
import type { SchemaInput, SchemaOutput, StandardSchemaV1 } from "./standard-schema.ts";

/** Data of an event that no schema describes: look before you use it. */
export type EventData = Readonly<Record<string, unknown>>;

/** An event as a function receives it. */
export interface PawlEvent<Name extends string = string, Data = EventData> {
  /** The sender's id for the event, else the server's. */
  readonly id: string;
  readonly name: Name;
  readonly data: Data;
  /** When it happened, in ms since the epoch. */
  readonly ts: number;
  /** About the user whom the event concerns. */
  readonly user?: EventData;
  /** Version of the event's form, when the sender gave one. */
  readonly v?: string;
}

/** An event about to be sent. */
export interface OutgoingEvent<Name extends string = string, Data = EventData> {
  readonly name: Name;
  readonly data?: Data;
  /**
   * Key for idempotency: within 24 hours a second event with this id starts no function again.
   */
  readonly id?: string;
  /** When it happened, in ms since the epoch; a time to come delays the start of functions. */
  readonly ts?: number;
  readonly user?: EventData;
  readonly v?: string;
}

/** Event name -> schema of its data. */
export type EventSchemas = Readonly<Record<string, StandardSchemaV1>>;

/** No schemas: any event name, data to be looked at before use. */
export type NoSchemas = Record<never, never>;

/** How an error looks inside of an event. */
export interface EventError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
}

/** The server tells that a run has failed. */
export type FunctionFailedEvent<Original = PawlEvent> = PawlEvent<
  "inngest/function.failed",
  {
    readonly function_id: string;
    readonly run_id: string;
    readonly event: Original;
    readonly error: EventError;
  }
>;

/** The server tells that a run was cancelled. */
export type FunctionCancelledEvent = PawlEvent<
  "inngest/function.cancelled",
  {
    readonly function_id: string;
    readonly run_id: string;
    readonly event: PawlEvent;
    readonly error: EventError;
  }
>;

/** The server tells that a run has ended, in whatever way. */
export type FunctionFinishedEvent = PawlEvent<
  "inngest/function.finished",
  {
    readonly function_id: string;
    readonly run_id: string;
    readonly event: PawlEvent;
    readonly result?: unknown;
    readonly error?: EventError;
  }
>;

/** What starts a function with a `cron` trigger. */
export type ScheduledEvent = PawlEvent<"inngest/scheduled.timer", { readonly cron: string }>;

/** Events that the server sends. */
export interface InternalEvents {
  readonly "inngest/function.failed": FunctionFailedEvent;
  readonly "inngest/function.cancelled": FunctionCancelledEvent;
  readonly "inngest/function.finished": FunctionFinishedEvent;
  readonly "inngest/scheduled.timer": ScheduledEvent;
}

/** Names that can be sent: the described ones, or any when none is described. */
export type EventName<Events extends EventSchemas> = keyof Events extends never
  ? string
  : keyof Events & string;

/** Names that can be waited for. */
export type ReceivableName<Events extends EventSchemas> = EventName<Events> | keyof InternalEvents;

/** The event of a name as functions receive it. */
export type EventOf<Events extends EventSchemas, Name extends string> = Name extends keyof Events
  ? PawlEvent<Name, SchemaOutput<Events[Name]>>
  : Name extends keyof InternalEvents
    ? InternalEvents[Name]
    : Name extends `${string}*`
      ? PawlEvent
      : PawlEvent<Name>;

type OutgoingOf<Events extends EventSchemas, Name extends string> = Name extends keyof Events
  ? OutgoingEvent<Name, SchemaInput<Events[Name]>> & {
      readonly data: SchemaInput<Events[Name]>;
    }
  : OutgoingEvent<Name>;

/** Any event that a client may send. */
export type SendableEvent<Events extends EventSchemas> = OutgoingOf<Events, EventName<Events>>;

/** What `send` takes. */
export type Sendable<Events extends EventSchemas> =
  | SendableEvent<Events>
  | readonly SendableEvent<Events>[];
