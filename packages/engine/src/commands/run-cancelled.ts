// Somebody cancels a run.
import type { RunCancelled } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { StateView } from "../state/view.ts";
import { cancelRun } from "../rules/finish-run.ts";
import { runEnded, runNotFound } from "../rules/replies.ts";

export function runCancelled(state: StateView, command: RunCancelled): Decision {
  const draft = new Draft(state, command);
  const run = draft.run(command.runId);
  if (run === undefined) return draft.decide(runNotFound(command.runId));
  if (run.ended) return draft.decide(runEnded(run.run));
  cancelRun(run, command.reason);
  return draft.done();
}
