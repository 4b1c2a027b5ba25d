// What apps and functions look like in the REST API v2 (protocol.md 8.3), for its description. It must not
// know how an answer is made.
import { z } from "zod";

const time = z.iso.datetime();

/** An app. */
export const appSchema = z.object({
  id: z.string().describe("Its name."),
  internalId: z.string(),
  name: z.string(),
  url: z.string(),
  sdk: z.string(),
  framework: z.string().nullable(),
  error: z.string().nullable().describe("Why it could not be synced."),
  functionCount: z.int(),
  createdAt: time,
  updatedAt: time,
});

const registered = z.json().describe("As registered; null: not asked for.");

/** A function. */
export const functionSchema = z.object({
  id: z.string().describe("As its author wrote it."),
  internalId: z.string(),
  name: z.string(),
  slug: z.string(),
  isPaused: z.boolean(),
  isArchived: z.boolean(),
  app: z.object({ id: z.string() }),
  triggers: z.array(
    z.object({
      type: z.enum(["EVENT", "CRON"]),
      value: z.string(),
      condition: z.string().nullable(),
    }),
  ),
  configuration: z.object({
    cancellations: z.array(z.json()),
    retries: z.object({ value: z.int(), isDefault: z.boolean() }),
    priority: registered,
    eventsBatch: registered,
    concurrency: z.array(
      z.object({
        scope: z.string(),
        limit: z.object({ value: z.int(), isPlanLimit: z.boolean() }),
        key: z.string().nullable(),
      }),
    ),
    rateLimit: registered,
    debounce: registered,
    throttle: registered,
    singleton: registered,
  }),
});
