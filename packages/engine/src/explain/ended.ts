// How and why a run ended.
import type { RunRecord } from "../records.ts";
import { reason, type Reason } from "./explanation.ts";
import type { ExplainInput } from "./input.ts";
import { errorText, moment, stopped } from "./words.ts";

/** The reason of a run that has ended. */
export function endedReason({ at, stored, output }: ExplainInput): Reason {
  const { run } = stored;
  const when = moment(run.endedAt ?? run.queuedAt, at);
  const why = run.endReason === null ? "no reason was kept." : stopped(run.endReason);
  const about = { kind: "ended", sinceAt: run.endedAt } as const;
  switch (run.status) {
    case "failed": {
      const error = output === null ? null : errorText(output);
      return reason({
        ...about,
        error,
        sentence: `The run failed at ${when}: ${error === null ? "its error is not kept." : stopped(error)}`,
        next: "Look at its attempts (GET /v2/runs/{id}/trace), put right what the error names, and start it again.",
      });
    }
    case "cancelled":
      return reason({
        ...about,
        sentence: `The run was cancelled at ${when}: ${why}`,
        next: "Nothing: send its event again to start another.",
      });
    case "skipped":
      return reason({
        ...about,
        sentence: `The run never started; it was skipped at ${when}: ${why}`,
        next: skipAdvice(run),
      });
    default:
      return reason({
        ...about,
        sentence: `The run completed at ${when}.`,
        next: "Nothing: its output is at GET /v1/runs/{id}.",
      });
  }
}

/** By the rule that the reason begins with. */
function skipAdvice({ endReason }: RunRecord): string {
  switch (endReason?.split(":", 1)[0]) {
    case "rate limit":
      return "Raise rateLimit of the function, or use throttle, which puts starts off instead of dropping them.";
    case "singleton":
      return 'Wait for the run that goes on, or use singleton with mode "cancel".';
    case "backlog":
      return "Raise --backlog-max, or see why calls of the function wait: pawl explain of an unfinished run.";
    default:
      return "Send its event again with another id to start another run.";
  }
}
