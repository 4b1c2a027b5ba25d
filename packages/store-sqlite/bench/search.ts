// What searches by expression cost with much history: run `node packages/store-sqlite/bench/search.ts`,
// or with `--events=100000` for less. Fills a database with events, asks for pages by an indexed path
// and by others, and prints p50 and p95 in ms, how many records a page looked at, and how many a second.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { eventValue } from "@pawl/engine/event-value";
import { eventKeys } from "@pawl/engine/waits/key";
import { toJsonText } from "@pawl/protocol/json-text";
import { encodeUlid } from "@pawl/protocol/ulid";
import { baseTime, eventSample, runSample } from "@pawl/store/contract/samples";
import { everyRun } from "@pawl/store/run-filter";
import { sqliteSettings } from "../src/options.ts";
import { createSqliteStore } from "../src/sqlite-store.ts";
import { openWriter } from "../src/writer.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "40" },
  },
});
const eventsCount = Number(values.events);
const rounds = Number(values.rounds);
const batchSize = 5_000;
const paths = ["data.orderId"];
const spacingMs = 60;

/** Ten names; each order has ten events of each kind, far apart; one event in ten starts a run. */
const ordersCount = Math.max(1, Math.floor(eventsCount / 100));
function event(n: number) {
  const data = {
    orderId: `o-${n % ordersCount}`,
    total: n % 997,
    lines: [{ sku: "abc", n: 2 }],
    note: "x".repeat(100),
  };
  const at = baseTime + n * spacingMs;
  return eventSample(n, {
    id: encodeUlid(at, 0, 0, n),
    name: `order/${Math.floor(n / ordersCount) % 10}`,
    receivedAt: at,
    data: toJsonText(data),
  });
}

const path = join(mkdtempSync(join(tmpdir(), "pawl-bench-")), "pawl.db");
const writer = openWriter(sqliteSettings({ path }, process.pid));
const fillStart = performance.now();
writer.commit(
  Array.from({ length: 10 }, (_, n) => ({
    type: "waitPath.put" as const,
    waitPath: { event: `order/${n}`, path: "data.orderId", since: baseTime - 1, waits: false },
  })),
  writer.epoch,
);
for (let n = 0; n < eventsCount; n += batchSize) {
  const events = Array.from({ length: Math.min(batchSize, eventsCount - n) }, (_, i) =>
    event(n + i),
  );
  const puts = events.map((one) => {
    return { type: "event.put", event: one, keys: eventKeys(eventValue(one), paths) } as const;
  });
  const runs = events
    .filter((_, i) => i % 10 === 0)
    .map((one) => {
      const run = runSample(0, {
        id: one.id,
        eventIds: [one.id],
        status: "completed",
        endedAt: one.receivedAt,
      });
      return { type: "run.put", run } as const;
    });
  writer.commit([...puts, ...runs], writer.epoch);
  writer.maintain();
}
writer.close();
console.log(`${eventsCount} events written in ${Math.round(performance.now() - fillStart)} ms`);

const store = createSqliteStore({ path });
await store.open();

function percentile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

const limits = { at: baseTime, limit: 20, scanMax: 10_000 } as const;
const whole = { receivedFrom: null, receivedUntil: null } as const;

async function searchEvents(expression: string, before: string | null) {
  return store.list({ type: "searchEvents", name: null, before, ...whole, ...limits, expression });
}

async function searchRuns(expression: string, behind: string | null) {
  const place = behind === null ? null : { at: 0, runId: behind };
  const base = { type: "searchRuns", filter: everyRun, oldestFirst: false, ...limits } as const;
  const { next, ...rest } = await store.list({ ...base, behind: place, expression });
  return { ...rest, next: next?.runId ?? null };
}

const order = (n: number): string => `o-${(n * 7_919) % ordersCount}`;
const searches = {
  "events: indexed path": [
    searchEvents,
    (n) => `event.name == "order/${n % 10}" && event.data.orderId == "${order(n)}"`,
  ],
  "events: indexed path, more": [
    searchEvents,
    (n) =>
      `event.name == "order/3" && event.data.orderId == "${order(n)}" && event.data.total > 500`,
  ],
  "events: scan by name": [searchEvents, () => 'event.name == "order/3" && event.data.total == -1'],
  "events: scan": [searchEvents, () => "event.data.lines.exists(line, line.n > 5)"],
  "events: scan, found soon": [searchEvents, () => "event.data.total % 10.0 == 0.0"],
  "runs: indexed path": [
    searchRuns,
    (n) => `event.name == "order/${n % 10}" && event.data.orderId == "${order(n)}"`,
  ],
  "runs: scan by event": [searchRuns, () => "event.data.total == -1"],
} as const satisfies Record<
  string,
  readonly [typeof searchEvents | typeof searchRuns, (n: number) => string]
>;

// The thread that answers starts with the first question.
await searchEvents("false", null);
const rows: Record<string, string | number>[] = [];
for (const [name, [search, expression]] of Object.entries(searches)) {
  const times: number[] = [];
  let scanned = 0;
  let found = 0;
  let place: string | null = null;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    const page: Awaited<ReturnType<typeof search>> = await search(
      expression(round),
      name.includes("indexed") ? null : place,
    );
    times.push(performance.now() - start);
    scanned += page.scanned;
    found += page.found.length;
    place = page.next;
  }
  const seconds = times.reduce((sum, time) => sum + time, 0) / 1_000;
  rows.push({
    search: name,
    "page p50": percentile(times, 0.5).toFixed(1),
    "page p95": percentile(times, 0.95).toFixed(1),
    "found/page": (found / rounds).toFixed(1),
    "looked at/page": Math.round(scanned / rounds),
    "looked at/s": Math.round(scanned / seconds),
  });
}
console.table(rows);
await store.close();
rmSync(join(path, ".."), { recursive: true });
