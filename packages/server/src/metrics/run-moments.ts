// Tells from the writes of a run when it was made and when its first call was sent: each is to be
// counted once, and a write says only what holds after it. Bounded: of runs written long ago between
// two writes the records alone must tell. It must not know what is counted.
import type { Change } from "@pawl/engine/changes";
import type { RunRecord } from "@pawl/engine/records";

const runsRemembered = 10_000;

/** What the writes of one commit make of a run. */
export interface RunMoments {
  /** As it was written last. */
  readonly run: RunRecord;
  readonly made: boolean;
  readonly started: boolean;
}

/** Remembers the latest runs. */
export class RunMomentReader {
  readonly #latest = new Map<string, "made" | "started">();

  /** The runs that a commit writes, by id. */
  read(changes: readonly Change[]): ReadonlyMap<string, RunMoments> {
    const found = new Map<string, RunMoments>();
    for (const change of changes) {
      if (change.type !== "run.put") continue;
      const { run } = change;
      const before = found.get(run.id);
      const { made, started } = this.#moments(run);
      found.set(run.id, {
        run,
        made: made || before?.made === true,
        started: started || before?.started === true,
      });
    }
    return found;
  }

  #moments(run: RunRecord): { readonly made: boolean; readonly started: boolean } {
    // An app has answered: both are long over.
    if (run.requestVersion !== -1) return { made: false, started: false };
    const known = this.#latest.get(run.id);
    const isWaiting = run.status === "queued";
    const atOnce = run.startedAt === run.queuedAt;
    const isFirst = isWaiting || (atOnce && (run.status === "running" || run.status === "skipped"));
    const made = known === undefined && isFirst;
    const started = known !== "started" && run.status === "running";
    if (made || started) this.#remember(run.id, started ? "started" : "made");
    return { made, started };
  }

  #remember(runId: string, moment: "made" | "started"): void {
    this.#latest.set(runId, moment);
    if (this.#latest.size <= runsRemembered) return;
    const [oldest] = this.#latest.keys();
    if (oldest !== undefined) this.#latest.delete(oldest);
  }
}
