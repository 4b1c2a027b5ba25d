// Keeps the schedules of an app in step with its functions: they come, stay and go with them.
import type { Draft } from "../draft.ts";
import type { FunctionRecord } from "../records.ts";
import type { ScheduleRecord } from "../schedule-records.ts";
import type { EngineCode } from "../codes.ts";
import type { Need } from "../needs.ts";
import { cronProblem } from "./cron.ts";
import { newSchedule, scheduleId, scheduleIds } from "./schedule.ts";

type Scheduled = Pick<FunctionRecord, "id" | "slug" | "triggers">;

/** The first cron line of a function that cannot work; null when there is none. */
export function scheduleProblem(
  fn: Scheduled,
): { readonly code: EngineCode; readonly message: string } | null {
  for (const trigger of fn.triggers) {
    const problem = trigger.kind === "cron" ? cronProblem(trigger.cron) : null;
    if (trigger.kind !== "cron" || problem === null) continue;
    const message = `Function "${fn.slug}": the cron line "${trigger.cron}" cannot be used: ${problem}.`;
    return { code: "schedule_invalid", message };
  }
  return null;
}

/** What must be in memory before `registerSchedules` is called with these functions. */
export function scheduleNeeds(functions: readonly Scheduled[]): readonly Need[] {
  return functions.flatMap(scheduleIds).map((id): Need => ({ kind: "schedule", scheduleId: id }));
}

/**
 * Makes the schedules that are missing and deletes those of `before` that are not wanted any more.
 * One that stays keeps its next tick, so that a sync loses none.
 */
export function registerSchedules(
  draft: Draft,
  before: readonly Scheduled[],
  after: readonly Scheduled[],
): void {
  const wanted = new Set<string>();
  for (const fn of after) {
    for (const trigger of fn.triggers) {
      if (trigger.kind !== "cron") continue;
      const id = scheduleId(fn.id, trigger.cron);
      if (wanted.has(id)) continue;
      wanted.add(id);
      if (draft.state.schedule(id)?.jitterMs === (trigger.jitterMs ?? 0)) continue;
      const schedule = newSchedule(fn.id, trigger, draft.at);
      if (schedule !== null) putSchedule(draft, schedule);
    }
  }
  for (const id of before.flatMap(scheduleIds)) {
    if (wanted.has(id) || draft.state.schedule(id) === undefined) continue;
    draft.write({ type: "schedule.delete", scheduleId: id });
  }
}

/** Writes a schedule and has it woken. */
export function putSchedule(draft: Draft, schedule: ScheduleRecord): void {
  draft.write({ type: "schedule.put", schedule });
  const { id, dueAt } = schedule;
  if (dueAt !== null) draft.effect({ type: "tick", scheduleId: id, dueAt });
}
