// What a current answer to a call does to its run.
import type { Answer } from "@pawl/protocol/answer";
import type { JsonText } from "@pawl/protocol/json-text";
import type { CallJob } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { discoveryTarget } from "./calls.ts";
import { continueRun, dropIfRecorded } from "./discovery.ts";
import { completeRun, failRun } from "./finish-run.ts";
import { errorMemo, wrap } from "./memo.ts";
import { applyOpcodes } from "./opcodes.ts";
import { retryCall } from "./retry.ts";

/** Takes the answer to a call; `sentAt`: when the call went out. */
export function takeAnswer(run: RunDraft, job: CallJob, sentAt: number, answer: Answer): void {
  switch (answer.kind) {
    case "completed":
      run.deleteJob(job.id);
      if (job.target === discoveryTarget) return completeRun(run, answer.memo);
      if (isInputLost(run, job)) return failRun(run, stepGone(job));
      // The targeted step was not met on the way to the end: SDKs of other languages say so with
      // an empty result. A discovery brings the true one.
      return continueRun(run, { finished: [], race: job.race, vanished: true });
    case "failed": {
      if (dropIfRecorded(run, job)) return;
      const failed = {
        ...answer,
        sentAt,
        stepId: job.target,
        displayName: job.displayName,
        attemptsMax: job.attemptsMax,
      };
      if (retryCall(run, job, failed)) return;
      run.deleteJob(job.id);
      return failRun(run, wrap("error", answer.error));
    }
    case "opcodes": {
      const dispatch = { job, sentAt, retryAfterMs: answer.retryAfterMs };
      const { finished, race, retried } = applyOpcodes(run, dispatch, answer.opcodes);
      // What came in while a discovery was out counts as finished after it.
      const missed = job.again ? [job.id] : [];
      // A late answer may have recorded the step while this call was out: nobody has seen it yet.
      if (run.step(job.target) !== undefined && !finished.includes(job.target))
        missed.push(job.target);
      const vanished = answer.opcodes.some((opcode) => opcode.op === "StepNotFound");
      const progress = { finished: [...finished, ...missed], race: race || job.again, vanished };
      if (!retried && isInputLost(run, job)) return failRun(run, stepGone(job));
      if (!retried) continueRun(run, progress);
    }
  }
}

/** Whether a step was to be run with edited arguments, and its call is over without it. */
function isInputLost(run: RunDraft, { input, target }: CallJob): boolean {
  return input !== null && run.step(target) === undefined;
}

function stepGone({ displayName }: CallJob): JsonText {
  return errorMemo({
    name: "PawlStepGoneError",
    code: "step_gone",
    message: `Step "${displayName}", from which the run was started again with other input, was not met by the function as it is now.`,
  });
}
