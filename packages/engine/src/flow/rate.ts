// Rates, by the generic cell rate algorithm: one number, the theoretical arrival time (TAT), says how
// much of a rate is used. Times are ms and may have fractions, so that no rounding adds up.

export interface Rate {
  /** Uses in one period. */
  readonly limit: number;
  readonly periodMs: number;
  /** Uses that may follow each other at once after a pause; at least 1. */
  readonly burst: number;
}

/** Uses the rate now if it allows; the new TAT, or null when it does not. */
export function use(tat: number, at: number, rate: Rate): number | null {
  return tat - toleranceMs(rate) > at ? null : Math.max(tat, at) + intervalMs(rate);
}

/** Takes the next free place of the rate: when it is (whole ms), and the new TAT. */
export function reserve(
  tat: number,
  at: number,
  rate: Rate,
): { readonly startAt: number; readonly tat: number } {
  const startAt = Math.max(at, Math.ceil(tat - toleranceMs(rate)));
  return { startAt, tat: Math.max(tat, at) + intervalMs(rate) };
}

function intervalMs({ periodMs, limit }: Rate): number {
  return periodMs / limit;
}

function toleranceMs(rate: Rate): number {
  return intervalMs(rate) * (Math.max(1, rate.burst) - 1);
}
