// The end of a run: everything that hangs on it goes with it, in the same commit.
import type { JsonText } from "@pawl/protocol/json-text";
import { dropHolds } from "../flow/holds.ts";
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
  if (run.ended) return;
  run.update({ endReason: reason });
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
}

/** Tells everyone who waits for the run; several when they joined one. */
function tellParents(run: RunDraft, ending: Ending, output: JsonText): void {
  const { parent, coParents } = run.run;
  for (const invoker of parent === null ? coParents : [parent, ...coParents]) {
    run.draft.send({
      type: "child.ended",
      ...invoker,
      childRunId: run.id,
      memo: output,
      failed: ending !== "completed",
    });
  }
}
