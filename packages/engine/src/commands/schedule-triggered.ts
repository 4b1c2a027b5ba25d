// A start of a schedule without a tick of the clock: people want one now, or a run has ended for
// whose end a tick waited.
import type { ScheduleRunEnded, ScheduleTriggered } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import { scheduleNotFound } from "../rules/replies.ts";
import { putSchedule } from "../schedule/registered.ts";
import { nameOf } from "../schedule/runtime.ts";
import { runEnded, takeTick } from "../schedule/ticking.ts";
import type { StateView } from "../state/view.ts";
import { runtimeSchedule, scheduled } from "./schedule-set.ts";

/** Also for a paused schedule. Refused when overlap or a missing function lets nothing start. */
export function scheduleTriggered(state: StateView, command: ScheduleTriggered): Decision {
  const draft = new Draft(state, command);
  const { scheduleId } = command;
  const before = runtimeSchedule(state, scheduleId);
  const name = nameOf({ id: scheduleId });
  if (before === undefined) return draft.decide(scheduleNotFound(name));
  const schedule = takeTick(draft, before, { at: draft.at, isManual: true });
  putSchedule(draft, schedule);
  if (schedule.skipped === before.skipped) return draft.decide(scheduled(schedule, false));
  const isBusy = before.runIds.length > 0;
  const message = `Schedule "${name}" started nothing: ${schedule.problem}`;
  return draft.decide({
    ok: false,
    code: isBusy ? "schedule_busy" : "function_not_found",
    message,
  });
}

export function scheduleRunEnded(state: StateView, command: ScheduleRunEnded): Decision {
  const draft = new Draft(state, command);
  const before = runtimeSchedule(state, command.scheduleId);
  // Deleted since, made again, or its next tick has taken the place of the run.
  if (before === undefined || !before.runIds.includes(command.runId)) return draft.done();
  putSchedule(draft, runEnded(draft, before, command.runId));
  return draft.done();
}
