// A clock that tests turn by hand. Elapsed time moves timers; the time of day may also jump.
import type { Clock, TimerHandle } from "../clock.ts";

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

export class VirtualClock implements Clock {
  #elapsed = 0;
  #offset: number;
  readonly #timers = new Set<Timer>();

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#offset = now;
  }

  now(): number {
    return this.#offset + this.#elapsed;
  }

  after(delayMs: number, run: () => void): TimerHandle {
    const timer = { at: this.#elapsed + Math.max(0, delayMs), run };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** Sets the time of day forward or back; no time passes. */
  jump(ms: number): void {
    this.#offset += ms;
  }

  /** Lets time pass, timer by timer, and lets what each started come to rest. */
  async advance(ms: number): Promise<void> {
    const until = this.#elapsed + ms;
    for (;;) {
      await rest();
      const next = [...this.#timers].toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > until) break;
      this.#timers.delete(next);
      this.#elapsed = next.at;
      next.run();
    }
    this.#elapsed = until;
    await rest();
  }
}

/** Resolves when all that needs no real I/O has come to rest. */
export async function rest(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
