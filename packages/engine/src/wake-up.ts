// The invariant that keeps runs from being stuck for ever: every unfinished run has, in the same
// store, a call with a lease, a timer, a registered wait or a place in a gate's queue (SPEC.md,
// invariant 1). Each job is one of these by construction, so the check is about jobs.
import type { RunView } from "./state/view.ts";
import type { RunStatus } from "./records.ts";

/** Whether a run has ended for good. */
export function hasEnded(status: RunStatus): boolean {
  return status !== "queued" && status !== "running";
}

/** What is wrong with a run's next wake-up, in words for a person; null when nothing is. */
export function wakeUpProblem(run: Pick<RunView, "run" | "jobs">): string | null {
  if (hasEnded(run.run.status)) {
    return run.jobs.size === 0
      ? null
      : `run ${run.run.id} has ended but still keeps ${run.jobs.size} job(s): ${[...run.jobs.keys()].join(", ")}`;
  }
  if (![...run.jobs.values()].some((job) => job.kind !== "deadline")) {
    return `run ${run.run.id} has not ended but has no call, timer, wait or place in a queue`;
  }
  return null;
}
