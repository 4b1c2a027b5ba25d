// A schedule is due: its tick is taken, and the next is set, in one decision, so that none is lost
// or comes twice.
import type { ScheduleDue } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import { trigger } from "../flow/start.ts";
import { indexKeys } from "../rules/waits.ts";
import type { TriggerSchedule } from "../schedule-records.ts";
import { putSchedule } from "../schedule/registered.ts";
import { advance } from "../schedule/runtime.ts";
import { fire, tickEvent } from "../schedule/schedule.ts";
import { takeTick } from "../schedule/ticking.ts";
import type { StateView } from "../state/view.ts";

export function scheduleDue(state: StateView, command: ScheduleDue): Decision {
  const draft = new Draft(state, command);
  const { scheduleId } = command;
  const schedule = state.schedule(scheduleId);
  // Deleted or paused since the timer was set.
  if (schedule === undefined || schedule.dueAt === null) return draft.done();
  if (schedule.dueAt > draft.at) {
    // A timer of before, or a clock that stepped back.
    draft.effect({ type: "tick", scheduleId, dueAt: schedule.dueAt });
    return draft.done();
  }
  if (schedule.kind === "trigger") fireTrigger(draft, schedule);
  else {
    const { tick, schedule: next } = advance(schedule, draft.at, state.settings);
    const taken = tick === null ? next : takeTick(draft, next, { at: tick, isManual: false });
    putSchedule(draft, taken);
  }
  return draft.done();
}

function fireTrigger(draft: Draft, schedule: TriggerSchedule): void {
  const { state, at } = draft;
  const { tick, schedule: next } = fire(schedule, at, state.settings);
  if (next === null) draft.write({ type: "schedule.delete", scheduleId: schedule.id });
  else putSchedule(draft, next);
  const fn = state.functionById(schedule.functionId);
  if (tick === null || fn === undefined) return;
  const event = tickEvent(schedule, tick, draft.random.ulid(at), at);
  draft.write({ type: "event.put", event, keys: indexKeys(state, event) });
  const origin = { id: schedule.id, line: schedule.cron };
  trigger(draft, fn, event, { schedule: origin, isHeld: false });
}
