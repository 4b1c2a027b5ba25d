// Durations and moments as text, the way SDKs of every language write them (protocol.md 2.5,
// `Sleep`): Go's notation extended with days and weeks, or a timestamp. It must not know the
// present: a moment stays either absolute or relative. Must run on any runtime: no imports.

const unitMs: Readonly<Record<string, number>> = {
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3, // micro sign U+00B5
  μs: 1e-3, // Greek mu U+03BC
  ns: 1e-6,
};
const termPattern = /(\d+(?:\.\d*)?|\.\d+)(ms|us|µs|μs|ns|w|d|h|m|s)/y;
const textCharsMax = 100;

/**
 * Milliseconds of `1w2d3h`, `1h30m`, `1.5s`, `500ms`, `20us`, or `0`; rounded to whole ms. Null for
 * any other text, negative durations included, and beyond 2^53 ms.
 */
export function parseDuration(text: string): number | null {
  if (text === "0") return 0;
  if (text === "" || text.length > textCharsMax) return null;
  let ms = 0;
  termPattern.lastIndex = 0;
  while (termPattern.lastIndex < text.length) {
    const term = termPattern.exec(text);
    const unit = unitMs[term?.[2] ?? ""];
    if (term === null || unit === undefined) return null;
    ms += Number(term[1]) * unit;
  }
  const whole = Math.round(ms);
  return Number.isSafeInteger(whole) ? whole : null;
}

const writtenUnits = ["w", "d", "h", "m", "s", "ms"] as const;

/** The shortest exact text that `parseDuration` reads back; fractions of a ms are dropped. */
export function formatDuration(ms: number): string {
  let rest = Math.max(0, Math.floor(ms));
  let text = "";
  for (const unit of writtenUnits) {
    const size = unitMs[unit] ?? 1;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === "" ? "0s" : text;
}

/** A moment: absolute (ms since the epoch), or so many ms after it is taken up. */
export type Moment = { readonly at: number } | { readonly forMs: number };

/**
 * A duration or an ISO 8601 / RFC 3339 timestamp. Empty text and negative durations (Go's sleep
 * until a past time) are now. Null for other text.
 */
export function parseMoment(text: string): Moment | null {
  const trimmed = text.trim();
  if (trimmed === "") return { forMs: 0 };
  if (trimmed.startsWith("-") && parseDuration(trimmed.slice(1)) !== null) return { forMs: 0 };
  const forMs = parseDuration(trimmed);
  if (forMs !== null) return { forMs };
  const at = parseTimestamp(trimmed);
  return at === null ? null : { at };
}

const timestampPattern =
  /^(\d{4}|[+-]\d{6})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|z|[+-]\d\d(?::?\d\d)?)?)?$/;

/**
 * Ms since the epoch of an ISO 8601 / RFC 3339 timestamp; without an offset it is UTC, digits below
 * the ms are dropped. Null for other text and for dates that do not exist.
 */
export function parseTimestamp(text: string): number | null {
  const match = timestampPattern.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "", zone = "Z"] =
    match;
  const ms = Number(fraction.padEnd(3, "0").slice(0, 3));
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  // A day or month out of range would have rolled over into the next.
  if (date.getUTCDate() !== Number(day) || date.getUTCMonth() !== Number(month) - 1) return null;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  date.setUTCHours(Number(hour), Number(minute), Number(second), ms);
  const at = date.getTime() - offsetMs(zone);
  return Number.isNaN(at) ? null : at;
}

function offsetMs(zone: string): number {
  if (zone === "Z" || zone === "z") return 0;
  const digits = zone.slice(1).replace(":", "").padEnd(4, "0");
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2));
  return (zone.startsWith("-") ? -minutes : minutes) * 60_000;
}
