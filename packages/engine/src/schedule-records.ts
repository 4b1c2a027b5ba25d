// The records of schedules: those that come with cron triggers of functions, and those that people
// make at runtime. Plain data, times in ms since the epoch; it must not know how they tick.
import type { JsonText } from "@pawl/protocol/json-text";
import type { RunSchedule } from "./records.ts";

/** The tick by which a run is started. */
export interface RunOrigin {
  readonly schedule: RunSchedule;
  /** The run holds the schedule until its end (`flow/holds.ts`). */
  readonly isHeld: boolean;
}

interface ScheduleBase {
  /** Each tick fires up to so much later. */
  readonly jitterMs: number;
  /** The last tick that was taken; null before the first. */
  readonly lastAt: number | null;
}

/** A function and one of its cron lines, with the one tick that is next. */
export interface TriggerSchedule extends ScheduleBase {
  readonly kind: "trigger";
  /** UUID that follows from function and cron line. */
  readonly id: string;
  readonly functionId: string;
  readonly cron: string;
  /** The next tick, by the cron line. */
  readonly nextAt: number;
  /** When it fires: `nextAt` and its jitter. */
  readonly dueAt: number;
}

/** When a schedule ticks: by a cron line, or from `startAt` (else from its creation) on at equal distances. */
export type Timing =
  | { readonly kind: "cron"; readonly line: string }
  | { readonly kind: "every"; readonly everyMs: number };

/** What a tick does: send an event, or start the one function of a slug. */
export interface ScheduleTarget {
  readonly kind: "event" | "function";
  /** Name of the event, or slug of the function. */
  readonly name: string;
  readonly data: JsonText;
  readonly user: JsonText | null;
  readonly version: string | null;
  readonly meta: JsonText | null;
}

/** What a tick does while runs that the schedule started go on; `queue_one`: it waits for their end. */
export type Overlap = "allow" | "skip" | "queue_one" | "cancel_previous";

/** Which ticks that were missed are made up for: none, the latest, or each. */
export type CatchUp = "none" | "one" | "all";

/** What people say about a schedule that they make at runtime. */
export interface ScheduleDefinition {
  readonly timing: Timing;
  readonly target: ScheduleTarget;
  readonly jitterMs: number;
  /** No tick before, and the first of an interval; null: from its creation on. */
  readonly startAt: number | null;
  /** No tick behind; null: it goes on for ever. */
  readonly endAt: number | null;
  readonly overlap: Overlap;
  readonly catchUp: CatchUp;
  /** Ticks missed for longer are not made up for; null: as setting `scheduleLateMaxMs` says. */
  readonly catchUpWindowMs: number | null;
}

/** A tick, or a start that somebody asked for at that time. */
export interface Tick {
  readonly at: number;
  readonly isManual: boolean;
}

/** The last start of a schedule. */
export interface ScheduleStart {
  readonly tick: Tick;
  /** When it was taken. */
  readonly startedAt: number;
  readonly eventId: string;
  /** Runs that its event started or joined, at most `startedRunsShown`. */
  readonly runIds: readonly string[];
}

/** A schedule that people made at runtime. */
export interface RuntimeSchedule extends ScheduleBase, ScheduleDefinition {
  readonly kind: "runtime";
  /** The id that people chose, behind a prefix (`schedule/runtime.ts`). */
  readonly id: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The first tick that was neither taken nor given up; null: there will be none. */
  readonly nextAt: number | null;
  /** When it fires; null: never, or the schedule is paused. */
  readonly dueAt: number | null;
  readonly pausedAt: number | null;
  readonly pauseReason: string | null;
  /** A tick that waits for the end of `runIds`. */
  readonly queued: Tick | null;
  /** Runs that it started under another overlap than `allow` and that have not ended. */
  readonly runIds: readonly string[];
  /** Ticks and manual starts that started; that overlap or a missing function kept from it; that came too late. */
  readonly fired: number;
  readonly skipped: number;
  readonly missed: number;
  readonly last: ScheduleStart | null;
  /** Why the last tick started nothing; null: it did. */
  readonly problem: string | null;
}

export type ScheduleRecord = TriggerSchedule | RuntimeSchedule;
