// Schedules made at runtime, one for each tenant if need be: `pawl.schedules`. The server keeps them
// and sends the event, or starts the function, at each tick. Options are checked by the server.
import type { JsonValue } from "@pawl/protocol/json-text";
import { durationText, momentMs, type Duration, type Moment } from "../durations.ts";
import { PawlError } from "../errors.ts";
import type { EventSchemas, OutgoingEvent, SendableEvent } from "../events/event-types.ts";
import type { InvokeData, InvokeTarget } from "../functions/invoke-target.ts";
import { requestApi, type ApiMethod } from "../serve/server-api.ts";
import { encodeValue } from "../values/encode.ts";
import type { Connection } from "./connection.ts";
import { prepareEvent } from "./send.ts";

/**
 * What a tick does while runs that the schedule started go on: start all the same, be left out, wait
 * for their end (one tick, further ones are left out), or cancel them and start.
 */
export type ScheduleOverlap = "allow" | "skip" | "queue_one" | "cancel_previous";

/**
 * Which ticks are made up for that were missed while the server was down or the schedule was
 * paused: none, the latest, or each (as many as the server's setting `schedule-catch-up-max`).
 */
export type ScheduleCatchUp = "none" | "one" | "all";

/** When a schedule ticks. */
export type ScheduleTiming =
  | {
      /** Five fields, or six with seconds, or `@daily` and the like. */
      readonly cron: string;
      /** Such as `Europe/Berlin`; UTC unless said. */
      readonly timezone?: string;
      readonly every?: never;
    }
  | {
      /** From 1 s to 366 d, counted from `startAt`, else from when the schedule was made. */
      readonly every: Duration;
      readonly cron?: never;
      readonly timezone?: never;
    };

/** How a schedule behaves. */
export interface ScheduleSettings {
  /** Each tick comes up to so much later, by an amount that is always the same for it. */
  readonly jitter?: Duration;
  /** No tick before; the first one of an interval. */
  readonly startAt?: Moment | null;
  /** No tick behind. */
  readonly endAt?: Moment | null;
  /** `allow` unless said. */
  readonly overlap?: ScheduleOverlap;
  /** `one` unless said. */
  readonly catchUp?: ScheduleCatchUp;
  /** Ticks missed for longer are not made up for. */
  readonly catchUpWindow?: Duration | null;
}

type WithoutIdentity<Event> = Event extends unknown ? Omit<Event, "id" | "ts"> : never;

/** What a tick does: it sends an event, or starts one function. */
export type ScheduleTarget<Events extends EventSchemas, Target extends InvokeTarget> =
  | { readonly event: WithoutIdentity<SendableEvent<Events>>; readonly function?: never }
  | ({
      readonly function: Target;
      readonly event?: never;
      readonly user?: Readonly<Record<string, unknown>>;
    } & InvokeData<Target>);

/** A whole schedule. */
export type ScheduleOptions<
  Events extends EventSchemas,
  Target extends InvokeTarget,
> = ScheduleSettings &
  ScheduleTiming &
  ScheduleTarget<Events, Target> & {
    /** Unique in the server: 1 to 100 letters, digits, `.`, `_`, `:` and `-`. */
    readonly id: string;
    /** Made, or from now on, paused. */
    readonly paused?: boolean;
  };

/** Parts of a schedule; what is not named stays. */
export type ScheduleChanges<
  Events extends EventSchemas,
  Target extends InvokeTarget,
> = ScheduleSettings &
  (ScheduleTiming | { readonly cron?: never; readonly every?: never }) &
  (ScheduleTarget<Events, Target> | { readonly event?: never; readonly function?: never });

/** The last start of a schedule. */
export interface ScheduleStart {
  /** The time of the tick. */
  readonly at: Date;
  /** By `trigger` rather than by a tick. */
  readonly manual: boolean;
  readonly startedAt: Date;
  readonly eventId: string;
  /** Up to 20 of the runs. */
  readonly runIds: readonly string[];
}

