// Replaces what differs from one recording to the next (ports, times, stack traces, folders) by
// fixed values of the same shape, in the text itself, so that everything else stays as it was
// sent. It must not parse and re-serialise whole bodies.

/** The addresses that stand in fixtures for the recorder's and the app's real ones. */
export const serverOrigin = "http://127.0.0.1:8288";
export const appOrigin = "http://127.0.0.1:3000";

const fixedMs = "1800000000000";
const fixedSeed = `${fixedMs},AQIDBAUGBwgJCg==`;
const fixedInstant = "2027-01-15T08:00:00";
const windowMs = 2 * 24 * 3_600_000;

const dropped = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "date",
  "host",
  "keep-alive",
  "server",
  "transfer-encoding",
]);

function nearNow(ms: number): boolean {
  return Math.abs(ms - Date.now()) < windowMs;
}

/** Times near the recording: epoch numbers of any unit, and ISO texts of any precision. */
function fixTimes(text: string): string {
  return text
    .replace(/\b1\d{9}(?:\d{3}){0,3}\b/g, (digits) =>
      nearNow(Number(digits.slice(0, 13).padEnd(13, "0")))
        ? fixedMs.slice(0, digits.length).padEnd(digits.length, "0")
        : digits,
    )
    .replace(
      /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?/g,
      (instant, fraction: string | undefined, zone: string | undefined) =>
        nearNow(Date.parse(instant))
          ? fixedInstant + fixFraction(fraction ?? "") + (zone ?? "")
          : instant,
    )
    .replace(/59m59\.9\d*s|59m59s\d+ms[\dµnus]*/g, (time) =>
      time.replace(/(?<=59.?59[.s]).*/g, (tail) => tail.replace(/\d/g, "9")),
    );
}

/** Go drops the zeros at the end of ns. */
function fixFraction(fraction: string): string {
  return fraction.length > ".123456".length ? ".555555555" : fraction.replace(/\d/g, "5");
}

/** Durations that were measured: of HTTP phases (there or not, so always not), and of steps. */
function fixDurations(text: string): string {
  return text
    .replace(/;dur=[\d.]+/g, "")
    .replace(/("timing":\s*\{"a":\s*[1-9]\d*,\s*"b":\s*)[\d.]+/g, "$11000");
}

/** Keeps the message and two frames of a stack, without the folders of this machine. */
function fixStack(stack: string): string {
  const lines = stack
    .replace(
      /(?:file:\/\/)?\/[\w./@-]*\/(?=(?:node_modules|site-packages|record|src|pkg)\/)/g,
      "/app/",
    )
    .replace(/:\d+:\d+/g, ":1:1")
    .replace(/, line \d+/g, ", line 1")
    .replace(/\.go:\d+( \+0x[0-9a-f]+)?/g, ".go:1")
    .replace(/0x[0-9a-f]+\??/g, "0x1")
    .replace(/goroutine \d+/g, "goroutine 1")
    .split("\n");
  return lines.length <= 5 ? lines.join("\n") : [...lines.slice(0, 4), lines.at(-1)].join("\n");
}

/** Rewrites the string values of one member name, re-encoding only those that change. */
function rewriteMember(text: string, member: string, rewrite: (value: string) => string): string {
  const pattern = new RegExp(`("${member}":\\s*)("(?:[^"\\\\]|\\\\.)*")`, "g");
  return text.replace(pattern, (whole, head: string, literal: string) => {
    const value: unknown = JSON.parse(literal);
    if (typeof value !== "string") return whole;
    const rewritten = rewrite(value);
    return rewritten === value ? whole : head + JSON.stringify(rewritten);
  });
}

/**
 * Sorts the functions of a registration by their texts: the Go SDK sends them in the order of a
 * hash map, which differs each time.
 */
export function sortFunctions(text: string): string {
  const head = /"functions":\s*\[/.exec(text);
  if (head === null) return text;
  const start = head.index + head[0].length;
  const items: string[] = [];
  let depth = 0;
  let from = start;
  const token = /"(?:[^"\\]|\\.)*"|[[\]{}]/g;
  token.lastIndex = start;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    if (found[0] === "{" || found[0] === "[") {
      if (depth === 0) from = found.index;
      depth += 1;
    } else if (found[0] === "}" || found[0] === "]") {
      depth -= 1;
      if (depth === 0) items.push(text.slice(from, found.index + 1));
      if (depth < 0)
        return text.slice(0, start) + items.toSorted().join(",") + text.slice(found.index);
    }
  }
  return text;
}

export interface Origins {
  readonly server: string;
  readonly app: string;
}

/** A body or path with the volatile parts fixed. Bodies may be JSON or plain text. */
export function normaliseText(text: string, origins: Origins): string {
  let fixed = text
    .replaceAll(origins.server, serverOrigin)
    .replaceAll(origins.app, appOrigin)
    .replaceAll(encodeURIComponent(origins.app), encodeURIComponent(appOrigin));
  fixed = rewriteMember(fixed, "stack", fixStack);
  fixed = rewriteMember(fixed, "message", (message) =>
    /stack:\n|\n    at /.test(message) ? fixStack(message) : message,
  );
  fixed = rewriteMember(fixed, "body", (body) => normaliseText(body, origins));
  return fixDurations(fixTimes(fixed));
}

/**
 * Headers with lower-case names, without those of the connection, volatile parts fixed. Signatures
 * stay as they are: a fixture whose body needs no fixing can still be verified.
 */
export function normaliseHeaders(
  headers: Iterable<readonly [string, string]>,
  origins: Origins,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    if (dropped.has(key)) continue;
    if (key === "x-inngest-signature") kept[key] = value;
    else if (key === "x-inngest-event-id-seed") kept[key] = fixedSeed;
    else kept[key] = normaliseText(value, origins);
  }
  return kept;
}
