// The client: the one object an app makes. It defines functions and sends events.
import { PawlError } from "../errors.ts";
import type {
  EventSchemas,
  FunctionFailedEvent,
  NoSchemas,
  OutgoingEvent,
  Sendable,
} from "../events/event-types.ts";
import type {
  EventOfTriggers,
  FunctionSettings,
  InvokableData,
  Trigger,
  TriggerName,
  Triggers,
} from "../functions/options.ts";
import { PawlFunction, type ErasedHandler } from "../functions/pawl-function.ts";
import { validateId, validateSettings, validateTriggers } from "../functions/validate.ts";
import type { FailureDetails, HandlerContext } from "../handler-context.ts";
import type { AdditionsOf, Middleware } from "../middleware.ts";
import { resolveConnection, type Connection, type ConnectionOptions } from "./connection.ts";
import { Schedules } from "./schedules.ts";
import { sendEvents, type SendResult } from "./send.ts";
import { sendSignal, type OutgoingSignal, type SignalResult } from "./signals.ts";

/** Options of a client. */
export interface PawlOptions<
  Events extends EventSchemas,
  List extends readonly Middleware[],
> extends ConnectionOptions {
  /** Event name -> Standard Schema of its data; gives types and checks what is sent. */
  readonly events?: Events;
  readonly middleware?: List;
}

/** The code of a function. */
export type Handler<Events extends EventSchemas, Event, Additions extends object, Output> = (
  context: HandlerContext<Events, Event, Additions>,
) => Output;

/** The code that runs once when a run of the function has failed for good. */
export type FailureHandler<Events extends EventSchemas, Event, Additions extends object> = (
  context: HandlerContext<Events, FunctionFailedEvent<Event>, Additions> & FailureDetails<Event>,
) => unknown;

/** Options of a function whose triggers stand apart. */
export interface FunctionOptions<
  Events extends EventSchemas,
  Event,
  Additions extends object,
> extends FunctionSettings<TriggerName<Events>> {
  readonly onFailure?: FailureHandler<Events, Event, Additions>;
}

/** Options of a function with its triggers. */
export interface FunctionOptionsWithTriggers<
  Events extends EventSchemas,
  T,
  Additions extends object,
> extends FunctionOptions<Events, EventOfTriggers<Events, T>, Additions> {
  readonly triggers: T;
}

/** See the head of this file. */
export class Pawl<
  Events extends EventSchemas = NoSchemas,
  const List extends readonly Middleware[] = readonly Middleware[],
> {
  /** What the client knows about its server; for `serve`. */
  readonly connection: Connection;
  /** Schedules that are made while the app runs, and kept by the server. */
  readonly schedules: Schedules<Events>;

  /** Throws `PawlError` for an option that cannot be. */
  constructor(options: PawlOptions<Events, List>) {
    this.connection = resolveConnection(options, options.events ?? {});
    this.schedules = new Schedules(this.connection);
  }

  get id(): string {
    return this.connection.appId;
  }

  /**
   * Sends one event or several, in order. Tries again while the server cannot answer; never sends
   * an event twice. Throws `PawlError`: `event_invalid`, `event_key_missing`, `event_refused`,
   * `event_unsent`.
   */
  async send(events: Sendable<Events>): Promise<SendResult> {
    const list = (Array.isArray(events) ? events : [events]) as readonly OutgoingEvent[]; // proof: each Sendable is an OutgoingEvent
    return sendEvents(this.connection, list);
  }

  /**
   * Sends a signal to the run that waits for it; `runId` is null when none does. Tries again while
   * the server cannot answer; never resumes two runs. Throws `PawlError`: `signal_invalid`,
   * `signal_refused`, `signal_unsent`.
   */
  async sendSignal(signal: OutgoingSignal): Promise<SignalResult> {
    return sendSignal(this.connection, signal);
  }

  /**
   * Defines a function; give it to `serve`. Throws `PawlError` when the definition is wrong:
   * `function_id_invalid`, `trigger_*`, `triggers_too_many`, `retries_invalid`,
   * `duration_invalid`, `option_invalid`.
   */
  createFunction<const T extends Triggers<TriggerName<Events>>, Output>(
    options: FunctionOptions<Events, EventOfTriggers<Events, T>, AdditionsOf<List>>,
    triggers: T,
    handler: Handler<Events, EventOfTriggers<Events, T>, AdditionsOf<List>, Output>,
  ): PawlFunction<InvokableData<EventOfTriggers<Events, T>>, Awaited<Output>>;
  /** The same with the triggers among the options. */
  createFunction<const T extends Triggers<TriggerName<Events>>, Output>(
    options: FunctionOptionsWithTriggers<Events, T, AdditionsOf<List>>,
    handler: Handler<Events, EventOfTriggers<Events, T>, AdditionsOf<List>, Output>,
  ): PawlFunction<InvokableData<EventOfTriggers<Events, T>>, Awaited<Output>>;
  createFunction(
    options: FunctionSettings & { readonly triggers?: Triggers; readonly onFailure?: unknown },
    triggersOrHandler: unknown,
    handlerOrNothing?: unknown,
  ): PawlFunction {
    const { triggers: own, onFailure, ...given } = options;
    validateId("function_id_invalid", "function", given.id);
    const apart = handlerOrNothing !== undefined;
    const triggers = listTriggers(given.id, apart ? triggersOrHandler : own);
    const settings = this.#withDefaults(given);
    validateTriggers(given.id, triggers);
    validateSettings(settings);
    const handler = asHandler(given.id, apart ? handlerOrNothing : triggersOrHandler);
    const failure = onFailure === undefined ? null : asHandler(given.id, onFailure);
    return new PawlFunction({ appId: this.id, settings, triggers, handler, onFailure: failure });
  }

  #withDefaults(settings: FunctionSettings): FunctionSettings {
    const { retries } = this.connection;
    return retries === undefined ? settings : { retries, ...settings };
  }
}

function asHandler(id: string, code: unknown): ErasedHandler {
  if (typeof code !== "function") {
    throw new PawlError("option_invalid", `The handler of function "${id}" is not a function.`);
  }
  return code as ErasedHandler; // proof: a function; the overloads have typed its context
}

function listTriggers(id: string, triggers: unknown): readonly Trigger[] {
  const list: readonly unknown[] = Array.isArray(triggers)
    ? triggers
    : triggers === undefined || triggers === null
      ? []
      : [triggers];
  for (const each of list) {
    if (each === null || typeof each !== "object" || !("event" in each || "cron" in each)) {
      const expected = "expected { event } or { cron }";
      throw new PawlError(
        "trigger_invalid",
        `A trigger of function "${id}" is wrong: ${expected}.`,
      );
    }
  }
  return list as readonly Trigger[]; // proof: checked above; validateTriggers looks at the values
}
