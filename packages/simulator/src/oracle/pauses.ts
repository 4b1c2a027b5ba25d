// Judges pauses by what is stored: no first call of a paused function leaves, and a pause lasts from
// its acknowledgement until somebody ends it, whatever the app registers. It must not know queues.
import type { AppRecord, Job } from "@pawl/engine/records";
import type { Mirror } from "./mirror.ts";
import type { Accuse } from "./violation.ts";

export class PauseJudge {
  readonly #mirror: Mirror;
  readonly #accuse: Accuse;
  /** Functions that people hold. */
  readonly #held = new Set<string>();
  /** Resumes under way, by function. */
  readonly #resuming = new Map<string, number>();
  /** Functions that were paused when they were last registered, those that are away included. */
  readonly #paused = new Set<string>();
  /** Runs whose first call has left. */
  readonly #begun = new Set<string>();

  constructor(mirror: Mirror, accuse: Accuse) {
    this.#mirror = mirror;
    this.#accuse = accuse;
  }

  /** Somebody was told that the function is paused. */
  paused(functionId: string): void {
    // What is said twice may arrive twice: a resume under way may come after this.
    if (this.#resuming.has(functionId)) return;
    this.#held.add(functionId);
    const { deployments } = this.#mirror;
    if (deployments.get(functionId)?.isPaused === false && !deployments.everGone(functionId))
      this.#accuse("pause-broken", `${functionId} was paused, but is not`);
  }

  /** Somebody is about to let the function go on, and with it all that others had paused. */
  resumes(functionId: string): void {
    this.#held.delete(functionId);
    this.#resuming.set(functionId, (this.#resuming.get(functionId) ?? 0) + 1);
  }

  /** Somebody was told that the function goes on. */
  resumed(functionId: string): void {
    const others = (this.#resuming.get(functionId) ?? 1) - 1;
    if (others > 0) this.#resuming.set(functionId, others);
    else this.#resuming.delete(functionId);
  }

  /** An app is about to be as it was written; those before are in the mirror. */
  registered({ functions }: AppRecord): void {
    for (const { id, pausedAt } of functions) {
      if (this.#held.has(id) && this.#paused.has(id) && pausedAt === null)
        this.#accuse("pause-broken", `${id} goes on although nobody resumed it`);
      if (pausedAt === null) this.#paused.delete(id);
      else this.#paused.add(id);
    }
  }

  /** A call is written. */
  called(job: Job): void {
    const { runId } = job;
    if (job.kind !== "call" || job.state.at !== "leased") return;
    const run = this.#mirror.runs.get(runId)?.run;
    if (run === undefined || this.#begun.has(runId)) return;
    this.#begun.add(runId);
    if (this.#mirror.deployments.get(run.functionId)?.isPaused === true)
      this.#accuse("pause-broken", `run ${runId} begins although ${run.functionId} is paused`);
  }
}
