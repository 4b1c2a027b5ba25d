// Has forgotten what is beyond its policy: a small step at a time, each a commit that others share,
// and a pause that is longer the longer the step took, so that it never delays the others. What may
// go is the store's answer and the engine's decision; this only asks.
import type { Reply } from "@pawl/engine/decision";
import { messageOf } from "../server-error.ts";
import type { CommandInput } from "./batch.ts";
import type { Clock, TimerHandle } from "./clock.ts";
import type { Log } from "./log.ts";
import { boundsOf, retentionPolicies, type RetentionPolicies } from "./retention-policies.ts";

export interface RetentionLimits {
  readonly policies: RetentionPolicies;
  /** What ended or arrived within this time goes by age only, ms. */
  readonly spareMs: number;
  /** Time between two looks, ms. */
  readonly intervalMs: number;
  /** Time between two steps while there is more to forget: at least and at most, ms. */
  readonly pauseMs: number;
  readonly pauseMaxMs: number;
  /** The pause within these, as a multiple of the time that the step took: 4 leaves 80 % to others. */
  readonly pauseRatio: number;
  /** Records of each kind that one step removes, and their bytes; a record goes as a whole. */
  readonly stepSize: number;
  readonly stepBytes: number;
}

const day = 86_400_000;

export const defaultRetentionLimits: RetentionLimits = {
  policies: retentionPolicies(30 * day),
  spareMs: 60_000,
  intervalMs: 60_000,
  pauseMs: 20,
  pauseMaxMs: 2_000,
  pauseRatio: 4,
  stepSize: 200,
  stepBytes: 1_048_576,
};

export interface RetentionParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: RetentionLimits;
  /** Hands `retention.due` to the loop; settles when it was decided and committed. */
  readonly report: (command: CommandInput) => Promise<Reply>;
}

export class Retention {
  readonly #parts: RetentionParts;
  #timer: TimerHandle | null = null;
  #stopped = false;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  /** Looks for the first time after one interval: a start has better things to do. */
  start(): void {
    this.#after(this.#parts.limits.intervalMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #after(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = this.#parts.clock.after(delayMs, () => void this.#step());
  }

  async #step(): Promise<void> {
    const { clock, limits, log, report } = this.#parts;
    const begin = clock.now();
    const bounds = boundsOf(limits.policies, begin, limits.spareMs);
    let hasMore = false;
    try {
      const { stepSize: limit, stepBytes: limitBytes } = limits;
      const reply = await report({ type: "retention.due", bounds, limit, limitBytes });
      hasMore = reply.ok && reply.value.type === "removed" && reply.value.hasMore;
    } catch (error) {
      if (this.#stopped) return;
      log.warn({ err: error }, `old records could not be removed: ${messageOf(error)}`);
    }
    this.#after(hasMore ? this.#pauseAfter(clock.now() - begin) : limits.intervalMs);
  }

  #pauseAfter(tookMs: number): number {
    const { pauseMs, pauseMaxMs, pauseRatio } = this.#parts.limits;
    return Math.min(Math.max(pauseRatio * tookMs, pauseMs), pauseMaxMs);
  }
}
