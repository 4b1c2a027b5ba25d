// Judges order: within one queue calls leave in the order of their places. It compares the names of
// queues and must not know their meaning.
import type { Job } from "@pawl/engine/records";
import type { Mirror } from "./mirror.ts";
import type { Accuse } from "./violation.ts";

/** A call in a queue. */
interface Place {
  readonly queue: string;
  readonly since: number;
  /** The commit in which it came to the queue. */
  readonly cameIn: number;
}

export class OrderJudge {
  readonly #mirror: Mirror;
  readonly #accuse: Accuse;
  /** By run and job. */
  readonly #places = new Map<string, Place>();
  readonly #queues = new Map<string, Set<string>>();

  constructor(mirror: Mirror, accuse: Accuse) {
    this.#mirror = mirror;
    this.#accuse = accuse;
  }

  /** A job is written. */
  written(job: Job): void {
    if (job.kind !== "call") return;
    const { runId, state } = job;
    const name = `${runId}/${job.id}`;
    const before = this.#places.get(name);
    const after = state.at === "queued" ? state : null;
    if (before !== undefined && before.queue === after?.gate) return;
    if (before !== undefined) this.#checkOrder(name, before);
    this.removed(runId, job.id);
    if (after === null) return;
    const { gate: queue, since } = after;
    this.#places.set(name, { queue, since, cameIn: this.#mirror.commits });
    const queued = this.#queues.get(queue) ?? new Set();
    this.#queues.set(queue, queued.add(name));
  }

  /** A job is gone. */
  removed(runId: string, jobId: string): void {
    const name = `${runId}/${jobId}`;
    this.#queues.get(this.#places.get(name)?.queue ?? "")?.delete(name);
    this.#places.delete(name);
  }

  /** Whoever read the queue when this call was in it saw all that had come before it. */
  #checkOrder(name: string, { queue, since, cameIn }: Place): void {
    for (const other of this.#queues.get(queue) ?? []) {
      const place = this.#places.get(other);
      if (place === undefined || place.since >= since || place.cameIn > cameIn) continue;
      this.#accuse(
        "order-broken",
        `call ${name} leaves ${queue} before ${other}, which is ahead by ${since - place.since} ms`,
      );
    }
  }
}
