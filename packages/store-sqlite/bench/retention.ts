// What retention costs beside a big history: run `node packages/store-sqlite/bench/retention.ts`, or with
// `--runs=50000` for less. Fills a database with ended runs, then commits small batches one after
// another, as a busy server does, once alone and once with steps of retention in between, and prints how
// long commits and steps took in ms, and what a step costs when history is a hundred times larger.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Change } from "@pawl/engine/changes";
import type { RetentionBound } from "@pawl/engine/commands";
import { toJsonText } from "@pawl/protocol/json-text";
import {
  baseTime,
  callSample,
  eventSample,
  runSample,
  stepSample,
  ulidSample,
} from "@pawl/store/contract/samples";
import type { Fence, Store } from "@pawl/store/store";
import { sqliteSettings } from "../src/options.ts";
import { createSqliteStore } from "../src/sqlite-store.ts";
import { openWriter } from "../src/writer.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "500000" },
    rounds: { type: "string", default: "300" },
  },
});
const runsCount = Number(values.runs);
const rounds = Number(values.rounds);
const batchSize = 2_000;
const stepsPerRun = 3;
const stepSize = 100;
const output = toJsonText({ text: "x".repeat(200) });

/** An event and its run, ended with a few steps and an output. */
function ended(n: number): readonly Change[] {
  const runId = ulidSample(n);
  const event = eventSample(n, { data: output });
  return [
    { type: "event.put", event, keys: [] },
    { type: "run.put", run: runSample(n, { status: "completed", endedAt: baseTime + n }) },
    ...Array.from({ length: stepsPerRun }, (_, seq): Change => {
      return { type: "step.put", runId, step: stepSample(seq, { memo: output }) };
    }),
    { type: "output.put", runId, output },
  ];
}

/** What an arriving event writes. */
function arriving(n: number): readonly Change[] {
  return [
    { type: "event.put", event: eventSample(n, { data: output }), keys: [] },
    { type: "run.put", run: runSample(n) },
    { type: "job.put", job: callSample(ulidSample(n)) },
  ];
}

async function timed(times: number[], work: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  await work();
  times.push(performance.now() - start);
}

function percentile(times: readonly number[], share: number): string {
  const sorted = times.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(2);
}

/** One step: what goes is read on this thread, as the commit loop does, and removed in one commit. */
async function step(store: Store, fence: Fence, countMax: number, reads: number[]) {
  const bounds: readonly RetentionBound[] = [
    { of: "completed", before: 0, spareFrom: baseTime * 2, countMax, bytesMax: null },
    { of: "events", before: 0, spareFrom: baseTime * 2, countMax, bytesMax: null },
  ];
  const changes: Change[] = [];
  await timed(reads, async () => {
    const [found] = await store.load([
      { kind: "expired", bounds, limit: stepSize, limitBytes: 1e9 },
    ]);
    if (found === undefined || !("runIds" in found)) return;
    changes.push(...found.runIds.map((runId) => ({ type: "run.delete", runId }) as const));
    changes.push(...found.eventIds.map((eventId) => ({ type: "event.delete", eventId }) as const));
  });
  await store.commit(changes, fence);
  return changes.length;
}

const rows: Record<string, string | number>[] = [];
for (const size of [Math.ceil(runsCount / 100), runsCount]) {
  const path = join(mkdtempSync(join(tmpdir(), "pawl-bench-")), "pawl.db");
  const writer = openWriter(sqliteSettings({ path }, process.pid));
  for (let n = 0; n < size; n += batchSize) {
    const length = Math.min(batchSize, size - n);
    writer.commit(Array.from({ length }, (_, i) => ended(n + i)).flat(), writer.epoch);
    writer.maintain();
  }
  writer.close();
  const store = createSqliteStore({ path });
  const fence = await store.open();
  let next = size;
  for (const isRetaining of [false, true]) {
    const commits: number[] = [];
    const steps: number[] = [];
    const reads: number[] = [];
    let removed = 0;
    for (let round = 0; round < rounds; round++) {
      const batch = Array.from({ length: 16 }, () => arriving(next++)).flat();
      // A step is under way when the commit comes: it waits for that, and never for more.
      const isDue = isRetaining && round % 4 === 0;
      const stepping = isDue
        ? timed(steps, async () => (removed += await step(store, fence, size / 2, reads)))
        : null;
      await timed(commits, () => store.commit(batch, fence));
      await stepping;
    }
    rows.push({
      "ended runs": size,
      retention: isRetaining ? "on" : "off",
      "commit p50": percentile(commits, 0.5),
      "commit p99": percentile(commits, 0.99),
      "step p50": percentile(steps, 0.5),
      "step p99": percentile(steps, 0.99),
      "choose p50": percentile(reads, 0.5),
      "choose p99": percentile(reads, 0.99),
      removed,
    });
  }
  await store.close();
  rmSync(join(path, ".."), { recursive: true });
}
console.table(rows);