/** A schedule as the server has it. */
export interface Schedule {
  readonly id: string;
  readonly cron: string | null;
  readonly timezone: string | null;
  /** Such as `1h30m`. */
  readonly every: string | null;
  readonly event: { readonly name: string; readonly data: JsonValue } | null;
  readonly function: { readonly id: string; readonly data: JsonValue } | null;
  readonly jitter: string;
  readonly startAt: Date | null;
  readonly endAt: Date | null;
  readonly overlap: ScheduleOverlap;
  readonly catchUp: ScheduleCatchUp;
  readonly catchUpWindow: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly paused: boolean;
  readonly pausedAt: Date | null;
  readonly pauseReason: string | null;
  /** Null: there is none any more, or the schedule is paused. */
  readonly nextAt: Date | null;
  /** The last tick that was taken. */
  readonly lastAt: Date | null;
  readonly last: ScheduleStart | null;
  /** A tick that waits for the end of `unendedRunIds`. */
  readonly queuedAt: Date | null;
  /** Runs that overlap looks at; empty where it is `allow`. */
  readonly unendedRunIds: readonly string[];
  readonly fired: number;
  /** Ticks and manual starts left out by overlap, or for want of the function. */
  readonly skipped: number;
  /** Ticks that came too late to be made up for. */
  readonly missed: number;
  /** Why the last tick started nothing. */
  readonly problem: string | null;
}

/** Some schedules, by id. */
export interface SchedulePage {
  readonly schedules: readonly Schedule[];
  /** For the next page; null: this was the last. */
  readonly cursor: string | null;
}

/** The options as they are, whatever their types said. */
type Given = ScheduleSettings & {
  readonly cron?: string;
  readonly timezone?: string;
  readonly every?: Duration;
  readonly event?: unknown;
  readonly function?: InvokeTarget;
  readonly data?: unknown;
  readonly user?: unknown;
  readonly paused?: boolean;
};

/**
 * See the head of this file. All methods throw `PawlError`: `schedule_not_found` (but `get` and
 * `delete`), `schedule_refused` with the server's reason, `server_unreachable`.
 */
export class Schedules<Events extends EventSchemas> {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Makes a schedule. Throws `schedule_exists` when there is one with its id, `event_invalid`. */
  async create<Target extends InvokeTarget>(
    options: ScheduleOptions<Events, Target>,
  ): Promise<Schedule> {
    const { id } = options;
    return this.#one("POST", "", { id, ...(await this.#body(options)) });
  }

  /**
   * Makes a schedule, or replaces the one with its id: what is not named has its default, history
   * stays, and so does the next tick unless the times change.
   */
  async upsert<Target extends InvokeTarget>(
    options: ScheduleOptions<Events, Target>,
  ): Promise<Schedule> {
    return this.#one("PUT", pathOf(options.id), await this.#body(options));
  }

  /** Changes parts of a schedule. */
  async update<Target extends InvokeTarget>(
    id: string,
    changes: ScheduleChanges<Events, Target>,
  ): Promise<Schedule> {
    return this.#one("PATCH", pathOf(id), await this.#body(changes));
  }

  /** Null: there is none with this id. */
  async get(id: string): Promise<Schedule | null> {
    const found = await this.#ask("GET", pathOf(id), null, true);
    return found === null ? null : readSchedule(found);
  }

