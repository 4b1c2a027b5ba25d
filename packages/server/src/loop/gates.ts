// Moves calls out of a gate's queue when the gate has room. The order of the queue is the store's,
// and whether a call really passes is decided by the engine; this only brings the two together.
// Invariant: at most one pull per gate is under way.
import type { HotState } from "@pawl/engine/state/hot-state";
import type { DueJob, Store } from "@pawl/store/store";
import { messageOf } from "../server-error.ts";
import type { CommandInput } from "./batch.ts";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";

export interface GatesParts {
  readonly store: Pick<Store, "due">;
  readonly clock: Clock;
  readonly log: Log;
  /** The state as decided. */
  readonly hot: () => HotState;
  /** Hands `call.admitted` to the loop; settles when it was decided and committed. */
  readonly report: (command: CommandInput) => Promise<unknown>;
  /** Resolves at the next outcome of a commit, at once when none is to come. */
  readonly afterCommit: () => Promise<void>;
}

/** Calls taken from one queue at once. */
const pageMax = 256;
/** A queue that could not be read, or whose head could not be decided, is tried again after this. */
const retryMs = 1_000;

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
    if (this.#wanted(gate) === 0) return;
    this.#pulling.set(gate, false);
    void this.#pullAll(gate);
  }

  /** Looks at every gate once: after a start, nobody else would. */
  start(): void {
    for (const [gate] of this.#parts.hot().gates()) this.pull(gate);
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

  /** The head of the queue, as much as fits now. */
  async #nextCalls(gate: string): Promise<readonly DueJob[]> {
    const read = async (): Promise<readonly DueJob[]> => {
      const limit = this.#wanted(gate);
      return limit === 0 ? [] : this.#parts.store.due<"queue">({ kind: "queue", gate, limit });
    };
    const calls = await read();
    if (calls.length > 0 || this.#wanted(gate) === 0) return calls;
    // What is queued was decided, but is not committed yet.
    await this.#parts.afterCommit();
    return read();
  }

  /** How many calls of the queue the gate has room for. */
  #wanted(gate: string): number {
    const hot = this.#parts.hot();
    const { inFlight, queued } = hot.gate(gate);
    return Math.max(0, Math.min(hot.settings.callsPerAppMax - inFlight, queued, pageMax));
  }
}
