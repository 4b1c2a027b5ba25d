// Time for the shells: the one place where the server reads the system's clock and sets timers.
// Everything else takes a `Clock`, so that tests and the simulator can turn it by hand.

export interface TimerHandle {
  /** Safe to call at any time, more than once. */
  cancel(): void;
}

export interface Clock {
  /** Ms since the epoch; may jump either way when somebody sets the system's clock. */
  now(): number;
  /**
   * Calls `run` once, in `delayMs` of elapsed time, never synchronously. The process may end
   * while timers wait. Whoever needs a time of day re-reads `now`.
   */
  after(delayMs: number, run: () => void): TimerHandle;
}

/** Longest delay that Node's timers take. */
const delayMaxMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), delayMaxMs));
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
