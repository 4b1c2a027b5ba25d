// A driver brought the answer of a call.
import type { CallAnswered } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { CallJob } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import type { StateView } from "../state/view.ts";
import { cancelIfLateAndIdle } from "../flow/timeouts.ts";
import { continueRun } from "../rules/discovery.ts";
import { recordStepRun } from "../rules/opcodes.ts";
import { runEnded, runNotFound } from "../rules/replies.ts";
import { isAwaited } from "../rules/steps.ts";
import { takeAnswer } from "../rules/take-answer.ts";

export function callAnswered(state: StateView, command: CallAnswered): Decision {
  const draft = new Draft(state, command);
  const run = draft.run(command.runId);
  if (run === undefined) return draft.decide(runNotFound(command.runId));
  if (run.ended) return draft.decide(runEnded(run.run));
  const job = run.job(command.jobId);
  if (!isCurrent(job, command)) return lateAnswer(draft, run, command);
  acceptVersion(run, command.answer);
  takeAnswer(run, job, command.sentAt, command.answer);
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
