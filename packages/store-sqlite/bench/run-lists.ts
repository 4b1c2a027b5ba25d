// What lists of runs cost with much history: run `node packages/store-sqlite/bench/run-lists.ts`,
// or with `--runs=100000` for less. Fills a database, asks for each documented filter what a page
// and a count cost, and prints p50 and p95 in ms. It fails when a p95 is above the promise.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { RunStatus } from "@pawl/engine/records";
import { encodeUlid } from "@pawl/protocol/ulid";
import { baseTime, runSample } from "@pawl/store/contract/samples";
import { everyRun } from "@pawl/store/run-filter";
import type { RunFilter, RunPosition } from "@pawl/store/store";
import { sqliteSettings } from "../src/options.ts";
import { createSqliteStore } from "../src/sqlite-store.ts";
import { openWriter } from "../src/writer.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "20" },
  },
});
const runsCount = Number(values.runs);
const rounds = Number(values.rounds);
const promiseMs = 200;
const batchSize = 5_000;
const functionsCount = 50;
const appsCount = 5;
/** A run each 60 ms: a million runs are 16 hours. */
const spacingMs = 60;

/** One run in a hundred failed, one in a thousand is open or cancelled. */
function statusOf(n: number): RunStatus {
  if (n % 1_000 === 1) return "running";
  if (n % 1_000 === 2) return "queued";
  if (n % 1_000 === 3) return "cancelled";
  return n % 100 === 0 ? "failed" : "completed";
}

/** The first functions run often, the last ones rarely. */
function functionOf(n: number): number {
  return n % 5_000 === 7 ? functionsCount - 1 : (n * 5) % (functionsCount - 1);
}

function run(n: number) {
  const status = statusOf(n);
  const fn = functionOf(n);
  const queuedAt = baseTime + n * spacingMs;
  const hasStarted = status !== "queued";
  return runSample(n, {
    id: encodeUlid(queuedAt, 0, 0, n),
    status,
    functionId: `function-${fn}`,
    appId: `app-${fn % appsCount}`,
    queuedAt,
    startedAt: hasStarted ? queuedAt + 20 : null,
    endedAt: hasStarted && status !== "running" ? queuedAt + 500 + (n % 10_000) : null,
    requestVersion: 2,
  });
}

const path = join(mkdtempSync(join(tmpdir(), "pawl-bench-")), "pawl.db");
const writer = openWriter(sqliteSettings({ path }, process.pid));
const fillStart = performance.now();
for (let n = 0; n < runsCount; n += batchSize) {
  const changes = Array.from({ length: Math.min(batchSize, runsCount - n) }, (_, i) => ({
    type: "run.put" as const,
    run: run(n + i),
  }));
  writer.commit(changes, writer.epoch);
  writer.maintain();
}
writer.close();
console.log(`${runsCount} runs written in ${Math.round(performance.now() - fillStart)} ms`);

const end = baseTime + runsCount * spacingMs;
const old = { from: baseTime, until: baseTime + 3_600_000 };
const middle = { from: baseTime + (end - baseTime) / 4, until: end - (end - baseTime) / 4 };
const filters: Readonly<Record<string, Partial<RunFilter>>> = {
  everything: {},
  "status completed": { statuses: ["completed"] },
  "status failed": { statuses: ["failed"] },
  "status running, queued": { statuses: ["running", "queued"] },
  "one function": { functionIds: ["function-3"] },
  "a rare function": { functionIds: [`function-${functionsCount - 1}`] },
  "rare function, failed": {
    functionIds: [`function-${functionsCount - 1}`],
    statuses: ["failed"],
  },
  "ten functions": { functionIds: Array.from({ length: 10 }, (_, i) => `function-${i}`) },
  "one app": { appIds: ["app-2"] },
  "an app without runs": { appIds: ["app-9"] },
  "app and status": { appIds: ["app-2"], statuses: ["failed"] },
  "app and function": { appIds: ["app-3"], functionIds: ["function-3"] },
  "queued: first hour": old,
  "queued: middle half": middle,
  "queued: first hour, failed, function": {
    ...old,
    statuses: ["failed"],
    functionIds: ["function-3"],
  },
  "started: first hour": { by: "startedAt", ...old },
  "started: middle half, rare function": {
    by: "startedAt",
    ...middle,
    functionIds: [`function-${functionsCount - 1}`],
  },
  "started: all, app, failed": { by: "startedAt", appIds: ["app-2"], statuses: ["failed"] },
  "ended: middle half": { by: "endedAt", ...middle },
  "ended: all, rare function": { by: "endedAt", functionIds: [`function-${functionsCount - 1}`] },
  "ended: all, no match": { by: "endedAt", appIds: ["app-9"] },
};

const store = createSqliteStore({ path });
await store.open();

function percentile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const rows: Record<string, string | number>[] = [];
let worst = 0;
for (const [name, part] of Object.entries(filters)) {
  const filter: RunFilter = { ...everyRun, ...part };
  const pages: number[] = [];
  const counts: number[] = [];
  let behind: RunPosition | null = null;
  const cpu = process.cpuUsage();
  for (let round = 0; round < rounds; round++) {
    // Every other page is the one behind the page before.
    if (round % 2 === 0) behind = null;
    const query = { type: "runs", filter, behind, oldestFirst: false, limit: 40 } as const;
    let last: RunPosition | null = null;
    pages.push(
      await timed(async () => {
        const run = (await store.list(query)).at(-1);
        if (run === undefined) return;
        last = { at: filter.by === "queuedAt" ? 0 : (run[filter.by] ?? 0), runId: run.id };
      }),
    );
    behind = last;
    counts.push(await timed(() => store.list({ type: "runCount", filter })));
  }
  const { user, system } = process.cpuUsage(cpu);
  worst = Math.max(worst, percentile(pages, 0.95), percentile(counts, 0.95));
  rows.push({
    filter: name,
    matches: await store.list({ type: "runCount", filter }),
    "page p50": percentile(pages, 0.5).toFixed(1),
    "page p95": percentile(pages, 0.95).toFixed(1),
    "count p50": percentile(counts, 0.5).toFixed(1),
    "count p95": percentile(counts, 0.95).toFixed(1),
    "CPU both": ((user + system) / 1_000 / rounds).toFixed(1),
  });
}
console.table(rows);
await store.close();
rmSync(join(path, ".."), { recursive: true });
console.log(`worst p95: ${worst.toFixed(1)} ms (promised: ${promiseMs} ms)`);
process.exitCode = worst > promiseMs ? 1 : 0;
