// Why a run waits although none of its calls does: sleeps, events, other runs; and its time limits.
import type { DeadlineJob, StepJob, WaitJob, WaitJobBranch, WaitManyJob } from "../records.ts";
import { eventValue } from "../event-value.ts";
import { ExpressionError } from "../expression/expression-error.ts";
import { waitKey } from "../waits/key.ts";
import { reason, type Reason } from "./explanation.ts";
import type { ExplainInput } from "./input.ts";
import { jobFacts, subject } from "./subject.ts";
import { moment } from "./words.ts";

/** The reason of a step that runs no user code. */
export function stepReason(input: ExplainInput, job: StepJob): Reason {
  const { at } = input;
  const about = { ...jobFacts(job), sinceAt: job.queuedAt, dueAt: job.dueAt };
  switch (job.kind) {
    case "sleep":
      return reason({
        kind: "sleep",
        ...about,
        sentence: `${subject(job)} sleeps until ${moment(job.dueAt, at)}.`,
        next: "Nothing: it goes on by itself.",
      });
    case "wait":
      return reason({
        kind: "event",
        ...about,
        event: job.event,
        expression: job.expression,
        sentence: `${subject(job)} waits for an event ${JSON.stringify(job.event)}${conditionWords(input, job)}. It gives up at ${moment(job.dueAt, at)}.`,
        next: `Send the event, for example: pawl send ${job.event} '{…}'. Look at GET /v1/events?name=${job.event} for those that came.`,
      });
    case "waitMany":
      return reason({
        kind: "events",
        ...about,
        events: job.branches.filter(({ received }) => received !== null).length,
        eventsMax: job.mode === "all" ? job.branches.length : 1,
        sentence: `${subject(job)} waits for ${missingWords(job)}. It gives up at ${moment(job.dueAt, at)}.`,
        next: "Send what is missing with pawl send; GET /v1/events?name=… shows what came.",
      });
    case "signal":
      return reason({
        kind: "signal",
        ...about,
        signal: job.signal,
        sentence: `${subject(job)} waits for the signal ${JSON.stringify(job.signal)}. It gives up at ${moment(job.dueAt, at)}.`,
        next: `Send the signal: POST /v1/signals {"signal": ${JSON.stringify(job.signal)}, "data": …}.`,
      });
    case "invoke":
      return reason({
        kind: "invoke",
        ...about,
        childRunId: job.childRunId,
        functionSlug: job.functionSlug,
        sentence: `${subject(job)} waits for run ${job.childRunId} of function ${job.functionSlug} to end. It gives up at ${moment(job.dueAt, at)}.`,
        next: `See what that run waits for: pawl explain ${job.childRunId}.`,
      });
  }
}

/** The branches that no event came for, as people read them. */
function missingWords({ mode, branches }: WaitManyJob): string {
  const missing = branches.filter(({ received }) => received === null).map(branchWords);
  if (missing.length === 1) return missing.join("");
  return `${mode === "any" ? "the first of" : "all of"}: ${missing.join("; ")}`;
}

function branchWords({ name, event, expression }: WaitJobBranch): string {
  const condition = expression === null ? "" : ` for which ${expression} is true`;
  return `${name}, an event ${JSON.stringify(event)}${condition}`;
}

function conditionWords({ stored }: ExplainInput, job: WaitJob): string {
  if (job.expression === null) return "";
  const path = indexPath(stored.events[0], job);
  const index = path === null ? "" : ` (found by its ${path})`;
  return ` for which ${job.expression} is true${index}`;
}

/** The path by which events find the wait; null: it is tested against every event of the name. */
function indexPath(event: ExplainInput["stored"]["events"][number] | undefined, job: WaitJob) {
  if (event === undefined) return null;
  try {
    return waitKey(job.expression, eventValue(event), job.queuedAt)?.path ?? null;
  } catch (error) {
    if (error instanceof ExpressionError) return null; // it is never true; the step says so
    throw error;
  }
}

/** What a time limit will do. */
export function deadlineReason({ at }: ExplainInput, job: DeadlineJob): Reason {
  return reason({
    kind: "deadline",
    ...jobFacts(job),
    sinceAt: job.queuedAt,
    dueAt: job.dueAt,
    sentence: `The run is cancelled at ${moment(job.dueAt, at)} by its time limit (timeouts.${job.displayName}).`,
    next: `Raise timeouts.${job.displayName} of the function if that is too soon for runs to come.`,
  });
}
