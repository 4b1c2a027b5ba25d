// Which run a change is about. It must not know what the oracle makes of it.
import type { Change } from "@pawl/engine/changes";

/** The run's id; null for changes that are about no run, or tell nothing of one that goes on. */
export function runOf(change: Change): string | null {
  switch (change.type) {
    case "run.put":
      return change.run.id;
    case "job.put":
      return change.job.runId;
    case "wait.put":
      return change.wait.runId;
    case "step.put":
    case "job.delete":
    case "wait.delete":
    case "output.put":
      return change.runId;
    default:
      return null;
  }
}
