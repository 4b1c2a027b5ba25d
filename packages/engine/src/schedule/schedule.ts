// A schedule of a trigger: a function and one of its cron lines. What its next tick is, what is made up for when
// ticks were missed, and the event that a tick is. It must not know drafts or stores.
import { toJsonText } from "@pawl/protocol/json-text";
import { sha256Hex } from "@pawl/protocol/sha256";
import { encodeUlid } from "@pawl/protocol/ulid";
import { uuidFromName } from "@pawl/protocol/uuid";
import type { CronTrigger, EventRecord, FunctionRecord } from "../records.ts";
import type { TriggerSchedule } from "../schedule-records.ts";
import type { Settings } from "../settings.ts";
import { latestTick, nextTick } from "./cron.ts";

/** The name of the event that starts a function by its schedule (protocol.md 4). */
export const scheduledEvent = "inngest/scheduled.timer";

/** UUID of the schedule of a function and a cron line. */
export function scheduleId(functionId: string, cron: string): string {
  return uuidFromName(`schedule:${functionId}:${cron}`);
}

/** The ids of all schedules of a function, each once. */
export function scheduleIds(fn: Pick<FunctionRecord, "id" | "triggers">): readonly string[] {
  const crons = fn.triggers.filter((trigger) => trigger.kind === "cron");
  return [...new Set(crons.map(({ cron }) => scheduleId(fn.id, cron)))];
}

/** A schedule that ticks for the first time behind `at`; null when it never does. */
export function newSchedule(
  functionId: string,
  { cron, jitterMs = 0 }: CronTrigger,
  at: number,
): TriggerSchedule | null {
  const nextAt = nextTick(cron, at);
  if (nextAt === null) return null;
  const id = scheduleId(functionId, cron);
  const dueAt = dueAtOf(id, nextAt, jitterMs);
  return { kind: "trigger", id, functionId, cron, jitterMs, nextAt, dueAt, lastAt: null };
}

/** What a schedule does when its time has come. */
export interface Firing {
  /** The tick that starts the function; null: it was missed for too long. */
  readonly tick: number | null;
  /** The schedule from now on; null: it never ticks again. */
  readonly schedule: TriggerSchedule | null;
}

/**
 * What is to be done at `at`, when the schedule is due. Of ticks that were missed only the latest
 * starts the function; none does when that is more than `scheduleLateMaxMs` ago.
 */
export function fire(schedule: TriggerSchedule, at: number, settings: Settings): Firing {
  const { id, cron, jitterMs, nextAt } = schedule;
  // Within the jitter of each other several ticks may be waiting for their turn.
  const tick = latestTick(cron, nextAt, at - jitterMs);
  const next = nextTick(cron, tick);
  const { scheduleLateMaxMs } = settings;
  const isMissed =
    scheduleLateMaxMs !== null && at - dueAtOf(id, tick, jitterMs) > scheduleLateMaxMs;
  return {
    tick: isMissed ? null : tick,
    schedule:
      next === null
        ? null
        : {
            ...schedule,
            nextAt: next,
            dueAt: dueAtOf(id, next, jitterMs),
            lastAt: isMissed ? schedule.lastAt : tick,
          },
  };
}

/**
 * The event of a tick. Its external id follows from schedule and tick, so that a tick can start
 * the function once only, whatever happens.
 */
export function tickEvent(
  schedule: TriggerSchedule,
  tick: number,
  eventId: string,
  at: number,
): EventRecord {
  return {
    id: eventId,
    name: scheduledEvent,
    externalId: tickId(schedule.id, tick),
    ts: tick,
    receivedAt: at,
    data: toJsonText({ cron: schedule.cron }),
    user: null,
    version: null,
    meta: null,
  };
}

/** The external id of a tick's event: the same each time it is asked for, and of no other tick. */
export function tickId(id: string, tick: number): string {
  const [hi, mid, lo] = hashOf(id, tick);
  return encodeUlid(tick, hi >>> 16, mid, lo);
}

/** When a tick fires: up to `jitterMs` later, by an amount that is always the same for it. */
export function dueAtOf(id: string, tick: number, jitterMs: number): number {
  return tick + Math.floor((hashOf(id, tick)[0] / 2 ** 32) * jitterMs);
}

/** Three numbers of 32 bits. */
function hashOf(id: string, tick: number): readonly [number, number, number] {
  const hash = sha256Hex(`${id}:${tick}`);
  const part = (index: number): number => Number.parseInt(hash.slice(8 * index, 8 * index + 8), 16);
  return [part(0), part(1), part(2)];
}
