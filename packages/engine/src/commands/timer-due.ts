// The time of a job has come. Timers are hints: what they mean is decided from the job alone.
import { jsonNull } from "@pawl/protocol/json-text";
import type { TimerDue } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import { firstCallDue } from "../flow/first-call.ts";
import { fireDeadline } from "../flow/timeouts.ts";
import type { Job } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import type { StateView } from "../state/view.ts";
import { callAgain, release } from "../rules/calls.ts";
import { continueRun, dropIfRecorded } from "../rules/discovery.ts";
import { errorMemo } from "../rules/memo.ts";
import { runNotFound } from "../rules/replies.ts";
import { endStepJob } from "../rules/steps.ts";
import { withReceived } from "../rules/wait-many.ts";

export function timerDue(state: StateView, command: TimerDue): Decision {
  const draft = new Draft(state, command);
  const run = draft.run(command.runId);
  if (run === undefined) return draft.decide(runNotFound(command.runId));
  const job = run.job(command.jobId);
  if (job === undefined) return draft.done();
  const dueAt = dueAtOf(job);
  if (dueAt === null) return draft.done();
  // The clock may have stepped back since the timer was set.
  if (dueAt > draft.at) draft.effect({ type: "timer", runId: run.id, jobId: job.id, dueAt });
  else fire(run, job);
  return draft.done();
}

/** When a job wants to be woken; null for a call in a queue, which waits for room. */
export function dueAtOf(job: Job): number | null {
  if (job.kind !== "call") return job.dueAt;
  if (job.state.at === "delayed") return job.state.dueAt;
  return job.state.at === "leased" ? job.state.leaseUntil : null;
}

function fire(run: RunDraft, job: Job): void {
  if (job.kind === "call") {
    if (dropIfRecorded(run, job)) return;
    if (job.state.at === "delayed")
      return run.run.status === "queued"
        ? firstCallDue(run, job, run.draft.at - job.state.dueAt)
        : release(run, job);
    return callAgain(run, job, job.attempt, run.draft.at);
  }
  if (job.kind === "deadline") return fireDeadline(run, job);
  const timedOut = job.kind === "invoke";
  const ended = job.kind === "waitMany" ? withReceived(job) : job;
  endStepJob(run, ended, timedOut ? invokeTimeout : jsonNull, timedOut);
  continueRun(run, { finished: [job.id], race: job.race });
}

/** protocol.md 2.2. */
const invokeTimeout = errorMemo({
  name: "InngestInvokeTimeoutError",
  message: "Timed out waiting for invoked function to complete",
});
