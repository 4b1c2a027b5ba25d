// Cron lines: what they mean and when they tick (protocol.md 1.3). Pure: the moment to count from
// is an argument. It must not know functions or schedules.
//
// A line has five fields (minute, hour, day of month, month, day of week) or six (seconds ahead),
// in UTC unless it begins with `TZ=Area/City `. Days that are restricted by both fields match
// either. Where clocks change it matters whether the line names times of the day, that is hours,
// minutes and seconds by number (`30 2 * * *`, `0,30 2,14 * * *`; at most 48 times):
// - If it does, each time comes once on each day. One that is skipped ticks at the end of the gap
//   (several together once), one that the clock shows twice ticks the first time.
// - If it does not (`*/15 * * * *`, `0 1-5 * * *`), it ticks whenever the clock shows a time that
//   matches: not in a gap, and twice where the clock shows it twice.
import { Cron } from "croner";
import { cronReading, fieldProblem } from "./cron-problem.ts";

const secondMs = 1_000;
const timesOfDayMax = 48;
/** Lines kept as read: reading one costs as much as asking for some ticks. */
const cachedMax = 1_000;
const cache = new Map<string, readonly Cron[]>();
const zonePrefix = /^(?:CRON_)?TZ=(\S+)\s+/;

/** Why a cron line cannot work, as the end of a sentence; null when it can. */
export function cronProblem(line: string): string | null {
  let crons: readonly Cron[];
  try {
    crons = readCron(line);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return tickAfter(crons, 0) === null ? "it names a time that never comes" : null;
}

/** The first tick behind a moment, both in ms; null: there is none. Throws for a line with a problem. */
export function nextTick(line: string, after: number): number | null {
  return tickAfter(readCron(line), after);
}

/** The last tick up to `until`, from one that is known. Throws for a line with a problem. */
export function latestTick(line: string, known: number, until: number): number {
  const crons = readCron(line);
  let latest = known;
  // No tick lies in (none, until]. Only the way forward is asked for, so that this agrees with
  // `nextTick` where clocks change.
  let none = until;
  while (none - latest >= secondMs) {
    const middle = latest + Math.floor((none - latest) / 2);
    const tick = tickAfter(crons, middle);
    if (tick !== null && tick <= until) latest = tick;
    else none = middle;
  }
  return latest;
}

function tickAfter(crons: readonly Cron[], after: number): number | null {
  let first: number | null = null;
  for (const cron of crons) {
    const tick = cron.nextRun(new Date(after))?.getTime() ?? null;
    if (tick !== null && (first === null || tick < first)) first = tick;
  }
  return first;
}

/** One for each time of the day that the line names, or one for all. Throws a sentence for people. */
function readCron(line: string): readonly Cron[] {
  const crons = cache.get(line) ?? parse(line);
  cache.delete(line);
  cache.set(line, crons);
  if (cache.size > cachedMax) {
    const [oldest] = cache.keys();
    if (oldest !== undefined) cache.delete(oldest);
  }
  return crons;
}

function parse(line: string): readonly Cron[] {
  const zone = zonePrefix.exec(line.trim())?.[1] ?? "UTC";
  const fields = line.trim().replace(zonePrefix, "");
  const count = fields.split(/\s+/).length;
  // The library also takes dates and years, which tick once or end.
  if (!fields.startsWith("@") && count !== 5 && count !== 6)
    throw new Error(`it has ${count} fields; 5 are needed, or 6 with seconds`);
  const problem = fieldProblem(fields);
  if (problem !== null) throw new Error(problem);
  assertZone(zone);
  const options = { ...cronReading, timezone: zone };
  const whole = new Cron(fields, options);
  // The library gives a time of the day its once a day only where it is the only one.
  const times = timesOfDay(fields);
  return times.length === 0 ? [whole] : times.map((time) => new Cron(time, options));
}

/** The line for each single time of the day; empty when it does not name them by number. */
function timesOfDay(fields: string): readonly string[] {
  const all = fields.split(/\s+/);
  const date = all.slice(-3).join(" ");
  const times = all.slice(0, -3).map((field) => field.split(","));
  if (!times.flat().every((part) => /^\d+$/.test(part))) return [];
  const count = times.reduce((product, { length }) => product * length, 1);
  if (count > timesOfDayMax) return [];
  let lines = [date];
  for (const values of times.toReversed())
    lines = lines.flatMap((rest) => values.map((value) => `${value} ${rest}`));
  return lines;
}

function assertZone(zone: string): void {
  if (!isZone(zone))
    throw new Error(`the time zone "${zone}" is not known; use a name such as Europe/Berlin`);
}

/** The time zone that a line begins with; null: none, so it is in UTC. */
export function zoneOf(line: string): string | null {
  return zonePrefix.exec(line.trim())?.[1] ?? null;
}

/** A line without its time zone. */
export function fieldsOf(line: string): string {
  return line.trim().replace(zonePrefix, "");
}

/** Whether the platform knows a time zone of that name. */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions();
    return true;
  } catch {
    return false;
  }
}
