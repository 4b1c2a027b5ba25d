// Which run a change is about. It must not know what the change does to it.
import type { Change } from "@pawl/engine/changes";

/** The id of the run whose records the change is one of; null: of none, or the run is forgotten. */
export function runOf(change: Change): string | null {
  switch (change.type) {
    case "run.put":
      return change.run.id;
    case "job.put":
      return change.job.runId;
    case "wait.put":
      return change.wait.runId;
    case "metadata.put":
      return change.metadata.runId;
    case "step.put":
    case "job.delete":
    case "wait.delete":
    case "output.put":
      return change.runId;
    default:
      return null;
  }
}
