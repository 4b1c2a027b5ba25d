// A driver brought the answer of a call.
import type { JsonText } from "@pawl/protocol/json-text";
import type { CallAnswered } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { CallJob } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import type { StateView } from "../state/view.ts";
import { cancelIfLateAndIdle } from "../flow/timeouts.ts";
import { continueRun, dropIfRecorded } from "../rules/discovery.ts";
import { completeRun, failRun } from "../rules/finish-run.ts";
import { errorMemo, wrap } from "../rules/memo.ts";
import { applyOpcodes, recordStepRun } from "../rules/opcodes.ts";
import { runEnded, runNotFound } from "../rules/replies.ts";
import { discoveryTarget } from "../rules/calls.ts";
import { retryCall } from "../rules/retry.ts";
import { isAwaited } from "../rules/steps.ts";

export function callAnswered(state: StateView, command: CallAnswered): Decision {
  const draft = new Draft(state, command);
  const run = draft.run(command.runId);
  if (run === undefined) return draft.decide(runNotFound(command.runId));
  if (run.ended) return draft.decide(runEnded(run.run));
  const job = run.job(command.jobId);
  if (!isCurrent(job, command)) return lateAnswer(draft, run, command);
  acceptVersion(run, command.answer);
  takeAnswer(run, job, command);
  cancelIfLateAndIdle(run);
  return draft.done();
}

function isCurrent(job: ReturnType<RunDraft["job"]>, command: CallAnswered): job is CallJob {
  return job?.kind === "call" && job.state.at === "leased" && job.generation === command.generation;
}

/** The first answer of a run says how its app wants to be driven (protocol.md 2.4). */
function acceptVersion(run: RunDraft, { kind, requestVersion }: CallAnswered["answer"]): void {
  // A failure that does not say comes from a proxy, or from nobody: the app is yet to be heard.
  const isMute = kind === "failed" && requestVersion === null;
  if (run.run.requestVersion !== -1 || isMute) return;
  // An SDK that does not say speaks the oldest version that has opcodes.
  run.update({ requestVersion: requestVersion ?? 1 });
}

function takeAnswer(run: RunDraft, job: CallJob, command: CallAnswered): void {
  const { answer, sentAt } = command;
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

/**
 * An answer of an older dispatch: what it decided does not count any more, but step results that
 * nobody has recorded are kept, since those steps have run.
 */
function lateAnswer(draft: Draft, run: RunDraft, command: CallAnswered): Decision {
  const { answer } = command;
  const kept: string[] = [];
  const awaited: string[] = [];
  let race = false;
  for (const opcode of answer.kind === "opcodes" ? answer.opcodes : []) {
    if (opcode.op !== "StepRun") continue;
    const isNext = isAwaited(run, opcode.id);
    const isRacing = run.job(opcode.id)?.race ?? false;
    if (!recordStepRun(run, undefined, opcode, command.sentAt)) continue;
    kept.push(opcode.id);
    if (!isNext) continue;
    awaited.push(opcode.id);
    race ||= isRacing;
  }
  // The calls that would have run those steps are not made; the run goes on instead.
  if (awaited.length > 0) continueRun(run, { finished: awaited, race });
  return draft.decide({
    ok: false,
    code: "dispatch_stale",
    message: `The answer to generation ${command.generation} of job ${command.jobId} of run ${run.id} came too late; ${kept.length} step result(s) were kept.`,
  });
}
