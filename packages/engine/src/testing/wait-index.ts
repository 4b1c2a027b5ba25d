// The index of waits and the names of signals, as the changes wrote them, against the jobs that
// wait: what has ended keeps no entry, what waits has one, and a name has one waiter at most.
import assert from "node:assert/strict";
import type { Change } from "../changes.ts";
import { cancelPrefix } from "../flow/holds.ts";
import type { Job } from "../records.ts";
import type { RunView } from "../state/view.ts";
import { branchId } from "../waits/branch.ts";
import { signalKey } from "../waits/signal.ts";

export class WaitIndex {
  readonly #waits = new Map<string, Set<string>>();
  /** Key of the record to `<run>/<job>`. */
  readonly #signals = new Map<string, string>();

  apply(change: Change): void {
    if (change.type === "wait.put") this.#of(change.wait.runId).add(change.wait.jobId);
    if (change.type === "wait.delete") this.#of(change.runId).delete(change.jobId);
    if (change.type === "gate.delete") this.#signals.delete(change.key);
    if (change.type === "gate.put" && change.gate.kind === "signal") {
      this.#signals.set(change.gate.key, `${change.gate.runId}/${change.gate.jobId}`);
    }
  }

  /** Waits that are registered. */
  get count(): number {
    return [...this.#waits.values()].reduce((sum, waits) => sum + waits.size, 0);
  }

  /** Names of signals that are taken. */
  get signalCount(): number {
    return this.#signals.size;
  }

  /** Asserts that index and jobs say the same. */
  check(runs: Iterable<RunView>): void {
    const signalWaits = new Set<string>();
    for (const { run, jobs } of runs) {
      const expected = [...jobs.values()].flatMap(waitsOf);
      const holds = run.holds.filter((hold) => hold.startsWith(cancelPrefix));
      assert.deepEqual([...this.#of(run.id)].toSorted(), [...expected, ...holds].toSorted());
      const keys = new Set<string>();
      for (const job of jobs.values()) {
        if (job.kind !== "signal") continue;
        signalWaits.add(`${signalKey(job.signal)} ${run.id}/${job.id}`);
        keys.add(signalKey(job.signal));
      }
      const held = run.holds.filter((hold) => hold.startsWith(signalKey("")));
      assert.deepEqual(held.toSorted(), [...keys].toSorted(), "holds of signals equal the waits");
    }
    for (const [key, waiter] of this.#signals) {
      assert.ok(signalWaits.has(`${key} ${waiter}`), `${key} is held by ${waiter}, which waits`);
    }
  }

  #of(runId: string): Set<string> {
    const waits = this.#waits.get(runId) ?? new Set();
    this.#waits.set(runId, waits);
    return waits;
  }
}

function waitsOf(job: Job): readonly string[] {
  if (job.kind === "wait") return [job.id];
  if (job.kind !== "waitMany") return [];
  return job.branches.flatMap(({ received }, place) =>
    received === null ? [branchId(job.id, place)] : [],
  );
}
