// What a reason about a job is about, in words and as fields.
import type { CallJob, Job } from "../records.ts";
import { discoveryTarget } from "../rules/calls.ts";
import type { Reason } from "./explanation.ts";

/** How a sentence about a job begins. */
export function subject(job: Job): string {
  if (job.kind === "call" && job.target === discoveryTarget) return "The call of the function";
  return `Step ${JSON.stringify(job.displayName)}`;
}

/** The fields that name a job. */
export function jobFacts(job: Job): Pick<Reason, "jobId" | "step"> {
  const isFunction = job.kind === "call" && job.target === discoveryTarget;
  return { jobId: job.id, step: isFunction || job.kind === "deadline" ? null : job.displayName };
}

/** Those, and which attempt a call is. */
export function callFacts(
  job: CallJob,
): Pick<Reason, "jobId" | "step" | "attempt" | "attemptsMax"> {
  return { ...jobFacts(job), attempt: job.attempt + 1, attemptsMax: job.attemptsMax };
}
