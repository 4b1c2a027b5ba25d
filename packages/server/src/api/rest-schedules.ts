// `/v1/schedules`: schedules that are made at runtime. Refusals of the engine keep their codes.
import { z } from "zod";
import type { Reply } from "@pawl/engine/decision";
import { scheduleNotFound } from "@pawl/engine/rules/replies";
import { fieldsOf, zoneOf } from "@pawl/engine/schedule/cron";
import { nameOf, runtimeId } from "@pawl/engine/schedule/runtime";
import { nextTicks } from "@pawl/engine/schedule/timetable";
import type { RuntimeSchedule } from "@pawl/engine/schedule-records";
import { formatDuration } from "@pawl/protocol/duration";
import { jsonNull, toJsonText, type JsonText } from "@pawl/protocol/json-text";
import type { HttpResponse } from "../http/response.ts";
import type { CommandInput } from "../loop/batch.ts";
import { ServerError } from "../server-error.ts";
import { refusalResponse, type ApiContext } from "./context.ts";
import { endpoint, type DocumentedRoute } from "./endpoint.ts";
import { envelope, isoTime, spliced } from "./envelope.ts";
import {
  createSchema,
  patchSchema,
  putSchema,
  readDefinition,
  readPatch,
  scheduleIdSchema,
  scheduleSchema,
} from "./schedule-schemas.ts";
import { targetRefusal } from "./schedule-scopes.ts";
import { cursorSchema, limitSchema } from "./schemas.ts";
import { timeOrNull } from "./words.ts";

const tag = "v1 schedules";
const one = "/v1/schedules/:id";
const reasonSchema = z.strictObject({ reason: z.string().max(500).optional() });

/** The routes of schedules. */
export function restScheduleRoutes(context: ApiContext): readonly DocumentedRoute[] {
  return [...readRoutes(context), ...writeRoutes(context), ...actionRoutes(context)];
}

function readRoutes(context: ApiContext): readonly DocumentedRoute[] {
  const { queries, now } = context;
  const shared = { method: "GET", tag, access: "schedules:read" } as const;
  return [
    endpoint({
      ...shared,
      pattern: "/v1/schedules",
      summary: "Schedules made at runtime, by id",
      query: z.object({ first: limitSchema(20, 400), cursor: cursorSchema }),
      data: z.object({
        schedules: z.array(scheduleSchema),
        cursor: z.string().nullable(),
        has_more: z.boolean(),
      }),
      handle: async ({ query }) => {
        const { schedules, hasMore } = await queries.schedules(query.cursor, query.first);
        const last = schedules.at(-1);
        const cursor = hasMore && last !== undefined ? nameOf(last) : null;
        const texts = toJsonList(schedules.map(scheduleJson));
        return envelope(now(), spliced({ cursor, has_more: hasMore }, { schedules: texts }));
      },
    }),
    endpoint({
      ...shared,
      pattern: one,
      summary: "One schedule",
      data: scheduleSchema,
      handle: async ({ params: { id = "" } }) => {
        const schedule = await queries.schedule(id);
        return schedule === null ? notFound(id) : envelope(now(), scheduleJson(schedule));
      },
    }),
    endpoint({
      ...shared,
      pattern: `${one}/preview`,
      summary: "The next ticks of a schedule, pauses and jitter left out",
      query: z.object({ count: limitSchema(10, 100) }),
      data: z.object({ ticks: z.array(z.iso.datetime()) }),
      handle: async ({ params: { id = "" }, query: { count } }) => {
        const schedule = await queries.schedule(id);
        if (schedule === null) return notFound(id);
        const ticks = nextTicks(schedule, now(), count).map(isoTime);
        return envelope(now(), toJsonText({ ticks }));
      },
    }),
  ];
}

function writeRoutes(context: ApiContext): readonly DocumentedRoute[] {
  const { bodyBytesMax } = context.limits;
  const shared = { tag, access: "schedules:write", bodyBytesMax, data: scheduleSchema } as const;
  return [
    endpoint({
      ...shared,
      method: "POST",
      pattern: "/v1/schedules",
      summary: "Make a schedule; refused when there is one with its id",
      body: createSchema,
      status: 201,
      handle: ({ request, body: { id, paused = false, ...given } }) => {
        const scheduleId = runtimeId(id);
        const definition = readDefinition(context, request.body, given);
        const refusal = targetRefusal(request.caller, definition.target);
        if (refusal !== null) return refusal;
        const type = "schedule.set";
        return submit(context, { type, scheduleId, definition, paused, onlyNew: true });
      },
    }),
    endpoint({
      ...shared,
      method: "PUT",
      pattern: one,
      summary: "Make a schedule, or replace the one with this id; its history stays",
      body: putSchema,
      handle: ({ request, params: { id = "" }, body: { paused = null, ...given } }) => {
        const scheduleId = checkedId(id);
        const definition = readDefinition(context, request.body, given);
        const refusal = targetRefusal(request.caller, definition.target);
        if (refusal !== null) return refusal;
        const type = "schedule.set";
        return submit(context, { type, scheduleId, definition, paused, onlyNew: false });
      },
    }),
    endpoint({
      ...shared,
      method: "PATCH",
      pattern: one,
      summary: "Change parts of a schedule",
      body: patchSchema,
      handle: ({ request, params: { id = "" }, body }) => {
        const scheduleId = runtimeId(id);
        const patch = readPatch(context, request.body, body);
        const refusal = targetRefusal(request.caller, patch.target);
        return refusal ?? submit(context, { type: "schedule.changed", scheduleId, patch });
      },
    }),
    endpoint({
      method: "DELETE",
      tag,
      access: "schedules:write",
      pattern: one,
      summary: "Delete a schedule at once; its runs go on",
      data: z.object({ id: z.string() }),
      handle: async ({ params: { id = "" } }) => {
        const { backend, now } = context;
        const reply = await backend.submit({
          type: "schedule.removed",
          scheduleId: runtimeId(id),
        });
        return reply.ok ? envelope(now(), toJsonText({ id })) : refusalResponse(reply);
      },
    }),
  ];
}

