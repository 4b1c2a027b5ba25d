// A failed attempt: once more, or for good.
import type { JsonText } from "@pawl/protocol/json-text";
import type { CallJob } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { backoffMs } from "./backoff.ts";
import { callAgain } from "./calls.ts";

export interface FailedAttempt {
  readonly error: JsonText;
  readonly noRetry: boolean;
  readonly retryAfterMs: number | null;
  /** When the attempt began. */
  readonly sentAt: number;
  /** The step that failed; `step` for the function itself. */
  readonly stepId: string;
  readonly displayName: string;
  readonly attemptsMax: number;
}

/** Plans the next attempt of a call. False: there is none, and the failure is final. */
export function retryCall(run: RunDraft, job: CallJob, failed: FailedAttempt): boolean {
  const { at, random, state } = run.draft;
  const again = !failed.noRetry && job.attempt + 1 < failed.attemptsMax;
  const retryAt = again
    ? at + backoffMs(job.attempt, failed.retryAfterMs, state.settings, random)
    : null;
  run.draft.write({
    type: "attempt.put",
    attempt: {
      runId: run.id,
      stepId: failed.stepId,
      displayName: failed.displayName,
      attempt: job.attempt,
      startedAt: failed.sentAt,
      endedAt: at,
      error: failed.error,
      retryAt,
    },
  });
  if (retryAt === null) return false;
  callAgain(run, job, job.attempt + 1, retryAt);
  return true;
}
