// A gate has room for a call of its queue.
import type { CallAdmitted } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { StateView } from "../state/view.ts";
import { admit } from "../rules/calls.ts";
import { runNotFound } from "../rules/replies.ts";

export function callAdmitted(state: StateView, command: CallAdmitted): Decision {
  const draft = new Draft(state, command);
  const run = draft.run(command.runId);
  if (run === undefined) return draft.decide(runNotFound(command.runId));
  const job = run.job(command.jobId);
  if (job?.kind === "call" && job.state.at === "queued") admit(run, job);
  return draft.done();
}
