// When a failed attempt is tried again.
import type { Random } from "../random.ts";
import type { Settings } from "../settings.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/**
 * Delay after the n-th failed attempt, counted from 0; the last entry repeats (protocol.md 5.3:
 * the table of the published server, whose first entry follows the first failure here).
 */
export const backoffTableMs: readonly number[] = [
  15 * second,
  30 * second,
  minute,
  2 * minute,
  5 * minute,
  10 * minute,
  20 * minute,
  40 * minute,
  hour,
  2 * hour,
];

/** Up to this much is added at random, so that what failed together does not return together. */
export const backoffJitterMs = 30 * second;

/** `Retry-After` is honoured within these bounds. */
export const retryAfterMinMs = second;
export const retryAfterMaxMs = 24 * hour;

/** Milliseconds until the attempt after `attempt` (zero-based) may start. */
export function backoffMs(
  attempt: number,
  retryAfterMs: number | null,
  settings: Settings,
  random: Random,
): number {
  if (retryAfterMs !== null) {
    return Math.min(Math.max(retryAfterMs, retryAfterMinMs), retryAfterMaxMs);
  }
  if (settings.retryIntervalMs !== null) return settings.retryIntervalMs;
  const last = backoffTableMs.length - 1;
  const base = backoffTableMs[Math.min(attempt, last)] ?? 2 * hour;
  return base + random.below(backoffJitterMs);
}
