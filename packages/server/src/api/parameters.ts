// Reads query parameters. A value that cannot be used throws `parameter_invalid`, never turns into
// a silent default. It must not know the routes.
import { parseTimestamp } from "@pawl/protocol/duration";
import { ServerError } from "../server-error.ts";

/** A whole number within limits; `fallback` when the parameter is missing. */
export function integerParameter(
  query: URLSearchParams,
  name: string,
  fallback: number,
  min: number,
  max: number,
): number {
  const text = query.get(name);
  if (text === null || text === "") return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw invalid(name, `a whole number from ${String(min)} to ${String(max)}`);
}

/** An RFC 3339 time as ms since the epoch; null when the parameter is missing. */
export function timeParameter(query: URLSearchParams, name: string): number | null {
  const text = query.get(name);
  if (text === null || text === "") return null;
  // A plus sign that was not percent-encoded arrives as a space.
  const at = parseTimestamp(text.replace(" ", "+"));
  if (at === null) throw invalid(name, "a time like 2026-11-21T22:00:00Z");
  return at;
}

function invalid(name: string, expected: string): ServerError {
  return new ServerError("parameter_invalid", `The parameter ${name} must be ${expected}.`);
}
