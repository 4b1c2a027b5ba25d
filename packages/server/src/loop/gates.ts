// Moves calls out of the queues before a gate when the gate has room. Functions that share a gate
// have a queue each and take turns. The order of a queue is the store's; whose turn it is, and whether
// a call really passes, the engine's: this only brings the two together.
// Invariant: at most one pull per gate is under way.
import { roomFor } from "@pawl/engine/flow/concurrency";
import type { HotState } from "@pawl/engine/state/hot-state";
import type { DueJob, Store } from "@pawl/store/store";
import { messageOf, ServerError } from "../server-error.ts";
import type { CommandInput } from "./batch.ts";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";

export interface GatesParts {
  readonly store: Pick<Store, "due">;
  /** Of the runs whose calls are pulled; null: all. */
  readonly shards: readonly number[] | null;
  readonly clock: Clock;
  readonly log: Log;
  /** The state as decided. */
  readonly hot: () => HotState;
  /** Hands `call.admitted` to the loop; settles when it was decided and committed. */
  readonly report: (command: CommandInput) => Promise<unknown>;
  /** Resolves at the next outcome of a commit, at once when none is to come. */
  readonly afterCommit: () => Promise<void>;
}

/** Calls taken before a gate at once. */
const pageMax = 256;
/** A queue that could not be read, or whose head could not be decided, is tried again after this. */
const retryMs = 1_000;

/**
 * Shares the room of a gate among its queues in turns of one call, in the order of the queues.
 * `roomOf` is the room that a queue would have alone: functions may set different limits.
 */
export function shareRoom(
  queues: ReadonlyMap<string, number>,
  max: number,
  roomOf: (queue: string) => number,
): ReadonlyMap<string, number> {
  const shares = new Map<string, number>();
  let taken = 0;
  for (let before = -1; before < taken && taken < max; ) {
    before = taken;
    for (const [queue, count] of queues) {
      const share = shares.get(queue) ?? 0;
      if (taken >= max || share >= count || taken >= roomOf(queue)) continue;
      shares.set(queue, share + 1);
      taken++;
    }
  }
  return shares;
}

export class Gates {
  readonly #parts: GatesParts;
  /** Gates being pulled; true when somebody asked again meanwhile. */
  readonly #pulling = new Map<string, boolean>();
  #stopped = false;

  constructor(parts: GatesParts) {
    this.#parts = parts;
  }

  /** A gate may have room for calls in its queue. */
  pull(gate: string): void {
    if (this.#stopped) return;
    if (this.#pulling.has(gate)) {
      this.#pulling.set(gate, true);
      return;
    }
    if (this.#wanted(gate).size === 0) return;
    this.#pulling.set(gate, false);
    void this.#pullAll(gate);
  }

  /** Looks at every gate once: after a start, nobody else would. */
  start(): void {
    for (const gate of this.#parts.hot().gateKeys()) this.pull(gate);
  }

  stop(): void {
    this.#stopped = true;
  }

  async #pullAll(gate: string): Promise<void> {
    try {
      let head: string | null = null;
      for (;;) {
        this.#pulling.set(gate, false);
        const calls = await this.#nextCalls(gate);
        if (calls[0] === undefined || this.#stopped) break;
        // Each page is decided before the next is read, so the same head again means a fault.
        const newHead = `${calls[0].runId}/${calls[0].jobId}`;
        if (newHead === head)
          throw new Error(`call ${head} stays at the head of the queue although there is room`);
        head = newHead;
        await Promise.all(
          calls.map(({ runId, jobId }) =>
            this.#parts.report({ type: "call.admitted", runId, jobId }),
          ),
        );
      }
      const again = this.#pulling.get(gate) === true;
      this.#pulling.delete(gate);
      if (again) this.pull(gate);
    } catch (error) {
      if (this.#stopped) return;
      if (error instanceof ServerError && error.code !== "engine_fault") {
        // A commit failed: once the loop has started over, every gate is looked at. It may have been
        // before this is heard of.
        const again = this.#pulling.get(gate) === true;
        this.#pulling.delete(gate);
        if (again) this.pull(gate);
        return;
      }
      this.#parts.log.warn(
        { err: error, gate },
        `a queue could not be pulled: ${messageOf(error)}`,
      );
      this.#parts.clock.after(retryMs, () => {
        this.#pulling.delete(gate);
        this.pull(gate);
      });
    }
  }

  /** The heads of the queues, as much as fits now. */
  async #nextCalls(gate: string): Promise<readonly DueJob[]> {
    const calls = await this.#read(gate);
    if (calls.length > 0 || this.#wanted(gate).size === 0) return calls;
    // What is queued was decided, but is not committed yet.
    await this.#parts.afterCommit();
    return this.#read(gate);
  }

  async #read(gate: string): Promise<readonly DueJob[]> {
    const wanted = this.#wanted(gate);
    const { shards } = this.#parts;
    const pages = await Promise.all(
      [...wanted].map(([queue, limit]) =>
        this.#parts.store.due<"queue">({ kind: "queue", gate: queue, shards, limit }),
      ),
    );
    return pages.flat();
  }

  /** How many calls of each queue are to be taken now; queues that get none are left out. */
  #wanted(gate: string): ReadonlyMap<string, number> {
    const hot = this.#parts.hot();
    return shareRoom(hot.queues(gate), pageMax, (queue) => roomFor(hot, queue));
  }
}
