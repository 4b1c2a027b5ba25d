// Schedules that people make at runtime: what can be one, how it comes to be and changes, and which
// tick is taken when it is due. It must not know drafts or stores, nor what a tick starts.
import type { EngineCode } from "../codes.ts";
import type { RuntimeSchedule, ScheduleDefinition } from "../schedule-records.ts";
import type { Settings } from "../settings.ts";
import { cronProblem, isZone, zoneOf } from "./cron.ts";
import { dueAtOf } from "./schedule.ts";
import { countTicks, firstOfLast, lastTick, tickAfter } from "./timetable.ts";

/** Begins the ids of their records; those of triggers are UUIDs. */
export const runtimePrefix = "runtime:";
/** Shortest and longest interval. */
export const everyMsMin = 1_000;
export const everyMsMax = 366 * 86_400_000;

/** The id of the record of the schedule that people call so. */
export function runtimeId(name: string): string {
  return `${runtimePrefix}${name}`;
}

/** What people call the schedule of a record. */
export function nameOf({ id }: Pick<RuntimeSchedule, "id">): string {
  return id.slice(runtimePrefix.length);
}

export interface ScheduleProblem {
  readonly code: EngineCode;
  readonly message: string;
}

/** Why a schedule cannot tick; null when it can. */
export function timingProblem(
  name: string,
  definition: ScheduleDefinition,
): ScheduleProblem | null {
  const { timing, startAt, endAt } = definition;
  const refused = (code: EngineCode, why: string): ScheduleProblem => ({
    code,
    message: `Schedule "${name}": ${why}.`,
  });
  if (startAt !== null && endAt !== null && endAt < startAt)
    return refused("schedule_invalid", "its end lies before its start");
  if (timing.kind === "every") {
    const fits = timing.everyMs >= everyMsMin && timing.everyMs <= everyMsMax;
    const range = "the interval must be from 1s to 366d";
    return fits ? null : refused("schedule_interval_invalid", `${range}, not ${timing.everyMs} ms`);
  }
  const zone = zoneOf(timing.line);
  if (zone !== null && !isZone(zone)) {
    const why = `the time zone "${zone}" is not known; use a name such as Europe/Berlin`;
    return refused("schedule_zone_invalid", why);
  }
  const problem = cronProblem(timing.line);
  if (problem === null) return null;
  return refused("schedule_invalid", `the cron line "${timing.line}" cannot be used: ${problem}`);
}

/** A new schedule, whose ticks lie behind `at`. */
export function newRuntimeSchedule(
  id: string,
  definition: ScheduleDefinition,
  at: number,
): RuntimeSchedule {
  return withNext(
    {
      ...definition,
      kind: "runtime",
      id,
      createdAt: at,
      updatedAt: at,
      lastAt: null,
      nextAt: null,
      dueAt: null,
      pausedAt: null,
      pauseReason: null,
      queued: null,
      runIds: [],
      fired: 0,
      skipped: 0,
      missed: 0,
      last: null,
      problem: null,
    },
    at,
  );
}

/** Another definition: the next tick stays unless the times changed; then it lies behind `at`. */
export function redefined(
  schedule: RuntimeSchedule,
  definition: Partial<ScheduleDefinition>,
  at: number,
): RuntimeSchedule {
  const after = { ...schedule, ...definition, updatedAt: at };
  return timesOf(after) === timesOf(schedule) ? after : withNext(after, at);
}

/** Held: nothing is due, and a tick that waits for the end of runs is given up. */
export function paused(
  schedule: RuntimeSchedule,
  reason: string | null,
  at: number,
): RuntimeSchedule {
  const { queued, skipped, pausedAt } = schedule;
  return {
    ...schedule,
    dueAt: null,
    pausedAt: pausedAt ?? at,
    pauseReason: reason,
    queued: null,
    skipped: skipped + (queued === null ? 0 : 1),
  };
}

/** Going on, from the first tick that was not taken. */
export function resumed(schedule: RuntimeSchedule): RuntimeSchedule {
  return dueAgain({ ...schedule, pausedAt: null, pauseReason: null });
}

/** What a schedule does when its time has come. */
export interface Advance {
  /** The tick that is taken; null: none. */
  readonly tick: number | null;
  /** The schedule from now on, missed ticks counted. */
  readonly schedule: RuntimeSchedule;
}

/**
 * Which tick is taken at `at`, when the schedule is due: with catch-up `one` the latest; with `all`
 * each, the last `scheduleCatchUpMax` of them; with `none` those that are on time. The next may be
 * due already.
 */
export function advance(schedule: RuntimeSchedule, at: number, settings: Settings): Advance {
  const { id, nextAt, jitterMs } = schedule;
  if (nextAt === null) return { tick: null, schedule };
  // Within the jitter of each other several ticks may be waiting for their turn.
  const until = Math.max(nextAt, at - jitterMs);
  const candidate = firstCandidate(schedule, nextAt, until, at, settings);
  const isTaken = candidate !== null && dueAtOf(id, candidate, jitterMs) <= at;
  const missed = countTicks(schedule, nextAt, candidate ?? until + 1);
  const isLate = isTaken && at - dueAtOf(id, candidate, jitterMs) > windowOf(schedule, settings);
  const counted = { ...schedule, missed: schedule.missed + missed + (isLate ? 1 : 0) };
  const next = isTaken ? tickAfter(schedule, candidate) : candidate;
  return {
    tick: isTaken && !isLate ? candidate : null,
    schedule: dueAgain({
      ...counted,
      nextAt: next,
      lastAt: isTaken && !isLate ? candidate : schedule.lastAt,
    }),
  };
}

/** The first tick that may be taken, now or later; null: there is none any more. */
function firstCandidate(
  schedule: RuntimeSchedule,
  nextAt: number,
  until: number,
  at: number,
  settings: Settings,
): number | null {
  const { id, jitterMs, catchUp } = schedule;
  if (catchUp === "one") return lastTick(schedule, nextAt, until);
  const windowMs = windowOf(schedule, settings);
  const from = Math.max(nextAt, at - windowMs - jitterMs);
  let tick: number | null = from === nextAt ? nextAt : tickAfter(schedule, from - 1);
  while (tick !== null && at - dueAtOf(id, tick, jitterMs) > windowMs)
    tick = tickAfter(schedule, tick);
  if (tick === null || tick >= until || catchUp === "none") return tick;
  return firstOfLast(schedule, tick, until, settings.scheduleCatchUpMax);
}

/** How late a tick may be taken. */
function windowOf({ catchUp, catchUpWindowMs }: RuntimeSchedule, settings: Settings): number {
  if (catchUp === "none") return settings.scheduleOnTimeMs;
  return Math.min(catchUpWindowMs ?? Infinity, settings.scheduleLateMaxMs ?? Infinity);
}

/** With the first tick behind a moment. */
function withNext(schedule: RuntimeSchedule, after: number): RuntimeSchedule {
  return dueAgain({ ...schedule, nextAt: tickAfter(schedule, after) });
}

function dueAgain(schedule: RuntimeSchedule): RuntimeSchedule {
  const { id, nextAt, jitterMs, pausedAt } = schedule;
  const isDue = nextAt !== null && pausedAt === null;
  return { ...schedule, dueAt: isDue ? dueAtOf(id, nextAt, jitterMs) : null };
}

/** One text for equal times. */
function timesOf({ timing, startAt, endAt, jitterMs }: ScheduleDefinition): string {
  const when = timing.kind === "cron" ? timing.line : timing.everyMs;
  return JSON.stringify([when, startAt, endAt, jitterMs]);
}
