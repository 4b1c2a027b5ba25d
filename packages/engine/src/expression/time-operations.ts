// Moments and spans of time. `now()` is the evaluation's time; nothing here reads a clock. This
// file must not know the syntax tree.
import { parseDuration, parseTimestamp } from "@pawl/protocol/duration";
import { toDuration, toTimestamp } from "./arithmetic.ts";
import { Fault } from "./expression-error.ts";
import { spend, type Frame } from "./frame.ts";
import {
  argument,
  operation,
  textArgument,
  timestampArgument,
  type Operation,
} from "./operation.ts";
import { Duration, kindOf, numeric, Timestamp, type Value } from "./value.ts";

const dayMs = 86_400_000;
/** `date(number)`: numbers from here on are ms since the epoch, smaller ones seconds. */
const msFrom = 100_000_000_000;
const momentCharsMax = 40;

function offsetMs(zone: string): number {
  const sign = zone.startsWith("-") ? -1 : 1;
  return sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))) * 60_000;
}

/** A date, or a date and a time; without a zone it is UTC. Null when it is neither. */
function momentOf(text: string): number | null {
  return text.length > momentCharsMax ? null : parseTimestamp(text);
}

function notATime(value: Value): Fault {
  return new Fault("expression_conversion", `not a time: ${kindOf(value)}`);
}

function timestamp(_: Frame, args: readonly Value[]): Value {
  const value = argument(args, 0);
  if (value instanceof Timestamp) return value;
  const number = numeric(value);
  if (number !== undefined) return toTimestamp(Number(number) * 1000);
  // A zone is what tells a timestamp from the looser texts that `date` takes.
  const moment =
    typeof value === "string" && /([Zz]|[+-]\d\d:\d\d)$/.test(value) ? momentOf(value) : null;
  if (moment === null) throw notATime(value);
  return toTimestamp(moment);
}

function date(_: Frame, args: readonly Value[]): Value {
  const value = argument(args, 0);
  if (value instanceof Timestamp) return value;
  const number = Number(numeric(value) ?? Number.NaN);
  if (!Number.isNaN(number))
    return toTimestamp(Math.abs(number) >= msFrom ? number : number * 1000);
  const moment = typeof value === "string" ? momentOf(value) : null;
  if (moment === null) throw notATime(value);
  return toTimestamp(moment);
}

function durationOf(value: Value): Duration {
  if (value instanceof Duration) return value;
  if (typeof value !== "string")
    throw new Fault("expression_conversion", `not a duration: ${kindOf(value)}`);
  const negative = value.startsWith("-");
  const ms = parseDuration(negative ? value.slice(1) : value);
  if (ms === null) throw new Fault("expression_conversion", "not a duration");
  return toDuration(negative ? -ms : ms);
}

const zones = new Map<string, Intl.DateTimeFormat>();
const zonesMax = 50;

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = zones.get(zone);
  if (known !== undefined) return known;
  if (zones.size >= zonesMax) zones.clear();
  const fields = {
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  } as const;
  try {
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      era: "short",
      ...fields,
    });
    zones.set(zone, format);
    return format;
  } catch {
    throw new Fault("expression_conversion", "not a time zone");
  }
}

/** A Date whose UTC fields are the local fields in the zone. */
function localDate(frame: Frame, ms: number, zone: string): Date {
  if (zone === "" || zone === "UTC") return new Date(ms);
  if (/^[+-]\d\d:\d\d$/.test(zone)) return new Date(ms + offsetMs(zone));
  if (/^\d\d:\d\d$/.test(zone)) return new Date(ms + offsetMs(`+${zone}`));
  // Making a format is slow, and an expression may name as many zones as it likes.
  spend(frame, zones.has(zone) ? 20 : 500);
  const fields = new Map<string, string>();
  for (const { type, value } of formatOf(zone).formatToParts(ms)) fields.set(type, value);
  const field = (name: string) => Number(fields.get(name) ?? 0);
  const local = new Date(0);
  local.setUTCFullYear(field("year"), field("month") - 1, field("day"));
  local.setUTCHours(
    field("hour"),
    field("minute"),
    field("second"),
    ((Math.floor(ms) % 1000) + 1000) % 1000,
  );
  return local;
}

function dayOfYear(local: Date): number {
  const start = new Date(0);
  start.setUTCFullYear(local.getUTCFullYear(), 0, 1);
  return Math.floor((local.getTime() - start.getTime()) / dayMs);
}

type DateField = (local: Date) => number;
type SpanField = (ms: number) => number;

/** A method of timestamps, with an optional time zone, and of durations when `span` is given. */
function timeField(field: DateField, span: SpanField | null = null): Operation {
  return operation([1, 2], (frame, args) => {
    const value = argument(args, 0);
    if (span !== null && value instanceof Duration) return BigInt(Math.trunc(span(value.ms)));
    const zone = args.length > 1 ? textArgument(args, 1) : "";
    return BigInt(field(localDate(frame, timestampArgument(args, 0).ms, zone)));
  });
}

export const timeFunctions: readonly (readonly [string, Operation])[] = [
  ["timestamp", operation([1, 1], timestamp)],
  ["date", operation([1, 1], date)],
  ["duration", operation([1, 1], (_, args) => durationOf(argument(args, 0)))],
  ["now", operation([0, 0], (frame) => toTimestamp(frame.at))],
  [
    "now_plus",
    operation([1, 1], (frame, args) => toTimestamp(frame.at + durationOf(argument(args, 0)).ms)),
  ],
  [
    "now_minus",
    operation([1, 1], (frame, args) => toTimestamp(frame.at - durationOf(argument(args, 0)).ms)),
  ],
];

/** The functions whose value depends on when they are called. */
export const timeDependent: ReadonlySet<string> = new Set(["now", "now_plus", "now_minus"]);

export const timeMethods: readonly (readonly [string, Operation])[] = [
  ["getFullYear", timeField((local) => local.getUTCFullYear())],
  ["getMonth", timeField((local) => local.getUTCMonth())],
  ["getDate", timeField((local) => local.getUTCDate())],
  ["getDayOfMonth", timeField((local) => local.getUTCDate() - 1)],
  ["getDayOfWeek", timeField((local) => local.getUTCDay())],
  ["getDayOfYear", timeField(dayOfYear)],
  [
    "getHours",
    timeField(
      (local) => local.getUTCHours(),
      (ms) => ms / 3_600_000,
    ),
  ],
  [
    "getMinutes",
    timeField(
      (local) => local.getUTCMinutes(),
      (ms) => ms / 60_000,
    ),
  ],
  [
    "getSeconds",
    timeField(
      (local) => local.getUTCSeconds(),
      (ms) => ms / 1000,
    ),
  ],
  [
    "getMilliseconds",
    timeField(
      (local) => local.getUTCMilliseconds(),
      (ms) => ms % 1000,
    ),
  ],
];
