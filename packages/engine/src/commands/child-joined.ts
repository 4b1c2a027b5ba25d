// The run that an invoke step waits for is another than its invoker had named: it was there before,
// and the invocation joined it.
import type { ChildJoined } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { StateView } from "../state/view.ts";
import { runNotFound } from "../rules/replies.ts";

export function childJoined(state: StateView, command: ChildJoined): Decision {
  const draft = new Draft(state, command);
  const run = draft.run(command.runId);
  if (run === undefined) return draft.decide(runNotFound(command.runId));
  const { jobId, childRunId } = command;
  const job = run.job(jobId);
  if (job?.kind === "invoke") run.putJob({ ...job, childRunId });
  else if (run.run.status === "cancelled" && command.onCancel === "cancel") {
    // It was cancelled before it knew whom to tell.
    const cause = run.run.endReason ?? "";
    const parent = { parentRunId: run.id, jobId };
    draft.send({ type: "parent.cancelled", runId: childRunId, ...parent, cause });
  }
  return draft.done();
}
