// A schedule is due: the function starts with the event of the tick, and the next tick is set, in
// one decision, so that none is lost or comes twice.
import type { ScheduleDue } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import { trigger } from "../flow/start.ts";
import { indexKeys } from "../rules/waits.ts";
import { putSchedule } from "../schedule/registered.ts";
import { fire, tickEvent } from "../schedule/schedule.ts";
import type { StateView } from "../state/view.ts";

export function scheduleDue(state: StateView, command: ScheduleDue): Decision {
  const draft = new Draft(state, command);
  const { scheduleId } = command;
  const schedule = state.schedule(scheduleId);
  if (schedule === undefined) return draft.done();
  if (schedule.dueAt > draft.at) {
    // A timer of before, or a clock that stepped back.
    draft.effect({ type: "tick", scheduleId, dueAt: schedule.dueAt });
    return draft.done();
  }
  const { tick, schedule: next } = fire(schedule, draft.at, state.settings);
  if (next === null) draft.write({ type: "schedule.delete", scheduleId });
  else putSchedule(draft, next);
  const fn = state.functionById(schedule.functionId);
  if (tick === null || fn === undefined) return draft.done();
  const event = tickEvent(schedule, tick, draft.random.ulid(draft.at), draft.at);
  draft.write({ type: "event.put", event, keys: indexKeys(state, event) });
  trigger(draft, fn, event);
  return draft.done();
}
