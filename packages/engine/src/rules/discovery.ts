// Discovery: calling the function so that it runs up to what is new (protocol.md 2.7).
import { addCall, discoveryCall, discoveryTarget } from "./calls.ts";
import type { CallJob, Job } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { failRun } from "./finish-run.ts";
import { errorMemo } from "./memo.ts";

/** Versions from which parallel steps are joined before the next discovery. */
const coalescingVersion = 2;
/** Version in which race mode never has two discoveries at once: the `pawl` SDK's. */
const oneAtATimeVersion = 3;

/** What a decision brought. */
export interface Progress {
  /** Ids of the steps that finished. */
  readonly finished: readonly string[];
  /** One of them asked for race mode. */
  readonly race: boolean;
  /** A step that was planned is not there any more. */
  readonly vanished?: boolean;
}

/**
 * Makes sure that the function is called when there is something new for it: after each finished
 * step, or once the pending parallel set is empty, as the app's execution version wants it.
 */
export function continueRun(run: RunDraft, progress: Progress): void {
  if (run.ended) return;
  const { requestVersion } = run.run;
  if (progress.race && requestVersion >= oneAtATimeVersion) {
    if (progress.finished.length > 0 || !hasJobs(run)) discoverOnce(run);
  } else if (progress.race || requestVersion < coalescingVersion) {
    for (const id of progress.finished) discoverAfter(run, id);
    if (!hasJobs(run)) discoverOnce(run);
  } else if (!hasJoinedSteps(run)) {
    // A vanished step may be the last that others, finished before it, were waiting for.
    const { finished, vanished } = progress;
    if (finished.length > 0 || vanished === true || !hasJobs(run)) discoverOnce(run);
  }
  if (run.ended) return;
  settleForcePlan(run);
  countIdle(run, progress);
}

/** From version 2 on, immediate execution resumes when no parallel branch is open any more. */
function settleForcePlan(run: RunDraft): void {
  if (!run.run.forcePlan || run.run.requestVersion < coalescingVersion) return;
  if (!hasPendingSteps(run)) run.update({ forcePlan: false });
}

/** Fails a run whose discoveries bring nothing, again and again: it would never end. */
function countIdle(run: RunDraft, progress: Progress): void {
  const { idleDiscoveries } = run.run;
  if (progress.finished.length > 0) {
    if (idleDiscoveries > 0) run.update({ idleDiscoveries: 0 });
    return;
  }
  // Vanished steps are planned again by the discovery behind the last open one: a whole set whose
  // calls found nothing, as those of a busy app do, counts once.
  if (progress.vanished === true ? hasJoinedSteps(run) : hasPendingSteps(run)) return;
  if (idleDiscoveries >= run.draft.state.settings.idleDiscoveriesMax) {
    failRun(
      run,
      errorMemo({
        name: "PawlNoProgressError",
        code: "no_progress",
        message: `The function answered ${idleDiscoveries + 1} calls in a row without a result, a step or an error, so the run was ended. Check that every step it awaits is created by the same code path on each call.`,
      }),
    );
    return;
  }
  run.update({ idleDiscoveries: idleDiscoveries + 1 });
}

/**
 * Ends a call whose step was recorded while it was out, by a late answer: there is nothing left
 * to call for. Returns whether it did.
 */
export function dropIfRecorded(run: RunDraft, job: CallJob): boolean {
  if (run.step(job.target) === undefined) return false;
  run.deleteJob(job.id);
  continueRun(run, { finished: [job.target], race: job.race });
  return true;
}

/** One discovery at a time: joins the one that waits, follows the one that is out. */
export function discoverOnce(run: RunDraft): void {
  const job = run.job(discoveryTarget);
  if (job?.kind !== "call") return addDiscovery(run, discoveryTarget);
  // A queued or delayed discovery will see the new results when its turn comes.
  if (job.state.at === "leased" && !job.again) run.putJob({ ...job, again: true });
}

function discoverAfter(run: RunDraft, stepId: string): void {
  const id = `after:${stepId}`;
  if (run.job(id) === undefined) addDiscovery(run, id);
}

function addDiscovery(run: RunDraft, id: string): void {
  addCall(run, discoveryCall(run, run.draft.state.functionById(run.run.functionId), id));
}

function hasJobs(run: RunDraft): boolean {
  for (const job of run.jobs()) if (job.kind !== "deadline") return true;
  return false;
}

/** Whether steps are open: the pending parallel set. */
function hasPendingSteps(run: RunDraft): boolean {
  for (const job of run.jobs()) if (isStep(job)) return true;
  return false;
}

/** Whether steps are open that the next discovery waits for; losers of a race hold nobody up. */
function hasJoinedSteps(run: RunDraft): boolean {
  for (const job of run.jobs()) if (isStep(job) && !job.race) return true;
  return false;
}

/** Whether a job is to bring the result of a step. */
function isStep(job: Job): boolean {
  return job.kind === "call" ? job.target !== discoveryTarget : job.kind !== "deadline";
}
