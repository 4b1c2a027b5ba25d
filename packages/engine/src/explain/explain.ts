// Why is a run not running? A pure function from the run, the state of what it may wait for, and
// the time, to one reason for each of its jobs, with those about run, app and function ahead. It
// decides nothing, and must not know who asks.
import type { Job } from "../records.ts";
import type { RunView } from "../state/view.ts";
import { hasEnded, wakeUpProblem } from "../wake-up.ts";
import { callReason } from "./calls.ts";
import { endedReason } from "./ended.ts";
import { reason, type Explanation, type Reason } from "./explanation.ts";
import type { ExplainInput, ExplainState } from "./input.ts";
import { deadlineReason, stepReason } from "./waiting.ts";
import { stopped } from "./words.ts";

/** Jobs of a run that have a reason each; of what a run does side by side, people read the beginning. */
const jobsMax = 100;

/** The jobs that are explained, in that order: calls, then waits, then time limits. */
export function jobsToExplain(jobs: readonly Job[]): readonly Job[] {
  return jobs.toSorted(byTurn).slice(0, jobsMax);
}

/** Explains a run. There is at least one reason, whatever state the run is in. */
export function explainRun(state: ExplainState, input: ExplainInput): Explanation {
  const { run, jobs } = input.stored;
  const fn = state.functionById(run.functionId);
  const reasons = hasEnded(run.status)
    ? [endedReason(input)]
    : [...faults(state, input), ...jobsToExplain(jobs).map((job) => jobReason(state, input, job))];
  return {
    runId: run.id,
    status: run.status,
    functionId: run.functionId,
    functionSlug: fn?.slug ?? null,
    at: input.at,
    reasons,
    more: Math.max(0, jobs.length - jobsMax),
  };
}

function jobReason(state: ExplainState, input: ExplainInput, job: Job): Reason {
  switch (job.kind) {
    case "call":
      return callReason(state, input, job);
    case "deadline":
      return deadlineReason(input, job);
    default:
      return stepReason(input, job);
  }
}

/** Calls first, time limits last; else as they began. */
function byTurn(a: Job, b: Job): number {
  return turnOf(a) - turnOf(b) || a.queuedAt - b.queuedAt || (a.id < b.id ? -1 : 1);
}

function turnOf({ kind }: Job): number {
  return kind === "call" ? 0 : kind === "deadline" ? 2 : 1;
}

/** What is wrong with the run as a whole. */
function faults(state: ExplainState, { stored }: ExplainInput): readonly Reason[] {
  const { run } = stored;
  const found: Reason[] = [];
  if (wakeUpProblem(viewOf(stored)) !== null) {
    found.push(
      reason({
        kind: "noWakeUp",
        sentence:
          "The run has no call, timer, wait or place in a queue: nothing will ever wake it. This is a fault of the server.",
        next: "Stop the server, run pawl doctor --fix, and start it again. Please report it.",
      }),
    );
  }
  const app = state.app(run.appId);
  if (state.functionById(run.functionId) === undefined) {
    const where =
      app === undefined ? "its app is not registered" : `app ${app.name} does not serve it`;
    found.push(
      reason({
        kind: "function",
        sentence: `Function ${run.functionId} of this run is not registered any more (${where}), so its calls fail and are tried again.`,
        next: "Sync the app with the function, or cancel the run.",
      }),
    );
  }
  if (app !== undefined && app.error !== null) {
    found.push(
      reason({
        kind: "app",
        error: app.error,
        sentence: `App ${app.name} could not be synced: ${stopped(app.error)} Calls go to ${app.url} as it was registered last.`,
        next: "Start the app, or put right its address, and sync it again.",
      }),
    );
  }
  return found;
}

function viewOf({ run, jobs, steps, defers, events }: ExplainInput["stored"]): RunView {
  return {
    run,
    jobs: new Map(jobs.map((job) => [job.id, job])),
    steps: new Map(steps.map((step) => [step.id, step])),
    defers: new Map(defers.map((defer) => [defer.id, defer])),
    events,
    stateChars: 0,
    metadata: null,
  };
}
