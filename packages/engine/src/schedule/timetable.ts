// The ticks of a schedule that was made at runtime: by its cron line or its interval, between its
// start and its end. Pure. It must not know what a tick does, nor which of them were missed.
import { formatDuration } from "@pawl/protocol/duration";
import type { RuntimeSchedule } from "../schedule-records.ts";
import { latestTick, nextTick } from "./cron.ts";

/** What the ticks depend on. */
export type Timed = Pick<RuntimeSchedule, "timing" | "startAt" | "endAt" | "createdAt">;

/** Ticks counted one by one, before it is enough to know that there are many. */
const countedMax = 1_000;
const secondMs = 1_000;

/** The first tick behind a moment; null: there is none. */
export function tickAfter(schedule: Timed, after: number): number | null {
  const { timing, startAt, endAt } = schedule;
  const behind = startAt === null ? after : Math.max(after, startAt - 1);
  const tick =
    timing.kind === "cron"
      ? nextTick(timing.line, behind)
      : intervalTick(schedule, timing.everyMs, behind);
  return tick === null || (endAt !== null && tick > endAt) ? null : tick;
}

/** The last tick up to `until`, from one that is known. */
export function lastTick(schedule: Timed, known: number, until: number): number {
  const { timing, endAt } = schedule;
  const limit = endAt === null ? until : Math.min(until, endAt);
  if (timing.kind === "cron") return latestTick(timing.line, known, limit);
  const steps = Math.floor((limit - known) / timing.everyMs);
  return steps > 0 ? known + steps * timing.everyMs : known;
}

/** How many ticks there are from one of them up to, and without, a later moment; at most 1,000 of a cron line. */
export function countTicks(schedule: Timed, from: number, before: number): number {
  const { timing, endAt } = schedule;
  const end = endAt === null ? before : Math.min(before, endAt + 1);
  if (timing.kind === "every") return Math.max(0, Math.ceil((end - from) / timing.everyMs));
  let count = 0;
  for (let tick: number | null = from; tick !== null && tick < before; count += 1) {
    if (count === countedMax) break;
    tick = tickAfter(schedule, tick);
  }
  return count;
}

/** The first of the last `max` ticks up to `until`, from one that is known. */
export function firstOfLast(schedule: Timed, known: number, until: number, max: number): number {
  const { timing } = schedule;
  if (timing.kind === "every")
    return Math.max(known, lastTick(schedule, known, until) - (max - 1) * timing.everyMs);
  if (!hasMore(schedule, known - 1, until, max)) return known;
  // More than `max` lie behind `low`, no more than that behind `high`.
  let low = known;
  let high = until;
  while (high - low >= secondMs) {
    const middle = low + Math.floor((high - low) / 2);
    if (hasMore(schedule, middle, until, max)) low = middle;
    else high = middle;
  }
  return tickAfter(schedule, high) ?? known;
}

/** The next ticks behind a moment, at most `count` of them. */
export function nextTicks(schedule: Timed, after: number, count: number): readonly number[] {
  const ticks: number[] = [];
  for (
    let tick = tickAfter(schedule, after);
    tick !== null && ticks.length < count;
    tick = tickAfter(schedule, tick)
  )
    ticks.push(tick);
  return ticks;
}

/** How runs and people are told of the timing: the cron line, or `@every 15m`. */
export function lineOf({ timing }: Pick<RuntimeSchedule, "timing">): string {
  return timing.kind === "cron" ? timing.line : `@every ${formatDuration(timing.everyMs)}`;
}

/** Whether more than `max` ticks lie in (after, until]. */
function hasMore(schedule: Timed, after: number, until: number, max: number): boolean {
  let count = 0;
  for (
    let tick = tickAfter(schedule, after);
    tick !== null && tick <= until;
    tick = tickAfter(schedule, tick)
  ) {
    count += 1;
    if (count > max) return true;
  }
  return false;
}

function intervalTick({ startAt, createdAt }: Timed, everyMs: number, after: number): number {
  const anchor = startAt ?? createdAt;
  return anchor + Math.max(0, Math.floor((after - anchor) / everyMs) + 1) * everyMs;
}