function actionRoutes(context: ApiContext): readonly DocumentedRoute[] {
  const shared = {
    method: "POST",
    tag,
    access: "schedules:write",
    data: scheduleSchema,
  } as const;
  return [
    endpoint({
      ...shared,
      pattern: `${one}/pause`,
      summary: "Hold a schedule",
      body: reasonSchema,
      handle: ({ params: { id = "" }, body: { reason = null } }) =>
        submit(context, { type: "schedule.paused", scheduleId: runtimeId(id), reason }),
    }),
    endpoint({
      ...shared,
      pattern: `${one}/resume`,
      summary: "Let a schedule go on; missed ticks are those of its catch-up",
      handle: ({ params: { id = "" } }) =>
        submit(context, { type: "schedule.resumed", scheduleId: runtimeId(id) }),
    }),
    endpoint({
      ...shared,
      pattern: `${one}/trigger`,
      summary: "Start now, also when it is paused; its overlap holds",
      startsWork: true,
      handle: async ({ request, params: { id = "" } }) => {
        const schedule = await context.queries.schedule(id);
        const refusal = targetRefusal(request.caller, schedule?.target);
        const scheduleId = runtimeId(id);
        return refusal ?? submit(context, { type: "schedule.triggered", scheduleId });
      },
    }),
  ];
}

/** The record id of an id in the path, which must be one that can be chosen. */
function checkedId(id: string): string {
  const read = scheduleIdSchema.safeParse(id);
  if (read.success) return runtimeId(read.data);
  const why = read.error.issues[0]?.message ?? "is no id";
  throw new ServerError("parameter_invalid", `The id of the schedule ${why}.`);
}

async function submit(context: ApiContext, command: CommandInput): Promise<HttpResponse> {
  return replyResponse(context, await context.backend.submit(command));
}

function replyResponse({ now }: ApiContext, reply: Reply): HttpResponse {
  if (!reply.ok) return refusalResponse(reply);
  if (reply.value.type !== "scheduled") return envelope(now(), jsonNull);
  const { schedule, created } = reply.value;
  return { ...envelope(now(), scheduleJson(schedule)), status: created ? 201 : 200 };
}

function notFound(id: string): HttpResponse {
  const reply = scheduleNotFound(id);
  // proof: a refusal
  return refusalResponse(reply as Extract<Reply, { ok: false }>);
}

function toJsonList(texts: readonly JsonText[]): JsonText {
  return `[${texts.join(",")}]` as JsonText; // proof: a list of JSON values
}

function scheduleJson(schedule: RuntimeSchedule): JsonText {
  const { timing, target, last } = schedule;
  const cron = timing.kind === "cron" ? timing.line : null;
  const plain = {
    id: nameOf(schedule),
    cron: cron === null ? null : fieldsOf(cron),
    timezone: cron === null ? null : (zoneOf(cron) ?? "UTC"),
    every: timing.kind === "every" ? formatDuration(timing.everyMs) : null,
    jitter: formatDuration(schedule.jitterMs),
    start_at: timeOrNull(schedule.startAt),
    end_at: timeOrNull(schedule.endAt),
    overlap: schedule.overlap,
    catch_up: schedule.catchUp,
    catch_up_window:
      schedule.catchUpWindowMs === null ? null : formatDuration(schedule.catchUpWindowMs),
    created_at: isoTime(schedule.createdAt),
    updated_at: isoTime(schedule.updatedAt),
    paused: schedule.pausedAt !== null,
    paused_at: timeOrNull(schedule.pausedAt),
    pause_reason: schedule.pauseReason,
    // While it is paused nothing comes.
    next_at: schedule.pausedAt === null ? timeOrNull(schedule.nextAt) : null,
    last_at: timeOrNull(schedule.lastAt),
    last:
      last === null
        ? null
        : {
            at: isoTime(last.tick.at),
            manual: last.tick.isManual,
            started_at: isoTime(last.startedAt),
            event_id: last.eventId,
            run_ids: last.runIds,
          },
    queued_at: timeOrNull(schedule.queued?.at ?? null),
    unended_run_ids: schedule.runIds,
    fired: schedule.fired,
    skipped: schedule.skipped,
    missed: schedule.missed,
    problem: schedule.problem,
  };
  const label = target.kind === "event" ? { name: target.name } : { id: target.name };
  const shown = spliced(label, { data: target.data }) as JsonText; // proof: an object of JSON values
  const texts = target.kind === "event" ? [shown, jsonNull] : [jsonNull, shown];
  const [event = jsonNull, fn = jsonNull] = texts;
  return spliced(plain, { event, function: fn }) as JsonText; // proof: an object of JSON values
}
