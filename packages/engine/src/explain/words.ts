// Times and errors in sentences for people. It must not know what a sentence is about.
import { formatDuration } from "@pawl/protocol/duration";
import { fromJsonText, type JsonText } from "@pawl/protocol/json-text";

const second = 1_000;
const hour = 3_600 * second;
const errorCharsMax = 500;

/** A duration as people say it: no ms above a second, no seconds above an hour. */
export function span(ms: number): string {
  const unit = ms < second ? 1 : ms < hour ? second : 60 * second;
  return formatDuration(Math.round(ms / unit) * unit);
}

/** A moment, and how far it is from `now`: `2026-01-01T00:05:00.000Z (in 5m)`. */
export function moment(at: number, now: number): string {
  const distance = at === now ? "now" : at > now ? `in ${span(at - now)}` : `${span(now - at)} ago`;
  return `${isoTime(at)} (${distance})`;
}

/** Times beyond those of a calendar are shown as numbers. */
function isoTime(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? `${String(at)} ms` : date.toISOString();
}

/** The message of an error as apps send it, `{"error": …}` around it or not; cut when it is long. */
export function errorText(error: JsonText): string {
  const value: unknown = fromJsonText(error);
  const inner = member(value, "error") ?? value;
  const message = member(inner, "message");
  const text = typeof message === "string" && message !== "" ? message : JSON.stringify(inner);
  return text.length > errorCharsMax ? `${text.slice(0, errorCharsMax)}…` : text;
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

/** The text as the end of a sentence: with one full stop. */
export function stopped(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
