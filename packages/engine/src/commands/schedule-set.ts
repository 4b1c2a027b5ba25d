// People make a schedule at runtime, say anew what it is, or change parts of it.
import type { ScheduleChanged, ScheduleSet } from "../commands.ts";
import type { Decision, Reply } from "../decision.ts";
import { Draft } from "../draft.ts";
import { functionNotFound, scheduleNotFound } from "../rules/replies.ts";
import { startableFunction } from "../rules/start-run.ts";
import type { RuntimeSchedule, ScheduleDefinition, ScheduleTarget } from "../schedule-records.ts";
import { putSchedule } from "../schedule/registered.ts";
import {
  nameOf,
  newRuntimeSchedule,
  paused,
  redefined,
  resumed,
  timingProblem,
} from "../schedule/runtime.ts";
import type { StateView } from "../state/view.ts";

/** A schedule that is there keeps its next tick unless its times change, and its history. */
export function scheduleSet(state: StateView, command: ScheduleSet): Decision {
  const draft = new Draft(state, command);
  const { scheduleId, definition, onlyNew } = command;
  const before = runtimeSchedule(state, scheduleId);
  const name = nameOf({ id: scheduleId });
  const refusal =
    (before !== undefined && onlyNew ? exists(name) : null) ??
    (before === undefined ? tooMany(state, name) : null) ??
    definitionRefusal(state, name, definition);
  if (refusal !== null) return draft.decide(refusal);
  const defined =
    before === undefined
      ? newRuntimeSchedule(scheduleId, definition, draft.at)
      : redefined(before, definition, draft.at);
  const schedule = held(defined, command.paused, draft.at);
  // The same said again of one that has come to its end is no mistake.
  if (schedule.nextAt === null && before?.nextAt !== null) return draft.decide(neverTicks(name));
  putSchedule(draft, schedule);
  return draft.decide(scheduled(schedule, before === undefined));
}

/** Takes a part of a definition; the rest stays. */
export function scheduleChanged(state: StateView, command: ScheduleChanged): Decision {
  const draft = new Draft(state, command);
  const before = runtimeSchedule(state, command.scheduleId);
  const name = nameOf({ id: command.scheduleId });
  if (before === undefined) return draft.decide(scheduleNotFound(name));
  const { patch } = command;
  const problem = timingProblem(name, { ...before, ...patch });
  if (problem !== null) return draft.decide({ ok: false, ...problem });
  const missing = patch.target === undefined ? null : targetRefusal(state, patch.target);
  if (missing !== null) return draft.decide(missing);
  const schedule = redefined(before, patch, draft.at);
  if (schedule.nextAt === null && before.nextAt !== null) return draft.decide(neverTicks(name));
  putSchedule(draft, schedule);
  return draft.decide(scheduled(schedule, false));
}

/** The schedule under an id; undefined: none that was made at runtime. */
export function runtimeSchedule(state: StateView, scheduleId: string): RuntimeSchedule | undefined {
  const schedule = state.schedule(scheduleId);
  return schedule?.kind === "runtime" ? schedule : undefined;
}

/** Tells the schedule as it is now. */
export function scheduled(schedule: RuntimeSchedule, created: boolean): Reply {
  return { ok: true, value: { type: "scheduled", schedule, created } };
}

function held(schedule: RuntimeSchedule, isPaused: boolean | null, at: number): RuntimeSchedule {
  if (isPaused === null) return schedule;
  return isPaused ? paused(schedule, schedule.pauseReason, at) : resumed(schedule);
}

function definitionRefusal(
  state: StateView,
  name: string,
  definition: ScheduleDefinition,
): Reply | null {
  const problem = timingProblem(name, definition);
  if (problem !== null) return { ok: false, ...problem };
  return targetRefusal(state, definition.target);
}

function targetRefusal(state: StateView, { kind, name }: ScheduleTarget): Reply | null {
  const isMissing = kind === "function" && startableFunction(state, name) === undefined;
  return isMissing ? functionNotFound(name) : null;
}

function exists(name: string): Reply {
  const message = `There is a schedule "${name}" already. Delete it, choose another id, or replace it (PUT, upsert).`;
  return { ok: false, code: "schedule_exists", message };
}

function neverTicks(name: string): Reply {
  const message = `Schedule "${name}": no tick lies before its end. Choose a later end, or other times.`;
  return { ok: false, code: "schedule_invalid", message };
}

function tooMany({ runtimeSchedules, settings }: StateView, name: string): Reply | null {
  const { schedulesMax } = settings;
  if (runtimeSchedules < schedulesMax) return null;
  const message = `Schedule "${name}" would be one too many: the server has ${runtimeSchedules}, and setting schedulesMax allows ${schedulesMax}. Delete some, or raise it (--schedules-max).`;
  return { ok: false, code: "schedules_too_many", message };
}
