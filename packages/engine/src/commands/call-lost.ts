// A call brings no answer any more: its process died, or its lease ran out.
import type { CallLost } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { StateView } from "../state/view.ts";
import { callAgain } from "../rules/calls.ts";
import { dropIfRecorded } from "../rules/discovery.ts";
import { runEnded, runNotFound } from "../rules/replies.ts";

/** Hands the call out again under a new generation. That was no failed attempt of user code. */
export function callLost(state: StateView, command: CallLost): Decision {
  const draft = new Draft(state, command);
  const run = draft.run(command.runId);
  if (run === undefined) return draft.decide(runNotFound(command.runId));
  if (run.ended) return draft.decide(runEnded(run.run));
  const job = run.job(command.jobId);
  if (job?.kind === "call" && job.state.at === "leased" && job.generation === command.generation) {
    if (!dropIfRecorded(run, job)) callAgain(run, job, job.attempt, draft.at);
  }
  return draft.done();
}
