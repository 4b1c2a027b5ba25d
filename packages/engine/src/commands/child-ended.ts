// A run that an invoke step waits for has ended.
import type { ChildEnded } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { RunDraft } from "../run-draft.ts";
import type { StateView } from "../state/view.ts";
import { continueRun } from "../rules/discovery.ts";
import { plainMemo } from "../rules/memo.ts";
import { runNotFound } from "../rules/replies.ts";
import { endStepJob } from "../rules/steps.ts";

export function childEnded(state: StateView, command: ChildEnded): Decision {
  const draft = new Draft(state, command);
  const run = draft.run(command.runId);
  if (run === undefined) return draft.decide(runNotFound(command.runId));
  const job = run.job(command.jobId);
  if (job?.kind === "invoke") {
    const memo = readsTypes(run) ? command.memo : plainMemo(command.memo);
    endStepJob(run, job, memo, command.failed);
    continueRun(run, { finished: [job.id], race: job.race });
  }
  return draft.done();
}

/** Only the `pawl` SDK reads the `types` sidecar that carries values JSON cannot. */
function readsTypes(run: RunDraft): boolean {
  return run.draft.state.app(run.run.appId)?.sdk.startsWith("pawl") ?? false;
}
