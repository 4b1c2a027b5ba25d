// People pause a schedule, let it go on, or delete it. The runs that it started stay as they are.
import type { SchedulePaused, ScheduleRemoved, ScheduleResumed } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import { scheduleNotFound } from "../rules/replies.ts";
import { putSchedule } from "../schedule/registered.ts";
import { nameOf, paused, resumed } from "../schedule/runtime.ts";
import type { StateView } from "../state/view.ts";
import { runtimeSchedule, scheduled } from "./schedule-set.ts";

/** Repeating one changes nothing but the reason. */
export function scheduleHeld(
  state: StateView,
  command: SchedulePaused | ScheduleResumed,
): Decision {
  const draft = new Draft(state, command);
  const before = runtimeSchedule(state, command.scheduleId);
  if (before === undefined)
    return draft.decide(scheduleNotFound(nameOf({ id: command.scheduleId })));
  const schedule =
    command.type === "schedule.paused" ? paused(before, command.reason, draft.at) : resumed(before);
  putSchedule(draft, schedule);
  return draft.decide(scheduled(schedule, false));
}

export function scheduleRemoved(state: StateView, command: ScheduleRemoved): Decision {
  const draft = new Draft(state, command);
  const { scheduleId } = command;
  if (runtimeSchedule(state, scheduleId) === undefined)
    return draft.decide(scheduleNotFound(nameOf({ id: scheduleId })));
  draft.write({ type: "schedule.delete", scheduleId });
  return draft.done();
}
