// Schedules on the wire: the schemas of bodies and answers, and the way between them and what the
// engine takes. It must not know routes.
import { z } from "zod";
import type { ScheduleDefinition, ScheduleTarget, Timing } from "@pawl/engine/schedule-records";
import { parseDuration, parseTimestamp } from "@pawl/protocol/duration";
import { readEvents, readInvocation } from "@pawl/protocol/event-wire";
import { sliceObject } from "@pawl/protocol/json-span";
import { ServerError } from "../server-error.ts";
import { eventLimits } from "./accept.ts";
import type { ApiContext } from "./context.ts";

const overlaps = ["allow", "skip", "queue_one", "cancel_previous"] as const;
const catchUps = ["none", "one", "all"] as const;

/** The id that people choose. */
export const scheduleIdSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/, {
  error: "must be 1 to 100 letters, digits, ., _, : and -, and begin with a letter or digit",
});

const duration = z
  .union([z.string().max(100), z.int().min(0)])
  .transform((given, issues) => {
    const ms = typeof given === "number" ? given : parseDuration(given);
    if (ms === null) issues.addIssue("must be a duration like 15m, or a number of ms");
    return ms ?? 0;
  })
  .meta({ type: ["string", "integer"], description: "A duration like 15m, or ms." });

const moment = z
  .string()
  .transform((text, issues) => {
    const at = parseTimestamp(text);
    if (at === null) issues.addIssue("must be a time like 2026-11-21T22:00:00Z");
    return at;
  })
  .meta({ type: "string", format: "date-time" });

const payload = z.record(z.string(), z.json());
const payloads = { data: payload.optional(), user: payload.optional(), meta: payload.optional() };

/** What may be changed of a schedule; each part stands alone. */
export const patchSchema = z.strictObject({
  cron: z.string().max(200).optional(),
  timezone: z.string().max(100).regex(/^\S+$/).optional(),
  every: duration.optional(),
  event: z.strictObject({ name: z.string(), v: z.string().optional(), ...payloads }).optional(),
  function: z.strictObject({ id: z.string(), ...payloads }).optional(),
  jitter: duration.optional(),
  start_at: moment.nullable().optional(),
  end_at: moment.nullable().optional(),
  overlap: z.enum(overlaps).optional(),
  catch_up: z.enum(catchUps).optional(),
  catch_up_window: duration.nullable().optional(),
});

/** A whole schedule, whose id is in the path. */
export const putSchema = patchSchema.extend({ paused: z.boolean().optional() });
/** A whole schedule. */
export const createSchema = putSchema.extend({ id: scheduleIdSchema });

const time = z.iso.datetime();

/** A schedule as answers show it. */
export const scheduleSchema = z.object({
  id: z.string(),
  cron: z.string().nullable(),
  timezone: z.string().nullable(),
  every: z.string().nullable(),
  jitter: z.string(),
  start_at: time.nullable(),
  end_at: time.nullable(),
  overlap: z.enum(overlaps),
  catch_up: z.enum(catchUps),
  catch_up_window: z.string().nullable(),
  created_at: time,
  updated_at: time,
  paused: z.boolean(),
  paused_at: time.nullable(),
  pause_reason: z.string().nullable(),
  next_at: time.nullable(),
  last_at: time.nullable(),
  last: z
    .object({
      at: time,
      manual: z.boolean(),
      started_at: time,
      event_id: z.string(),
      run_ids: z.array(z.string()),
    })
    .nullable(),
  queued_at: time.nullable(),
  unended_run_ids: z.array(z.string()),
  fired: z.int(),
  skipped: z.int(),
  missed: z.int(),
  problem: z.string().nullable(),
  event: z.object({ name: z.string(), data: payload }).nullable(),
  function: z.object({ id: z.string(), data: payload }).nullable(),
});

type Patch = z.output<typeof patchSchema>;

/**
 * The parts that a body names. `text`: the body as it arrived, from which payloads are cut. Throws
 * `body_invalid` for parts that do not go together, and what events throw for a payload.
 */
export function readPatch(
  context: ApiContext,
  text: string,
  patch: Patch,
): Partial<ScheduleDefinition> {
  const timing = readTiming(patch);
  const target = readTarget(context, text, patch);
  return {
    ...(timing === null ? null : { timing }),
    ...(target === null ? null : { target }),
    ...(patch.jitter === undefined ? null : { jitterMs: patch.jitter }),
    ...(patch.start_at === undefined ? null : { startAt: patch.start_at }),
    ...(patch.end_at === undefined ? null : { endAt: patch.end_at }),
    ...(patch.overlap === undefined ? null : { overlap: patch.overlap }),
    ...(patch.catch_up === undefined ? null : { catchUp: patch.catch_up }),
    ...(patch.catch_up_window === undefined ? null : { catchUpWindowMs: patch.catch_up_window }),
  };
}

/** The whole of a schedule, with defaults for what the body does not name. */
export function readDefinition(
  context: ApiContext,
  text: string,
  given: Patch,
): ScheduleDefinition {
  const { timing, target, ...rest } = readPatch(context, text, given);
  if (timing === undefined) throw misfit("when does it tick? Give cron or every");
  if (target === undefined) throw misfit("what does a tick do? Give event or function");
  return {
    timing,
    target,
    jitterMs: 0,
    startAt: null,
    endAt: null,
    overlap: "allow",
    catchUp: "one",
    catchUpWindowMs: null,
    ...rest,
  };
}

function readTiming({ cron, timezone, every }: Patch): Timing | null {
  if (cron !== undefined && every !== undefined) throw misfit("give cron or every, not both");
  if (timezone !== undefined && cron === undefined) throw misfit("timezone belongs to cron");
  if (every !== undefined) return { kind: "every", everyMs: every };
  if (cron === undefined) return null;
  if (timezone === undefined) return { kind: "cron", line: cron };
  if (cron.includes("TZ=")) throw misfit("give the time zone in timezone or in cron, not in both");
  return { kind: "cron", line: `TZ=${timezone} ${cron}` };
}

function readTarget(context: ApiContext, text: string, patch: Patch): ScheduleTarget | null {
  const { event, function: fn } = patch;
  if (event !== undefined && fn !== undefined) throw misfit("give event or function, not both");
  if (event === undefined && fn === undefined) return null;
  const source = sliceObject(text).get(event === undefined ? "function" : "event") ?? "{}";
  const now = context.now();
  const limits = eventLimits(context);
  if (event === undefined) {
    const read = readInvocation(source, { now, limits, id: "" });
    return targetOf("function", fn?.id ?? "", read);
  }
  const { events, failure } = readEvents(source, { now, limits, nextId: () => "" });
  const [read] = events;
  if (read === undefined) throw failure ?? misfit("event is missing");
  return targetOf("event", read.name, read);
}

function targetOf(
  kind: ScheduleTarget["kind"],
  name: string,
  { data, user, version, meta }: Omit<ScheduleTarget, "kind" | "name">,
): ScheduleTarget {
  return { kind, name, data, user, version, meta };
}

function misfit(why: string): ServerError {
  return new ServerError("body_invalid", `The body does not fit: ${why}.`);
}
