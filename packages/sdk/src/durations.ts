// Durations and moments as people write them, to the form of the wire (protocol.md 2.5).
import { formatDuration, parseDuration, parseTimestamp } from "@pawl/protocol/duration";
import { PawlError } from "./errors.ts";

/** Anything that can tell its length in ms: `Temporal.Duration` and its polyfills. */
export interface DurationObject {
  total(unit: "milliseconds"): number;
}

/** ms, a text such as `"1h30m"` or `"2d"`, or a `Temporal.Duration`. */
export type Duration = number | string | DurationObject;

/** Anything that can tell its moment in ms since the epoch: `Temporal.Instant`, `ZonedDateTime`. */
export interface MomentObject {
  readonly epochMilliseconds: number;
}

/** A `Date`, a timestamp (without an offset it is UTC), ms since the epoch, or a Temporal moment. */
export type Moment = Date | string | number | MomentObject;

function invalid(what: string, value: unknown, expected: string): PawlError {
  const shown = typeof value === "string" ? `"${value}"` : String(value);
  return new PawlError("duration_invalid", `${what} is ${shown}; expected ${expected}.`);
}

const spelled =
  /^\s*(\d+(?:\.\d+)?)\s*(w|d|h|m|s)(?:eeks?|ays?|ours?|rs?|in(?:ute)?s?|ec(?:ond)?s?)?\s*$/i;

/** What somebody meant who wrote a unit out, as in "10 minutes". */
function hint(value: unknown): string {
  const [, number, unit = ""] = (typeof value === "string" ? spelled.exec(value) : null) ?? [];
  return number === undefined ? "" : `; write "${number}${unit.toLowerCase()}"`;
}

/** Whole ms of a duration; `what` names it in the error `duration_invalid`. */
export function durationMs(value: Duration, what: string): number {
  const ms =
    typeof value === "string"
      ? parseDuration(value)
      : typeof value === "number"
        ? value
        : typeof value?.total === "function"
          ? value.total("milliseconds")
          : null;
  if (ms === null || !Number.isFinite(ms) || ms < 0) {
    throw invalid(
      what,
      value,
      `ms from 0, or a text such as "1h30m" with w, d, h, m, s, ms${hint(value)}`,
    );
  }
  return Math.round(ms);
}

/** The wire's form of a duration. Throws `duration_invalid`. */
export function durationText(value: Duration, what: string): string {
  return formatDuration(durationMs(value, what));
}

/** ms since the epoch of a moment. Throws `duration_invalid`. */
export function momentMs(value: Moment, what: string): number {
  const ms =
    typeof value === "string"
      ? parseTimestamp(value)
      : typeof value === "number"
        ? value
        : value instanceof Date
          ? value.getTime()
          : value.epochMilliseconds;
  // 8.64e15 ms is as far as `Date` reaches.
  if (ms === null || !Number.isFinite(ms) || Math.abs(ms) > 8.64e15) {
    throw invalid(what, value, "a Date, an ISO 8601 timestamp, or ms since the epoch");
  }
  return ms;
}

/** The wire's form of a moment. Throws `duration_invalid`. */
export function momentText(value: Moment, what: string): string {
  return new Date(momentMs(value, what)).toISOString();
}

/** The wire's form of a time limit: a `Date` is a moment, everything else a duration. */
export function timeoutText(value: Duration | Date, what: string): string {
  return value instanceof Date ? momentText(value, what) : durationText(value, what);
}
