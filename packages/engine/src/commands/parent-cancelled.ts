// A run that invoked this one was cancelled.
import type { ParentCancelled } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import { cancelRun } from "../rules/finish-run.ts";
import { loseInvoker } from "../rules/invokers.ts";
import type { StateView } from "../state/view.ts";

export function parentCancelled(state: StateView, command: ParentCancelled): Decision {
  const draft = new Draft(state, command);
  const { runId, parentRunId, jobId, cause } = command;
  const run = draft.run(runId);
  // It did not start; or it joined another run, and `child.joined` tells that one.
  if (run === undefined || run.ended) return draft.done();
  if (loseInvoker(run, parentRunId, jobId)) {
    cancelRun(run, `run ${parentRunId} that invoked it was cancelled: ${cause}`, cause);
  }
  return draft.done();
}
