// Time limits of runs (protocol.md 5.2): `start` bounds the wait of the first call, `finish` the time
// to the end from the first call that the app answers, so that an app that is down uses up none of it. Each is a deadline job; a call that went out before the end of `finish` may
// still bring the result, so its answer is looked at first.
import { formatDuration } from "@pawl/protocol/duration";
import type { DeadlineJob, RunRecord } from "../records.ts";
import { cancelRun } from "../rules/finish-run.ts";
import type { RunDraft } from "../run-draft.ts";
import { flowOf } from "./rules.ts";

const startId = "deadline:start";
const finishId = "deadline:finish";

/** Begins to count the wait of the first call, once. */
export function limitStart(run: RunDraft): void {
  const { startTimeoutMs } = flow(run);
  if (startTimeoutMs === null || run.job(startId) !== undefined) return;
  add(run, startId, "start", run.draft.at + startTimeoutMs);
}

/** Whether the app has been heard: until then each call is the first. */
export function hasBegun({ run, stepCount }: RunDraft): boolean {
  return run.status !== "queued" && (run.requestVersion !== -1 || stepCount > 0);
}

/** The first call goes out, perhaps once more: from here on the time to the end counts. */
export function limitFinish(run: RunDraft): void {
  run.deleteJob(startId);
  const { finishTimeoutMs } = flow(run);
  if (finishTimeoutMs !== null) add(run, finishId, "finish", run.draft.at + finishTimeoutMs);
}

/** A deadline has come: the run is cancelled, unless a call that may bring the result is out. */
export function fireDeadline(run: RunDraft, job: DeadlineJob): void {
  run.deleteJob(job.id);
  if (job.id === finishId && (isCalled(run) || !hasBegun(run))) return;
  // What people hold back does not run out of time meanwhile.
  if (job.id === startId && isPaused(run)) return limitStart(run);
  cancelRun(run, job.id === startId ? startReason(run) : finishReason(run));
}

/** Cancels a run that is past its time; whether it did. Asked before each call. */
export function cancelIfLate(run: RunDraft): boolean {
  if (!hasBegun(run) || !isLate(run.run, flow(run).finishTimeoutMs, run.draft.at)) return false;
  cancelRun(run, finishReason(run));
  return true;
}

/** After an answer: cancels a run that is past its time and has no call out. */
export function cancelIfLateAndIdle(run: RunDraft): void {
  if (!run.ended && !isCalled(run)) cancelIfLate(run);
}

function isLate(run: RunRecord, limitMs: number | null, at: number): boolean {
  return limitMs !== null && run.startedAt !== null && at - run.startedAt >= limitMs;
}

function isCalled(run: RunDraft): boolean {
  for (const job of run.jobs()) if (job.kind === "call" && job.state.at === "leased") return true;
  return false;
}

function isPaused(run: RunDraft): boolean {
  const fn = run.draft.state.functionById(run.run.functionId);
  return fn !== undefined && fn.pausedAt !== null;
}

function startReason(run: RunDraft): string {
  const limit = formatDuration(flow(run).startTimeoutMs ?? 0);
  return `its first call did not go out within ${limit} (timeouts.start)`;
}

function finishReason(run: RunDraft): string {
  const limit = formatDuration(flow(run).finishTimeoutMs ?? 0);
  return `it did not end within ${limit} (timeouts.finish)`;
}

function flow(run: RunDraft) {
  return flowOf(run.draft.state.functionById(run.run.functionId));
}

function add(run: RunDraft, id: string, name: string, dueAt: number): void {
  run.putJob({
    kind: "deadline",
    runId: run.id,
    id,
    displayName: name,
    userId: null,
    userIndex: 0,
    stepType: null,
    opts: null,
    parallel: false,
    race: false,
    queuedAt: run.draft.at,
    dueAt,
  });
  run.draft.effect({ type: "timer", runId: run.id, jobId: id, dueAt });
}
