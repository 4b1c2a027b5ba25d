// The end of a run: everything that hangs on it goes with it, in the same commit.
import type { JsonText } from "@pawl/protocol/json-text";
import type { RunDraft } from "../run-draft.ts";
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

/** Ends a run that somebody cancelled. Whoever invoked it gets an error that says so. */
export function cancelRun(run: RunDraft, reason: string): void {
  run.update({ cancelReason: reason });
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

function finish(run: RunDraft, ending: Ending, output: JsonText): void {
  const { draft } = run;
  for (const job of Array.from(run.jobs())) {
    if (job.kind === "call" && job.state.at === "leased") {
      draft.effect({ type: "abort", runId: run.id, jobId: job.id, generation: job.generation });
    }
    run.deleteJob(job.id);
  }
  run.update({ status: ending, startedAt: run.run.startedAt ?? draft.at, endedAt: draft.at });
  draft.write({ type: "output.put", runId: run.id, output });
  tellParent(run, ending, output);
  publishEnd(run, ending, output);
}

function tellParent(run: RunDraft, ending: Ending, output: JsonText): void {
  const { parent } = run.run;
  if (parent === null) return;
  run.draft.send({
    type: "child.ended",
    runId: parent.runId,
    jobId: parent.jobId,
    childRunId: run.id,
    memo: output,
    failed: ending !== "completed",
  });
}
