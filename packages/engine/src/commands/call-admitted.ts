// A gate has room for a call of its queue.
import type { CallAdmitted } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { StateView } from "../state/view.ts";
import { limitOf } from "../flow/concurrency.ts";
import { leavePause } from "../flow/first-call.ts";
import { pauseGate } from "../gate.ts";
import { admit } from "../rules/calls.ts";
import { runNotFound } from "../rules/replies.ts";

export function callAdmitted(state: StateView, command: CallAdmitted): Decision {
  const draft = new Draft(state, command);
  const run = draft.run(command.runId);
  if (run === undefined) return draft.decide(runNotFound(command.runId));
  const job = run.job(command.jobId);
  if (job?.kind !== "call" || job.state.at !== "queued") return draft.done();
  const { functionId } = run.run;
  const wasHeld = job.state.gate === pauseGate(functionId);
  if (wasHeld && limitOf(state, job.state.gate, functionId) > 0) leavePause(run, job);
  else admit(run, job);
  return draft.done();
}
