// Query parameters that several endpoints share, as schemas. It must not know the endpoints.
import { z } from "zod";
import type { RunStatus } from "@pawl/engine/records";
import { parseTimestamp } from "@pawl/protocol/duration";
import { runStatusOf, runStatusWords } from "./words.ts";

const idsMax = 100;

/** How many items a page has at most. */
export function limitSchema(fallback: number, max: number) {
  return z.coerce
    .number()
    .int()
    .min(1)
    .max(max)
    .default(fallback)
    .meta({ type: "integer", description: "Items on a page." });
}

/** Where the last page ended; an empty text is the beginning. */
export const cursorSchema = z
  .string()
  .max(100)
  .optional()
  .transform((text) => (text === undefined || text === "" ? null : text))
  .meta({ type: "string", description: "Cursor of the last page." });

/** An RFC 3339 time as ms since the epoch; null when it is not given. */
export const timeSchema = z
  .string()
  .optional()
  .transform((text, issues) => {
    if (text === undefined || text === "") return null;
    // A plus sign that was not percent-encoded arrives as a space.
    const at = parseTimestamp(text.replace(" ", "+"));
    if (at === null) issues.addIssue("must be a time like 2026-11-21T22:00:00Z");
    return at;
  })
  .meta({ type: "string", format: "date-time" });

/** Statuses of runs, repeated or separated by commas; null: any. */
export const statusesSchema = z
  .array(z.string())
  .optional()
  .transform((words, issues): readonly RunStatus[] | null => {
    if (words === undefined) return null;
    const statuses = words.flatMap((word) => runStatusOf(word) ?? []);
    if (statuses.length < words.length) {
      issues.addIssue(`must be among ${Object.values(runStatusWords).join(", ")}`);
    }
    return statuses;
  })
  .meta({ type: "array", items: { type: "string", enum: Object.values(runStatusWords) } });

/** Ids, repeated or separated by commas; null: any. */
export const idsSchema = z
  .array(z.string().min(1))
  .max(idsMax)
  .optional()
  .transform((ids) => ids ?? null)
  .meta({ type: "array", items: { type: "string" } });

/** UUIDs, repeated or separated by commas; null: any. */
export const uuidsSchema = z
  .array(z.uuid("must be a UUID, as lists of functions and apps give them"))
  .max(idsMax)
  .optional()
  .transform((ids) => ids ?? null)
  .meta({ type: "array", items: { type: "string", format: "uuid" } });

/** A search expression; null: none. */
export const searchSchema = z
  .string()
  .optional()
  .transform((text) => (text === undefined || text.trim() === "" ? null : text))
  .meta({
    type: "string",
    description:
      "CEL expression over `event` (and for runs `output` and `run`): only those for which it is true. " +
      "A page looks at a bounded number of records; `scanned` tells how many, and the cursor goes on behind them.",
  });
