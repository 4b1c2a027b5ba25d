// An event satisfies a wait of this run. The first one wins; later ones find no wait.
import { writeEvent } from "@pawl/protocol/event-wire";
import type { WaitMatched } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { StateView } from "../state/view.ts";
import { cancelByEvent } from "../flow/cancel-on.ts";
import { cancelPrefix } from "../flow/holds.ts";
import { continueRun } from "../rules/discovery.ts";
import { runNotFound } from "../rules/replies.ts";
import { endStepJob } from "../rules/steps.ts";
import { receiveEvent } from "../rules/wait-many.ts";
import { jobOfBranch } from "../waits/branch.ts";

export function waitMatched(state: StateView, command: WaitMatched): Decision {
  const draft = new Draft(state, command);
  const run = draft.run(command.runId);
  if (run === undefined) return draft.decide(runNotFound(command.runId));
  if (command.jobId.startsWith(cancelPrefix)) {
    cancelByEvent(run, command.jobId, command.event);
    return draft.done();
  }
  const many = run.job(jobOfBranch(command.jobId) ?? command.jobId);
  if (many?.kind === "waitMany") {
    receiveEvent(run, many, command.event);
    return draft.done();
  }
  const job = run.job(command.jobId);
  if (job?.kind === "wait") {
    endStepJob(run, job, writeEvent(command.event));
    continueRun(run, { finished: [job.id], race: job.race });
  }
  return draft.done();
}
