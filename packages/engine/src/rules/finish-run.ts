// The end of a run: everything that hangs on it goes with it, in the same commit.
import type { JsonText } from "@pawl/protocol/json-text";
import { dropHolds } from "../flow/holds.ts";
import type { RunDraft } from "../run-draft.ts";
import { sendDefers } from "./defers.ts";
import { invokersOf } from "./invokers.ts";
import { publishEnd, type Ending } from "./lifecycle.ts";
import { errorMemo } from "./memo.ts";

/** Ends a run whose function returned; `memo` is `{"data": …}`. */
export function completeRun(run: RunDraft, memo: JsonText): void {
  finish(run, "completed", memo);
}

/** Ends a run that failed for good; `memo` is `{"error": …}`. */
export function failRun(run: RunDraft, memo: JsonText): void {
  finish(run, "failed", memo);
}

/**
 * Ends a run that somebody cancelled. Whoever invoked it gets an error that says so, and the runs it
 * has invoked hear of it. `cause`: why the first of a chain of invokers was cancelled.
 */
export function cancelRun(run: RunDraft, reason: string, cause = reason): void {
  if (run.ended) return;
  run.update({ endReason: reason });
  tellChildren(run, cause);
  const fn = run.draft.state.functionById(run.run.functionId);
  finish(
    run,
    "cancelled",
    errorMemo({
      name: "PawlRunCancelledError",
      code: "run_cancelled",
      message: `Run ${run.id} of ${fn?.slug ?? run.run.functionId} was cancelled: ${reason}`,
    }),
  );
}

/** Ends a run that has gathered its events and may not start after all. Whoever invoked it is told. */
export function skipRun(run: RunDraft, problem: string): void {
  for (const job of Array.from(run.jobs())) run.deleteJob(job.id);
  dropHolds(run);
  run.update({ status: "skipped", endedAt: run.draft.at, endReason: problem });
  const fn = run.draft.state.functionById(run.run.functionId);
  tellParents(run, "skipped", skippedMemo(fn?.slug ?? run.run.functionId, problem));
}

/** What an invoke step comes to whose function did not start. */
export function skippedMemo(slug: string, problem: string): JsonText {
  return errorMemo({
    name: "PawlRunSkippedError",
    code: "run_skipped",
    message: `Function ${slug} did not start: ${problem}`,
  });
}

function finish(run: RunDraft, ending: Ending, output: JsonText): void {
  if (run.ended) return;
  const { draft } = run;
  for (const job of Array.from(run.jobs())) {
    if (job.kind === "call" && job.state.at === "leased") {
      draft.effect({ type: "abort", runId: run.id, jobId: job.id, generation: job.generation });
    }
    run.deleteJob(job.id);
  }
  dropHolds(run);
  run.update({ status: ending, startedAt: run.run.startedAt ?? draft.at, endedAt: draft.at });
  draft.write({ type: "output.put", runId: run.id, output });
  tellParents(run, ending, output);
  publishEnd(run, ending, output);
  sendDefers(run);
}

/** Each decides by the way it was invoked. */
function tellChildren(run: RunDraft, cause: string): void {
  for (const job of run.jobs()) {
    if (job.kind !== "invoke") continue;
    const parent = { parentRunId: run.id, jobId: job.id };
    run.draft.send({ type: "parent.cancelled", runId: job.childRunId, ...parent, cause });
  }
}

/** Tells everyone who waits for the run; several when they joined one. */
function tellParents(run: RunDraft, ending: Ending | "skipped", output: JsonText): void {
  for (const { runId, jobId, onCancel } of invokersOf(run.run)) {
    if (onCancel === "gone") continue;
    run.draft.send({
      type: "child.ended",
      runId,
      jobId,
      childRunId: run.id,
      memo: output,
      failed: ending !== "completed",
    });
  }
}
