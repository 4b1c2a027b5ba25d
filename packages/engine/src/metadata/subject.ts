// Finds what metadata is meant for: a step by the id that its author wrote, an attempt by its number.
import { hashStepId } from "@pawl/protocol/step-id";
import { latestAttempt, wholeRun } from "../metadata-records.ts";
import type { MetadataSubject, MetadataTarget } from "../metadata-records.ts";
import type { Job } from "../records.ts";
import { discoveryTarget } from "../rules/calls.ts";
import type { RunDraft } from "../run-draft.ts";

/** Null: the run has no such step, or the step no such attempt. */
export function subjectOf(run: RunDraft, target: MetadataTarget): MetadataSubject | null {
  const { spanId } = target;
  if (target.stepId === null)
    return spanId === null ? wholeRun : { ...wholeRun, scope: "extended_trace", spanId };
  const step = findStep(run, target.stepId, target.stepIndex);
  if (step === null) return null;
  const attempt = target.attempt === latestAttempt ? step.latest : target.attempt;
  if (attempt !== null && attempt > step.latest) return null;
  const scope = spanId !== null ? "extended_trace" : attempt === null ? "step" : "step_attempt";
  return { scope, stepId: step.id, attempt, spanId };
}

interface KnownStep {
  readonly id: string;
  /** Its latest attempt, from 0; of one that is tried again, the next. */
  readonly latest: number;
}

/** A finished or an open step, by the id that its author wrote or by the hashed one. */
function findStep(run: RunDraft, stepId: string, index: number): KnownStep | null {
  const ids = index === 0 ? [hashStepId(stepId, 0), stepId] : [hashStepId(stepId, index)];
  for (const id of ids) {
    const step = run.step(id);
    if (step !== undefined) return { id, latest: step.attempts - 1 };
    const job = run.job(id);
    if (job !== undefined && isStep(job))
      return { id, latest: job.kind === "call" ? job.attempt : 0 };
  }
  return null;
}

/** Whether a job is that of a step, and no discovery or time limit. */
function isStep(job: Job): boolean {
  return job.kind !== "deadline" && !(job.kind === "call" && job.target === discoveryTarget);
}
