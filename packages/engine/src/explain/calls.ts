// Why a call is where it is: with an app, lost with its process, or waiting for its time.
import { debouncePrefix, batchPrefix } from "../flow/slots.ts";
import { placedPrefix } from "../flow/holds.ts";
import { carriedBy } from "../rules/carried-runs.ts";
import { flowOf } from "../flow/rules.ts";
import type { CallJob } from "../records.ts";
import { reason, type Reason } from "./explanation.ts";
import type { ExplainInput, ExplainState } from "./input.ts";
import { queuedReason } from "./queues.ts";
import { callFacts, subject } from "./subject.ts";
import { errorText, moment, span, stopped } from "./words.ts";

/** The reason of a call. */
export function callReason(state: ExplainState, input: ExplainInput, job: CallJob): Reason {
  switch (job.state.at) {
    case "leased":
      return leasedReason(state, input, job, job.state);
    case "queued":
      return queuedReason(state, input, job, job.state.gate, job.state.since);
    case "delayed":
      return delayedReason(state, input, job, job.state.dueAt);
  }
}

function leasedReason(
  state: ExplainState,
  { at }: ExplainInput,
  job: CallJob,
  { epoch, leaseUntil }: Extract<CallJob["state"], { at: "leased" }>,
): Reason {
  const { settings } = state;
  const sinceAt = leaseUntil - settings.leaseMs;
  const about = { ...callFacts(job), sinceAt, dueAt: leaseUntil };
  if (epoch !== settings.epoch) {
    return reason({
      kind: "lost",
      ...about,
      sentence: `${subject(job)} went out at ${moment(sinceAt, at)} with a server process that is gone. It is handed out again, which counts no attempt.`,
      next: "Nothing, if a server runs: it does so when it starts. Else start one.",
    });
  }
  const isRequest = job.gateway !== null;
  return reason({
    kind: "running",
    ...about,
    sentence: `${subject(job)} is ${isRequest ? "a request that the server performs" : "with the app"} now: attempt ${attemptWords(job)}, sent at ${moment(sinceAt, at)}. It counts as lost at ${moment(leaseUntil, at)}.`,
    next: isRequest
      ? "Wait for whom it asks; --gateway-timeout ends it. Cancelling the run ends the request."
      : "Wait for the app, and look at its log if that takes too long. Cancelling the run ends the call.",
  });
}

function attemptWords(job: CallJob): string {
  return `${String(job.attempt + 1)} of ${String(job.attemptsMax)}`;
}

function delayedReason(
  state: ExplainState,
  input: ExplainInput,
  job: CallJob,
  dueAt: number,
): Reason {
  const about = { ...callFacts(job), dueAt };
  const failed = job.attempt === 0 ? null : failureBefore(input, dueAt);
  if (failed !== null) {
    const error = errorText(failed.error);
    return reason({
      kind: "backoff",
      ...about,
      sinceAt: failed.endedAt,
      error,
      sentence: `Attempt ${String(failed.attempt + 1)} of ${String(job.attemptsMax)} of ${failed.stepId === job.target ? subject(job).replace(/^The/, "the") : `step ${JSON.stringify(failed.displayName)}`} failed at ${moment(failed.endedAt, input.at)}: ${stopped(error)} Attempt ${String(job.attempt + 1)} is at ${moment(dueAt, input.at)}.`,
      next: "Put right what the error names; the next attempt comes by itself.",
    });
  }
  const { run } = input.stored;
  if (carriedBy(run, job) !== undefined) {
    return reason({
      kind: "delayed",
      ...about,
      sentence: `The app carries the run itself, in a request to its endpoint. If it says nothing until ${moment(dueAt, input.at)}, the server calls the endpoint.`,
      next: "Nothing: it goes on by itself. A step that takes longer needs a higher endpointSilenceMs (--endpoint-silence).",
    });
  }
  return run.status === "queued"
    ? startReason(state, input, job, dueAt)
    : reason({
        kind: "delayed",
        ...about,
        sentence: `${subject(job)} goes out at ${moment(dueAt, input.at)}.`,
        next: "Nothing: it goes on by itself.",
      });
}

/** The failed attempt that planned this one. */
function failureBefore({ attempts }: ExplainInput, dueAt: number) {
  return attempts.findLast(({ retryAt }) => retryAt === dueAt) ?? null;
}

/** Why a run has not begun although nothing is full. */
function startReason(
  state: ExplainState,
  { at, stored }: ExplainInput,
  job: CallJob,
  dueAt: number,
): Reason {
  const { run, events } = stored;
  const flow = flowOf(state.functionById(run.functionId));
  const about = { ...callFacts(job), sinceAt: run.queuedAt, dueAt };
  const holds = (prefix: string): boolean => run.holds.some((hold) => hold.startsWith(prefix));
  const byItself = "Nothing: it goes on by itself.";
  if (holds(batchPrefix)) {
    const { batch } = flow;
    const size = batch === null ? "" : ` of ${String(batch.sizeMax)}`;
    return reason({
      kind: "batch",
      ...about,
      events: run.eventIds.length,
      eventsMax: batch?.sizeMax ?? null,
      sentence: `The batch is open and has ${String(run.eventIds.length)}${size} events. It goes out when it is full, at the latest at ${moment(dueAt, at)}.`,
      next: `${byItself} Lower batchEvents.timeout to wait less.`,
    });
  }
  if (holds(debouncePrefix)) {
    const { debounce } = flow;
    const limit =
      debounce === null || debounce.timeoutMs === null
        ? ""
        : `, at the latest at ${moment(run.queuedAt + debounce.timeoutMs, at)}`;
    return reason({
      kind: "debounce",
      ...about,
      sentence: `The start is debounced until ${moment(dueAt, at)}. Each further event puts it off by ${span(debounce?.periodMs ?? 0)}${limit}.`,
      next: `${byItself} Lower debounce.period, or set debounce.timeout, to wait less.`,
    });
  }
  if (holds(placedPrefix)) {
    const { throttle } = flow;
    const rate =
      throttle === null ? "" : ` of ${String(throttle.limit)} in ${span(throttle.periodMs)}`;
    return reason({
      kind: "throttle",
      ...about,
      sentence: `The function is throttled: this run has its place in the rate${rate} at ${moment(dueAt, at)}.`,
      next: `${byItself} Raise throttle.limit to start more runs in a period.`,
    });
  }
  const [event] = events;
  const isFuture = event !== undefined && event.ts === dueAt;
  return reason({
    kind: isFuture ? "futureEvent" : "delayed",
    ...about,
    sentence: isFuture
      ? `The event ${JSON.stringify(event.name)} is dated ahead (ts): the run starts at ${moment(dueAt, at)}.`
      : `${subject(job)} goes out at ${moment(dueAt, at)}.`,
    next: byItself,
  });
}
