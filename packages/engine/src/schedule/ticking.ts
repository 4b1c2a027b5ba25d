// What a tick of a runtime schedule does: whether it may start while runs of earlier ticks go on,
// and the start itself. The runs that count are named in the schedule and hold it (`flow/holds.ts`).
import { invokedEventName } from "@pawl/protocol/event-wire";
import type { Draft } from "../draft.ts";
import { trigger } from "../flow/start.ts";
import { functionNotFound } from "../rules/replies.ts";
import { startableFunction } from "../rules/start-run.ts";
import { takeEvent } from "../rules/take-event.ts";
import { indexKeys } from "../rules/waits.ts";
import type { EventRecord } from "../records.ts";
import type { RunOrigin, RuntimeSchedule, Tick } from "../schedule-records.ts";
import { nameOf } from "./runtime.ts";
import { tickId } from "./schedule.ts";
import { lineOf } from "./timetable.ts";

/** Runs that `last` of a schedule names. */
export const startedRunsShown = 20;

/** Starts by the tick, puts it off, or leaves it out, as overlap says; returns the schedule from now on. */
export function takeTick(draft: Draft, schedule: RuntimeSchedule, tick: Tick): RuntimeSchedule {
  const { overlap, runIds, queued, skipped } = schedule;
  const [running] = runIds;
  if (running === undefined || overlap === "allow") return start(draft, schedule, tick);
  if (overlap === "cancel_previous") {
    const reason = `schedule ${nameOf(schedule)}: its next tick takes the place of this run`;
    for (const runId of runIds) draft.send({ type: "run.cancelled", runId, reason });
    return start(draft, { ...schedule, runIds: [] }, tick);
  }
  if (overlap === "queue_one" && queued === null)
    return { ...schedule, queued: tick, problem: waiting(running) };
  return { ...schedule, skipped: skipped + 1, problem: `overlap: run ${running} goes on` };
}

/** One of its runs has ended; a tick that waits for the last of them starts. */
export function runEnded(draft: Draft, schedule: RuntimeSchedule, runId: string): RuntimeSchedule {
  const runIds = schedule.runIds.filter((id) => id !== runId);
  const { queued } = schedule;
  if (queued === null || runIds.length > 0) return { ...schedule, runIds };
  return start(draft, { ...schedule, runIds, queued: null }, queued);
}

function waiting(runId: string): string {
  return `overlap: the tick waits for the end of run ${runId}`;
}

/** The event of a tick, without the id that the decision gives it. */
export function runtimeEvent(schedule: RuntimeSchedule, tick: Tick, at: number): EventRecord {
  const { id, createdAt, target } = schedule;
  return {
    id: "",
    name: target.kind === "event" ? target.name : invokedEventName,
    // Made again under the same id it is another schedule.
    externalId: tick.isManual ? null : tickId(`${id}:${createdAt}`, tick.at),
    ts: tick.at,
    receivedAt: at,
    data: target.data,
    user: target.user,
    version: target.version,
    meta: target.meta,
  };
}

function start(draft: Draft, schedule: RuntimeSchedule, tick: Tick): RuntimeSchedule {
  const { target, overlap, fired, skipped } = schedule;
  const event = {
    ...runtimeEvent(schedule, tick, draft.at),
    id: draft.random.ulid(draft.at),
  };
  const isHeld = overlap !== "allow";
  const origin = { schedule: { id: schedule.id, line: lineOf(schedule) }, isHeld };
  const { runIds, problem } =
    target.kind === "event"
      ? { runIds: takeEvent(draft, event, new Set(), origin), problem: null }
      : startTarget(draft, target.name, event, origin);
  if (runIds === null) return { ...schedule, skipped: skipped + 1, problem };
  return {
    ...schedule,
    fired: fired + 1,
    problem,
    runIds: isHeld ? [...schedule.runIds, ...runIds] : schedule.runIds,
    last: {
      tick,
      startedAt: draft.at,
      eventId: event.id,
      runIds: runIds.slice(0, startedRunsShown),
    },
  };
}

/** `runIds` null: there is no such function, and nothing was done. */
function startTarget(
  draft: Draft,
  slug: string,
  event: EventRecord,
  origin: RunOrigin,
): { readonly runIds: readonly string[] | null; readonly problem: string | null } {
  const fn = startableFunction(draft.state, slug);
  if (fn === undefined) {
    const refusal = functionNotFound(slug);
    return { runIds: null, problem: refusal.ok ? null : refusal.message };
  }
  draft.write({ type: "event.put", event, keys: indexKeys(draft.state, event) });
  const { runId, problem } = trigger(draft, fn, event, origin);
  return { runIds: runId === null ? [] : [runId], problem };
}
