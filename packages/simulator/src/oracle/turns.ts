// Judges turns: who waits before a gate that functions share is passed by few others, whatever their
// limits. L are the places of the gate, those of the function with the highest limit at a key; k are the
// functions. It counts two things for each queue that waits, since one of its own calls left it.
//
// Places that others took at the gate, from wherever: SPEC.md "Gates" keeps places free for who waits
// longest once 3L + k were taken by others. Of those who wait longer, k - 1 at most, each has one more.
//
// Calls of each other queue before the gate, where all functions have the same limit: what is taken out at
// once, a page, has at most L calls, shared in turns of one, beginning with the queue that waits longest. A
// page without a call of a waiting queue gives no other more than one, and has those behind it next time.
// The page in which its turn comes may hold L - 1 calls of another queue, and so may the page that it went
// out with before, behind its own; and one page may have been read before the call was there to be seen.
// Whoever comes from another gate may take the place of one whose turn it is, so counting begins anew.
import { gateOfQueue, functionOfQueue, placedGates } from "@pawl/engine/gate";
import type { Job } from "@pawl/engine/records";
import type { MemoryData } from "@pawl/store/memory/memory-data";
import { limitsOf } from "../app/flow.ts";
import type { Mirror } from "./mirror.ts";
import type { Accuse } from "./violation.ts";

/** The most places that others take before the turn of a queue that waits. */
export function takenMax(places: number, functions: number): number {
  return 3 * places + 2 * functions - 1;
}

/** The most calls that another queue lets pass before the turn of one that waits, where limits are equal. */
export function passedMax(places: number): number {
  return 3 * places - 1;
}

interface Parts {
  readonly data: Pick<MemoryData, "epoch">;
  readonly callsPerAppMax: number;
  /** Of the store and of processes, up to now: with each, turns begin anew. */
  readonly faults: () => number;
}

/** What others did while a queue waits. */
interface Patience {
  taken: number;
  /** By queue before the same gate. */
  readonly passed: Map<string, number>;
}

export class TurnsJudge {
  readonly #mirror: Mirror;
  readonly #parts: Parts;
  readonly #accuse: Accuse;
  /** Calls that wait, by gate and queue. */
  readonly #waiting = new Map<string, Map<string, Set<string>>>();
  /** The queue in which a call is. */
  readonly #queueOf = new Map<string, string>();
  readonly #patience = new Map<string, Patience>();
  #faults = 0;

  constructor(mirror: Mirror, parts: Parts, accuse: Accuse) {
    this.#mirror = mirror;
    this.#parts = parts;
    this.#accuse = accuse;
  }

  /** Limits may have changed, and with them who may take which place. */
  registered(): void {
    this.#patience.clear();
  }

  /** A job is written; the mirror still has the one before. */
  written(job: Job): void {
    const name = `${job.runId}/${job.id}`;
    const before = this.#queueOf.get(name);
    const after = job.kind === "call" && job.state.at === "queued" ? job.state.gate : undefined;
    if (before !== after) {
      this.#leave(name);
      // Its queue has had a turn, also if it went on to wait before another gate.
      if (before !== undefined) this.#patience.delete(before);
    }
    this.#takes(job, before);
    if (before === after || after === undefined) return;
    this.#queueOf.set(name, after);
    const gate = gateOfQueue(after);
    const queues = this.#waiting.get(gate) ?? new Map<string, Set<string>>();
    this.#waiting.set(gate, queues.set(after, (queues.get(after) ?? new Set()).add(name)));
  }

  /** A job is gone. */
  removed(runId: string, jobId: string): void {
    this.#leave(`${runId}/${jobId}`);
  }

  #leave(name: string): void {
    const queue = this.#queueOf.get(name) ?? "";
    this.#queueOf.delete(name);
    const queues = this.#waiting.get(gateOfQueue(queue));
    const left = queues?.get(queue);
    left?.delete(name);
    if (left?.size !== 0) return;
    queues?.delete(queue);
    this.#patience.delete(queue);
  }

  #takes(job: Job, from: string | undefined): void {
    const faults = this.#parts.faults();
    if (faults !== this.#faults) this.#patience.clear();
    this.#faults = faults;
    const run = this.#mirror.runs.get(job.runId);
    if (run === undefined) return;
    const { epoch } = this.#parts.data;
    const had = placedGates(run.run, run.jobs.get(job.id), epoch);
    for (const gate of placedGates(run.run, job, epoch)) {
      if (had.includes(gate)) continue;
      const queue = from !== undefined && gateOfQueue(from) === gate ? from : null;
      for (const waiting of this.#waiting.get(gate)?.keys() ?? [])
        if (functionOfQueue(waiting) !== run.run.functionId) this.#passes(gate, queue, waiting);
    }
  }

  /** `queue`: the one before the gate that the call left; null: it came from elsewhere. */
  #passes(gate: string, queue: string | null, waiting: string): void {
    const { places, areEqual } = this.#placesOf(gate);
    if (places === null) return;
    const patience = this.#patience.get(waiting) ?? { taken: 0, passed: new Map<string, number>() };
    this.#patience.set(waiting, patience);
    patience.taken++;
    if (patience.taken > takenMax(places, this.#mirror.programs.size))
      this.#accuse(
        "starved",
        `${patience.taken} places at ${gate} are taken by others while ${waiting} waits, with ${places} places`,
      );
    if (queue === null) return patience.passed.clear();
    const count = (patience.passed.get(queue) ?? 0) + 1;
    patience.passed.set(queue, count);
    if (areEqual && count > passedMax(places))
      this.#accuse(
        "starved",
        `${count} calls of ${queue} pass while ${waiting} waits, with ${places} places at the gate`,
      );
  }

  /** The most places that a function has at a gate; null: none has a limit there. */
  #placesOf(gate: string): { readonly places: number | null; readonly areEqual: boolean } {
    if (!gate.startsWith("c:")) return { places: this.#parts.callsPerAppMax, areEqual: true };
    const limits = [...this.#mirror.programs.keys()].map((functionId) => {
      const own = limitsOf(this.#mirror.deployments.flowOf(functionId));
      return [own.get("callsShared"), own.get("callsPerSharedKey")];
    });
    const all = limits.flat().filter((limit) => limit !== undefined);
    if (all.length === 0) return { places: null, areEqual: false };
    const areEqual = [0, 1].every((name) => new Set(limits.map((own) => own[name])).size === 1);
    return { places: Math.max(...all), areEqual };
  }
}