  /** Schedules by id, 20 to a page unless `first` says otherwise (up to 400). */
  async list(
    page: { readonly first?: number; readonly cursor?: string | null } = {},
  ): Promise<SchedulePage> {
    const { first = 20, cursor } = page;
    const query = `?first=${first}&cursor=${encodeURIComponent(cursor ?? "")}`;
    // proof: what the server documents for this route
    const { schedules, cursor: next } = (await this.#ask("GET", query)) as unknown as WirePage;
    return { schedules: schedules.map(readSchedule), cursor: next };
  }

  /** Deletes a schedule at once; runs that it started go on. False: there was none. */
  async delete(id: string): Promise<boolean> {
    return (await this.#ask("DELETE", pathOf(id), null, true)) !== null;
  }

  /** Holds a schedule. */
  async pause(id: string, options: { readonly reason?: string } = {}): Promise<Schedule> {
    return this.#one("POST", `${pathOf(id)}/pause`, { ...options });
  }

  /** Lets a schedule go on; ticks missed meanwhile are made up for as `catchUp` says. */
  async resume(id: string): Promise<Schedule> {
    return this.#one("POST", `${pathOf(id)}/resume`);
  }

  /**
   * Starts now, whatever the time, also when the schedule is paused. Its overlap holds: throws
   * `schedule_busy` when that lets nothing start.
   */
  async trigger(id: string): Promise<Schedule> {
    return this.#one("POST", `${pathOf(id)}/trigger`);
  }

  /** The next ticks, pauses and jitter left out; 10 unless said, up to 100. */
  async preview(id: string, count = 10): Promise<readonly Date[]> {
    const path = `${pathOf(id)}/preview?count=${count}`;
    // proof: what the server documents for this route
    const { ticks } = (await this.#ask("GET", path)) as unknown as WirePreview;
    return ticks.map((tick) => new Date(tick));
  }

  async #one(method: ApiMethod, path: string, body: object | null = null): Promise<Schedule> {
    // proof: only with `orNull` there may be none
    return readSchedule((await this.#ask(method, path, body)) as WireSchedule);
  }

  /** `data` of the answer; null when there is no such schedule and `orNull` says so. */
  async #ask(
    method: ApiMethod,
    path: string,
    body: object | null = null,
    orNull = false,
  ): Promise<WireSchedule | null> {
    const text = body === null ? null : JSON.stringify(body);
    const answer = await requestApi(this.#connection, method, `/v1/schedules${path}`, text);
    const { data, error, code } = readAnswer(answer.text);
    if (answer.status < 300 && data !== undefined) return data;
    if (orNull && code === "schedule_not_found") return null;
    const known = refusals.find((candidate) => candidate === code) ?? "schedule_refused";
    throw new PawlError(known, error ?? `The server answered ${answer.status}.`);
  }

  async #body(options: Given): Promise<object> {
    const { jitter, startAt, endAt, every, catchUpWindow } = options;
    return {
      cron: options.cron,
      timezone: options.timezone,
      every: every === undefined ? every : durationText(every, "every"),
      jitter: jitter === undefined ? jitter : durationText(jitter, "jitter"),
      start_at: timeText(startAt, "startAt"),
      end_at: timeText(endAt, "endAt"),
      overlap: options.overlap,
      catch_up: options.catchUp,
      catch_up_window: catchUpWindow && durationText(catchUpWindow, "catchUpWindow"),
      paused: options.paused,
      ...(options.event === undefined
        ? null
        : {
            // proof: each SendableEvent is an OutgoingEvent
            event: await this.#event(options.event as OutgoingEvent),
          }),
      ...(options.function === undefined ? null : { function: this.#target(options) }),
    };
  }

  async #event(given: OutgoingEvent): Promise<object> {
    const [event = given] = await this.#connection.middleware.transformSend([given]);
    // Each tick gives its event an id and a time of its own.
    return { ...(await prepareEvent(this.#connection, event)), id: undefined, ts: undefined };
  }

  #target({ function: target, data, user }: Given): object {
    const encoded = encodeValue(data ?? {});
    return {
      id: `${target?.appId ?? this.#connection.appId}-${target?.id}`,
      data: encoded.data,
      ...(user === undefined ? null : { user: encodeValue(user).data }),
      ...(encoded.types === null ? null : { meta: { types: encoded.types } }),
    };
  }
}

const refusals = ["schedule_exists", "schedule_not_found", "schedule_busy"] as const;

type WireSchedule = Readonly<Record<string, JsonValue>>;

interface WirePage {
  readonly schedules: readonly WireSchedule[];
  readonly cursor: string | null;
}

interface WirePreview {
  readonly ticks: readonly string[];
}

function pathOf(id: string): string {
  return `/${encodeURIComponent(id)}`;
}

function timeText(moment: Moment | null | undefined, what: string): string | null | undefined {
  return moment === null || moment === undefined
    ? moment
    : new Date(momentMs(moment, what)).toISOString();
}

function readAnswer(text: string): {
  readonly data?: WireSchedule;
  readonly error?: string;
  readonly code?: string;
} {
  try {
    return JSON.parse(text) as object; // proof: the server answers with objects
  } catch {
    return {};
  }
}

function readSchedule(wire: WireSchedule): Schedule {
  const { last } = wire;
  const own = camelCased(wire);
  // proof: what the server documents, names and times translated
  return { ...own, last: last === null ? null : camelCased(last as WireSchedule) } as Schedule;
}

/** The members with names and times as JavaScript has them; what is below stays. */
function camelCased(wire: WireSchedule): object {
  return Object.fromEntries(
    Object.entries(wire).map(([key, value]) => [
      key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      /(^|_)at$/.test(key) && typeof value === "string" ? new Date(value) : value,
    ]),
  );
}
