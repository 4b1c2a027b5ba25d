// How long calls of each function take, in memory: a mean in which later calls weigh more. It must
// not know what a call is for.
import type { CallTimes } from "@pawl/engine/explain/explanation";

/** Functions remembered; beyond that the one measured longest ago goes. */
const functionsMax = 10_000;
/** Weight of a new call once there are enough to forget the oldest. */
const weightMin = 0.1;

export class CallTimesMeter {
  readonly #times = new Map<string, CallTimes>();

  /** A call of the function ended after so long. */
  observe(functionId: string, ms: number): void {
    const { meanMs, count } = this.#times.get(functionId) ?? { meanMs: 0, count: 0 };
    const weight = Math.max(weightMin, 1 / (count + 1));
    const next = { meanMs: meanMs + (Math.max(0, ms) - meanMs) * weight, count: count + 1 };
    this.#times.delete(functionId);
    this.#times.set(functionId, next);
    if (this.#times.size <= functionsMax) return;
    const [oldest] = this.#times.keys();
    if (oldest !== undefined) this.#times.delete(oldest);
  }

  /** Null: no call of it ended since the start of the process. */
  of(functionId: string): CallTimes | null {
    return this.#times.get(functionId) ?? null;
  }
}
