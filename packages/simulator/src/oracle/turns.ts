// Judges turns: queues before one gate take turns, so that a call which may take each place that
// becomes free waits for few others. It counts, for each queue that waits, how many calls of every other
// queue before the gate have left since one of its own was let out.
//
// The bound follows from SPEC.md, "queues before one gate take turns". Let L be the places of the gate.
// What is taken out at once, a page, has at most L calls, and they are shared in turns of one. A page
// without a call of a waiting queue gives no other queue more than one, and the next page begins behind
// it: so there is at most one such page for each queue before the turn comes. The page in which it comes
// may hold L - 1 calls of another queue ahead of its own, and so may the page that it went out with
// before, behind its own. One page may have been read before the call was there to be seen.
import { gateOfQueue } from "@pawl/engine/gate";
import type { Job } from "@pawl/engine/records";
import type { Accuse } from "./violation.ts";

/** The most that another queue lets pass before the turn of one that waits, where a gate has so many places. */
export function passedMax(places: number): number {
  return 3 * places - 1;
}

interface Parts {
  readonly callsPerAppMax: number;
  /** Of the store and of processes, up to now: with each, turns begin anew. */
  readonly faults: () => number;
}

export class TurnsJudge {
  readonly #parts: Parts;
  readonly #accuse: Accuse;
  /** Calls that wait, by queue. */
  readonly #waiting = new Map<string, Set<string>>();
  /** The queue in which a call is. */
  readonly #queueOf = new Map<string, string>();
  /** For each queue that waits, the calls that others let pass meanwhile. */
  readonly #passed = new Map<string, Map<string, number>>();
  #faults = 0;

  constructor(parts: Parts, accuse: Accuse) {
    this.#parts = parts;
    this.#accuse = accuse;
  }

  /** Limits may have changed, and with them who may take which place. */
  registered(): void {
    this.#passed.clear();
  }

  /** A job is written. */
  written(job: Job): void {
    const name = `${job.runId}/${job.id}`;
    const before = this.#queueOf.get(name);
    const after = job.kind === "call" && job.state.at === "queued" ? job.state.gate : undefined;
    if (before === after) return;
    this.#leave(name);
    // What goes on to wait before another gate takes no place here.
    if (before !== undefined && job.kind === "call" && job.state.at === "leased")
      this.#passes(before);
    else if (before !== undefined) this.#passed.delete(before);
    if (after === undefined) return;
    this.#queueOf.set(name, after);
    this.#waiting.set(after, (this.#waiting.get(after) ?? new Set()).add(name));
  }

  /** A job is gone. */
  removed(runId: string, jobId: string): void {
    this.#leave(`${runId}/${jobId}`);
  }

  #leave(name: string): void {
    const queue = this.#queueOf.get(name) ?? "";
    this.#queueOf.delete(name);
    const left = this.#waiting.get(queue);
    left?.delete(name);
    if (left?.size !== 0) return;
    this.#waiting.delete(queue);
    this.#passed.delete(queue);
  }

  #passes(queue: string): void {
    const faults = this.#parts.faults();
    if (faults !== this.#faults) this.#passed.clear();
    this.#faults = faults;
    this.#passed.delete(queue);
    for (const other of this.#waiting.keys()) {
      const places = other === queue ? null : this.#places(queue, other);
      if (places === null) continue;
      const counts = this.#passed.get(other) ?? new Map<string, number>();
      this.#passed.set(other, counts);
      const count = (counts.get(queue) ?? 0) + 1;
      counts.set(queue, count);
      if (count > passedMax(places))
        this.#accuse(
          "starved",
          `${count} calls of ${queue} pass while ${other} waits, with ${places} places at the gate`,
        );
    }
  }

  /**
   * The places of a gate if calls of either queue may take any that is free: those of an app and of the
   * server. Null: functions may set limits of their own there, or the queues are of other gates.
   */
  #places(queue: string, other: string): number | null {
    const gate = gateOfQueue(queue);
    if (gate !== gateOfQueue(other)) return null;
    return gate.startsWith("c:") ? null : this.#parts.callsPerAppMax;
  }
}
