// Has what is old forgotten: a small step at a time with pauses between, so that it never delays
// the others. What may go is the store's answer and the engine's decision; this only asks.
import type { Reply } from "@pawl/engine/decision";
import { messageOf } from "../server-error.ts";
import type { CommandInput } from "./batch.ts";
import type { Clock, TimerHandle } from "./clock.ts";
import type { Log } from "./log.ts";

export interface RetentionLimits {
  /** How long ended runs and events are kept, ms; null keeps them for ever. */
  readonly keepMs: number | null;
  /** Time between two looks, ms. */
  readonly intervalMs: number;
  /** Time between two steps while there is more to forget, ms. */
  readonly pauseMs: number;
  /** Records of each kind that one step removes. */
  readonly stepSize: number;
}

const day = 86_400_000;

export const defaultRetentionLimits: RetentionLimits = {
  keepMs: 30 * day,
  intervalMs: 60_000,
  pauseMs: 100,
  stepSize: 100,
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
    const { keepMs, stepSize, pauseMs, intervalMs } = limits;
    // Without a limit only idempotency keys go, which have an end of their own.
    const before = keepMs === null ? 0 : clock.now() - keepMs;
    let hasMore = false;
    try {
      const reply = await report({ type: "retention.due", before, limit: stepSize });
      hasMore = reply.ok && reply.value.type === "removed" && isFull(reply.value, stepSize);
    } catch (error) {
      if (this.#stopped) return;
      log.warn({ err: error }, `old records could not be removed: ${messageOf(error)}`);
    }
    this.#after(hasMore ? pauseMs : intervalMs);
  }
}

/** Whether a step removed as many of a kind as it may, so that there can be more. */
function isFull(
  removed: {
    readonly runs: number;
    readonly events: number;
    readonly keys: number;
    readonly rates: number;
  },
  step: number,
): boolean {
  const { runs, events, keys, rates } = removed;
  return [runs, events, keys, rates].includes(step);
}
