// An app reports steps while it goes on in the same call (protocol.md 6.2).
import type { JsonText } from "@pawl/protocol/json-text";
import { isSyncOpcode, type Opcode } from "@pawl/protocol/opcode";
import type { CheckpointReceived } from "../commands.ts";
import type { Decision, Reply } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { CallJob } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import type { StateView } from "../state/view.ts";
import { callAgain, discoveryTarget } from "../rules/calls.ts";
import { continueRun } from "../rules/discovery.ts";
import { applyDefer } from "../rules/defers.ts";
import { dispatchIdOf } from "../rules/dispatch-id.ts";
import { completeRun } from "../rules/finish-run.ts";
import { takeMetadata } from "../metadata/update.ts";
import { inOrder, recordStepRun } from "../rules/opcodes.ts";
import { runEnded, runNotFound } from "../rules/replies.ts";
import { isAwaited, recordStep } from "../rules/steps.ts";
import { wrap } from "../rules/memo.ts";

export function checkpointReceived(state: StateView, command: CheckpointReceived): Decision {
  const draft = new Draft(state, command);
  const run = draft.run(command.runId);
  if (run === undefined) return draft.decide(runNotFound(command.runId));
  if (run.ended) return draft.decide(runEnded(run.run));
  const foreign = command.opcodes.find((opcode) => !isSyncOpcode(opcode));
  if (foreign !== undefined)
    return draft.decide(notForCheckpoints(run, foreign.op, foreign.displayName));
  const job = currentJob(run, command);
  // Step data is kept even when the dispatch is stale: those steps have run.
  const steps = command.opcodes.filter(({ op }) => op === "StepRun" || op === "StepFailed");
  const awaited = steps.filter(({ id }) => isAwaited(run, id)).map(({ id }) => id);
  const race = awaited.some((id) => run.job(id)?.race === true);
  const differs = keepSteps(run, job, command);
  if (job === undefined) {
    const brought = awaited.filter((id) => run.step(id) !== undefined);
    if (brought.length > 0) continueRun(run, { finished: brought, race });
    return draft.decide(stale(run, command));
  }
  if (run.ended) return draft.done();
  if (differs !== null) {
    // The call that goes out in its place may not have to share a limit with it.
    draft.effect({ type: "abort", runId: run.id, jobId: job.id, generation: job.generation });
    callAgain(run, job, job.attempt, draft.at);
    return draft.decide(conflict(run, differs));
  }
  if (job.attempt > 0) run.putJob({ ...job, attempt: 0 });
  if (run.run.idleDiscoveries > 0) run.update({ idleDiscoveries: 0 });
  return draft.done();
}

/** The call that the app is in, if the server still counts on it. */
function currentJob(run: RunDraft, command: CheckpointReceived): CallJob | undefined {
  const job = run.job(command.jobId ?? discoveryTarget);
  if (job?.kind !== "call" || job.state.at !== "leased") return undefined;
  const { requestId } = command;
  // Older SDKs do not say which dispatch they answer; they are taken at their word.
  if (requestId === null) return job;
  return requestId === dispatchIdOf(job) ? job : undefined;
}

/** Records the steps; returns the name of one that is recorded with another result. */
function keepSteps(
  run: RunDraft,
  job: CallJob | undefined,
  command: CheckpointReceived,
): string | null {
  let differs: string | null = null;
  for (const opcode of inOrder(command.opcodes)) {
    if (opcode.op === "RunComplete") {
      if (job === undefined || differs !== null) continue;
      completeRun(run, opcode.memo);
      takeMetadata(run, opcode, job.attempt);
    } else if (opcode.op === "DeferAdd" || opcode.op === "DeferAbort") {
      // Unlike steps they have not happened: the app sends those that are not known again.
      if (job !== undefined && differs === null) applyDefer(run, opcode);
    } else if (opcode.op === "StepRun" || opcode.op === "StepFailed") {
      const known = run.step(opcode.id);
      const memo = opcode.op === "StepRun" ? opcode.memo : wrap("error", opcode.error);
      if (known !== undefined) {
        if (known.memo !== memo) differs = opcode.displayName;
      } else if (opcode.op === "StepRun") {
        recordStepRun(run, job, opcode, run.draft.at);
      } else if (job !== undefined) {
        recordFailure(run, job, opcode, memo);
      }
    }
  }
  return differs;
}

function recordFailure(run: RunDraft, job: CallJob, opcode: Opcode, memo: JsonText): void {
  const { at } = run.draft;
  const isNews = recordStep(run, opcode, {
    op: "run",
    memo,
    failed: true,
    attempts: job.attempt + 1,
    queuedAt: job.queuedAt,
    startedAt: at,
    endedAt: at,
  });
  if (isNews) takeMetadata(run, opcode, job.attempt);
}

function stale(run: RunDraft, command: CheckpointReceived): Reply {
  return {
    ok: false,
    code: "dispatch_stale",
    message: `Dispatch ${command.requestId ?? "(unnamed)"} of run ${run.id} is no longer current: the call was handed out again. Its steps were kept; stop here.`,
  };
}

function conflict(run: RunDraft, step: string): Reply {
  return {
    ok: false,
    code: "dispatch_stale",
    message: `Step "${step}" of run ${run.id} is already recorded with another result. The run is called again from what is recorded; stop here.`,
  };
}

function notForCheckpoints(run: RunDraft, op: string, step: string): Reply {
  return {
    ok: false,
    code: "checkpoint_opcode_unsupported",
    message: `A checkpoint of run ${run.id} brought ${op} ("${step}"). Only finished steps and the function's result may be checkpointed; answer the call with the others.`,
  };
}
