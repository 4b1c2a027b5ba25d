// Times as GraphQL arguments.
import { parseTimestamp } from "@pawl/protocol/duration";
import { ServerError } from "../../server-error.ts";

/** Ms since the epoch of an RFC 3339 text; null when it is not given. Throws `parameter_invalid`. */
export function timeOf(value: unknown, name: string): number | null {
  if (value === undefined || value === null || value === "") return null;
  const at = typeof value === "string" ? parseTimestamp(value) : null;
  if (at !== null) return at;
  throw new ServerError("parameter_invalid", `${name} must be a time like 2026-11-21T22:00:00Z.`);
}
