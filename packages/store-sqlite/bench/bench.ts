// What the SQLite store costs on this machine: run `node packages/store-sqlite/bench/bench.ts`, or
// with `--waits=1000000` for the full table of waits. Bounded to about 20 s. Prints one table; all
// commits are synced to disk. It knows the store's inside (the writer without its thread), to tell
// the writer's own CPU from the way to it.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Change } from "@pawl/engine/changes";
import { toJsonText } from "@pawl/protocol/json-text";
import {
  callSample,
  eventSample,
  hashSample,
  runSample,
  sleepSample,
  stepSample,
  ulidSample,
  waitSample,
} from "@pawl/store/contract/samples";
import { sqliteSettings } from "../src/options.ts";
import { createSqliteStore } from "../src/sqlite-store.ts";
import { openWriter } from "../src/writer.ts";

const { values } = parseArgs({ options: { waits: { type: "string", default: "100000" } } });
const waitsCount = Number(values.waits);
const data = toJsonText({
  orderId: "ord_0123456789",
  amount: 4200,
  currency: "EUR",
  note: "a small payload",
});
const rows: {
  what: string;
  "a second": number;
  "us each": string;
  "CPU us each": string;
  note: string;
}[] = [];

function folder(): string {
  return mkdtempSync(join(tmpdir(), "pawl-bench-"));
}

function report(what: string, count: number, ms: number, cpuMs: number, note = ""): void {
  rows.push({
    what,
    "a second": Math.round((count / ms) * 1000),
    "us each": ((ms / count) * 1000).toFixed(2),
    "CPU us each": cpuMs < 0 ? "-" : ((cpuMs / count) * 1000).toFixed(2),
    note,
  });
}

async function measure(work: () => Promise<void> | void): Promise<{ ms: number; cpuMs: number }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { ms, cpuMs: (user + system) / 1000 };
}

/** Batches made by `make(n)` for n from 0, of `size` items each. */
function batchesOf(
  count: number,
  size: number,
  make: (n: number) => readonly Change[],
): (readonly Change[])[] {
  const batches: (readonly Change[])[] = [];
  for (let n = 0; n < count; n += size) {
    batches.push(Array.from({ length: size }, (_, i) => make(n + i)).flat());
  }
  return batches;
}

const event = (n: number): readonly Change[] => [
  { type: "event.put", event: eventSample(n, { data }), keys: [] },
];
/** A step is done and its run's next call goes out: what W2 does most. */
const step = (n: number): readonly Change[] => {
  const runId = ulidSample(n % 100);
  const seq = Math.floor(n / 100);
  const state = { at: "leased", epoch: 1, leaseUntil: n } as const;
  return [
    {
      type: "step.put",
      runId,
      step: stepSample(seq, {
        memo: toJsonText({ type: "data", data }),
        id: hashSample(seq * 7919),
      }),
    },
    { type: "job.put", job: callSample(runId, { generation: seq, state }) },
  ];
};
const sleeper = (n: number): readonly Change[] => [
  { type: "event.put", event: eventSample(n, { data }), keys: [] },
  {
    type: "run.put",
    run: runSample(n, { status: "running", startedAt: n + 1, requestVersion: 2 }),
  },
  { type: "job.put", job: sleepSample(ulidSample(n), n * 31, 1_700_003_600_000 + n) },
];
const wait = (n: number): readonly Change[] => [
  {
    type: "wait.put",
    wait: waitSample(ulidSample(n), 1, {
      key: { path: "data.id", hash: n.toString(16).padStart(16, "0") },
    }),
  },
];

/** Through the store: main thread, postMessage, writer thread, fdatasync, back. */
async function throughStore(
  what: string,
  batches: readonly (readonly Change[])[],
  items: number,
): Promise<void> {
  const directory = folder();
  const store = createSqliteStore({ path: join(directory, "pawl.db") });
  const fence = await store.open();
  const { ms, cpuMs } = await measure(async () => {
    for (const batch of batches) await store.commit(batch, fence);
  });
  report(`${what}, store`, items, ms, cpuMs, `${(ms / batches.length).toFixed(2)} ms a commit`);
  await store.close();
  rmSync(directory, { recursive: true });
}

/** The writer alone, in this thread. */
async function writerAlone(
  what: string,
  batches: readonly (readonly Change[])[],
  items: number,
): Promise<string> {
  const directory = folder();
  const path = join(directory, "pawl.db");
  const writer = openWriter(sqliteSettings({ path }, process.pid));
  const { ms, cpuMs } = await measure(() => {
    for (const batch of batches) {
      writer.commit(batch, writer.epoch);
      writer.maintain();
    }
  });
  writer.close();
  const bytes = statSync(path).size / items;
  report(`${what}, writer`, items, ms, cpuMs, `${Math.round(bytes)} bytes each on disk`);
  return directory;
}

async function both(
  what: string,
  count: number,
  size: number,
  make: (n: number) => readonly Change[],
): Promise<void> {
  const batches = batchesOf(count, size, make);
  const items = batches.length * size;
  await throughStore(what, batches, items);
  rmSync(await writerAlone(what, batches, items), { recursive: true });
}

async function reads(): Promise<void> {
  const directory = folder();
  const store = createSqliteStore({ path: join(directory, "pawl.db") });
  const fence = await store.open();
  for (const batch of batchesOf(waitsCount, 5_000, wait)) await store.commit(batch, fence);
  for (const batch of batchesOf(20_000, 2_000, sleeper)) await store.commit(batch, fence);
  const lookUps = 5_000;
  const found = await measure(async () => {
    for (let i = 0; i < lookUps; i++) {
      const hash = ((i * 7_919) % waitsCount).toString(16).padStart(16, "0");
      await store.load([
        {
          kind: "waits",
          event: "order/paid",
          key: { path: "data.id", hash },
          after: null,
          limit: 500,
        },
      ]);
    }
  });
  report(`waits by key among ${waitsCount}`, lookUps, found.ms, found.cpuMs);
  const runs = await measure(async () => {
    for (let i = 0; i < lookUps; i++) {
      await store.load([{ kind: "run", runId: ulidSample((i * 7_919) % 20_000) }]);
    }
  });
  report("a sleeping run with its event and job", lookUps, runs.ms, runs.cpuMs);
  const timers = await measure(async () => {
    for (let i = 0; i < 200; i++)
      await store.due({ kind: "timers", until: 1_800_000_000_000, shards: null, limit: 256 });
  });
  report("256 due timers", 200, timers.ms, timers.cpuMs);
  await store.close();
  rmSync(directory, { recursive: true });
}

await both("single events, 64 a commit", 12_800, 64, event);
await both("events, 100 a commit", 40_000, 100, event);
await both("steps of 100 runs, 64 a commit", 12_800, 64, step);
await both("steps of 100 runs, 8 a commit", 3_200, 8, step);
await both("steps, 1 a commit", 500, 1, step);
await both("sleepers (event + run + job), 64 a commit", 19_200, 64, sleeper);
await reads();

console.log(
  `Node ${process.version}, SQLite ${process.versions["sqlite"]}, ${cpus().length} x ${cpus()[0]?.model ?? "?"}`,
);
console.log("WAL, synchronous=FULL. CPU of all threads of this process, checkpoints included.");
console.table(rows);
