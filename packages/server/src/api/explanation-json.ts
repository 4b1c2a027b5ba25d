// An explanation as the APIs write it: times as RFC 3339, the shape described by a schema. It must
// not know which API writes it.
import { z } from "zod";
import { gateKinds, reasonKinds, type Explanation } from "@pawl/engine/explain/explanation";
import { toJsonText, type JsonText } from "@pawl/protocol/json-text";
import { runStatusWords, timeOrNull } from "./words.ts";

const time = z.iso.datetime().nullable();

const gateSchema = z.object({
  kind: z.enum(gateKinds),
  name: z.string(),
  scope: z.enum(["fn", "env", "account"]).nullable(),
  expression: z.string().nullable(),
  value: z.string().nullable().describe("JSON text, cut when it is long."),
  limit: z.int().nullable(),
  taken: z.int(),
  heldBy: z.array(z.string()).describe("Runs that have places, a few at most."),
});

const placeSchema = z.object({
  place: z.int().min(1),
  queued: z.int(),
  othersAhead: z.int().describe("Calls of other functions that may go first."),
  expectedAt: time.describe("An estimate; null: nothing is known to make one from."),
  expectedFrom: z.string().nullable(),
});

const reasonSchema = z.object({
  kind: z.enum(reasonKinds),
  jobId: z.string().nullable(),
  step: z.string().nullable(),
  sentence: z.string().describe("What is the case."),
  next: z.string().describe("What to do, or that there is nothing to do."),
  sinceAt: time,
  dueAt: time,
  attempt: z.int().nullable(),
  attemptsMax: z.int().nullable(),
  error: z.string().nullable(),
  gate: gateSchema.nullable(),
  place: placeSchema.nullable(),
  event: z.string().nullable(),
  expression: z.string().nullable(),
  signal: z.string().nullable(),
  childRunId: z.string().nullable(),
  functionSlug: z.string().nullable(),
  events: z.int().nullable(),
  eventsMax: z.int().nullable(),
});

/** The shape of an explanation. */
export const explanationSchema = z.object({
  runId: z.string(),
  status: z.enum(Object.values(runStatusWords)),
  functionId: z.string(),
  functionSlug: z.string().nullable(),
  at: z.iso.datetime(),
  reasons: z.array(reasonSchema).min(1),
  more: z.int().describe("Calls, timers and waits that are left out because there are too many."),
});

/** The explanation in that shape. */
export function explanationJson({ reasons, status, at, ...rest }: Explanation): JsonText {
  return toJsonText({
    ...rest,
    status: runStatusWords[status],
    at: timeOrNull(at),
    reasons: reasons.map(({ sinceAt, dueAt, place, ...reason }) => ({
      ...reason,
      sinceAt: timeOrNull(sinceAt),
      dueAt: timeOrNull(dueAt),
      place:
        place === null
          ? null
          : {
              ...place,
              expectedAt: timeOrNull(place.expectedAt),
            },
    })),
  });
}
