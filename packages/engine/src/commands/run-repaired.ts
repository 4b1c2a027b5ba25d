// `pawl doctor --fix`: a run that breaks the next wake-up invariant gets a wake-up.
import type { RunRepaired } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { StateView } from "../state/view.ts";
import { discoverOnce } from "../rules/discovery.ts";
import { runNotFound } from "../rules/replies.ts";

export function runRepaired(state: StateView, command: RunRepaired): Decision {
  const draft = new Draft(state, command);
  const run = draft.run(command.runId);
  if (run === undefined) return draft.decide(runNotFound(command.runId));
  const jobs = [...run.jobs()];
  if (run.ended) for (const job of jobs) run.deleteJob(job.id);
  else if (jobs.every((job) => job.kind === "deadline")) discoverOnce(run);
  return draft.done();
}
