// What timers are kept of: jobs of runs, and schedules. Each knows how it is found in the store and
// which command wakes it. It must not know clocks.
import type { DueJob, DueSchedule, Store } from "@pawl/store/store";
import type { CommandInput } from "./batch.ts";

/** One kind of timer. */
export interface TimerSource<T> {
  /** Those due at or before `until`, earliest first. */
  read(until: number, limit: number): Promise<readonly T[]>;
  /** Names the thing that is woken; its due time may change. */
  keyOf(timer: T): string;
  /** What happens when its time has come. */
  commandOf(timer: T): CommandInput;
}

export type JobTimer = Pick<DueJob, "runId" | "jobId" | "dueAt">;

export function jobTimers(
  store: Pick<Store, "due">,
  shards: readonly number[] | null,
): TimerSource<JobTimer> {
  return {
    read: (until, limit) => store.due<"timers">({ kind: "timers", until, shards, limit }),
    keyOf: ({ runId, jobId }) => `${runId}/${jobId}`,
    commandOf: ({ runId, jobId }) => ({ type: "timer.due", runId, jobId }),
  };
}

export function scheduleTimers(
  store: Pick<Store, "due">,
  shards: readonly number[] | null,
): TimerSource<DueSchedule> {
  return {
    read: (until, limit) => store.due<"schedules">({ kind: "schedules", until, shards, limit }),
    keyOf: ({ scheduleId }) => scheduleId,
    commandOf: ({ scheduleId }) => ({ type: "schedule.due", scheduleId }),
  };
}
