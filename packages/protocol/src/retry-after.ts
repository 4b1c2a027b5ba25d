// `retry-after` as apps and providers send it: seconds, or a date (protocol.md 2.3). It must not
// know where the text stood.
import { parseTimestamp } from "./duration.ts";

/** Bounds of `retry-after`. */
const retryAfterMsMin = 1_000;
const retryAfterMsMax = 24 * 3_600_000;

/** `retry-after` as ms from now, between 1 s and 24 h; null when it is missing or unreadable. */
export function readRetryAfter(value: string | null, now: number): number | null {
  const text = value?.trim() ?? "";
  const forMs = /^\d{1,12}(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : msUntil(text, now);
  if (forMs === null || Number.isNaN(forMs)) return null;
  return Math.round(Math.min(Math.max(forMs, retryAfterMsMin), retryAfterMsMax));
}

function msUntil(text: string, now: number): number | null {
  // The date of HTTP itself always names its zone, so that parsing it depends on nothing else.
  const at = text.endsWith(" GMT") ? Date.parse(text) : parseTimestamp(text);
  return at === null ? null : at - now;
}
