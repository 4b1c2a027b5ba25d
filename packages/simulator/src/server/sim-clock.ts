// The clocks of the simulated machine: one system clock that somebody may set, and for each process
// a view of it whose timers end with the process.
import type { Clock, TimerHandle } from "@pawl/server/loop/clock";
import type { Agenda } from "../agenda.ts";

const beginning = Date.UTC(2026, 0, 1);

export class SystemClock {
  readonly #agenda: Agenda;
  #offsetMs = beginning;
  #latest = beginning;
  #wentBack = false;

  constructor(agenda: Agenda) {
    this.#agenda = agenda;
  }

  /** Ms since the epoch, as set. */
  now(): number {
    const now = this.#offsetMs + this.#agenda.elapsedMs;
    this.#latest = Math.max(this.#latest, now);
    return now;
  }

  /** The latest time that the clock has ever shown. */
  latest(): number {
    this.now();
    return this.#latest;
  }

  /** Whether it was ever set back. */
  wasSetBack(): boolean {
    return this.#wentBack;
  }

  /** Sets the clock; no time passes. */
  jump(byMs: number): void {
    this.now();
    this.#offsetMs += byMs;
    this.#wentBack ||= byMs < 0;
  }

  /** The clock of a process: after its end nothing fires any more. */
  forProcess(isDead: () => boolean): Clock {
    return {
      now: () => this.now(),
      after: (delayMs, run): TimerHandle =>
        this.#agenda.after(delayMs, () => (isDead() ? undefined : run())),
    };
  }
}
