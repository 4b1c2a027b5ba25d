// The measurements behind decisions/001-sqlite-threads.md: what a batch costs on its way to the
// writer's thread in different forms, and what a keyed read costs here and in a thread, while the
// writer is idle and while it commits. Run `node packages/store-sqlite/bench/threads.ts` (~10 s).
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import type { Change } from "@pawl/engine/changes";
import type { Need } from "@pawl/engine/needs";
import { toJsonText } from "@pawl/protocol/json-text";
import {
  callSample,
  eventSample,
  hashSample,
  runSample,
  sleepSample,
  stepSample,
  ulidSample,
} from "@pawl/store/contract/samples";
import { openForReading } from "../src/connection.ts";
import { Loader } from "../src/read/load.ts";
import { createSqliteStore } from "../src/sqlite-store.ts";
import { WordReader } from "../src/words.ts";

type Request =
  | { readonly type: "objects"; readonly changes: readonly Change[] }
  | { readonly type: "json"; readonly text: string }
  | { readonly type: "load"; readonly needs: readonly Need[] };

/** The far side: takes a message apart as the writer would, or answers a read. */
function serve(): void {
  const path = workerData as string; // proof: passed below
  const database = openForReading(path, 16 * 1024 * 1024);
  const loader = new Loader(database, new WordReader(database));
  parentPort?.on("message", (request: Request) => {
    const start = process.threadCpuUsage();
    let answer: unknown = null;
    if (request.type === "json") JSON.parse(request.text);
    else if (request.type === "load") answer = loader.load(request.needs);
    else void request.changes.length;
    const { user, system } = process.threadCpuUsage(start);
    parentPort?.postMessage({ answer, cpu: user + system });
  });
}

const data = toJsonText({
  orderId: "ord_0123456789",
  amount: 4200,
  currency: "EUR",
  note: "a small payload",
});
const runsCount = 20_000;

function stepBatch(size: number): readonly Change[] {
  return Array.from({ length: size }, (_, n): readonly Change[] => [
    {
      type: "step.put",
      runId: ulidSample(n),
      step: stepSample(0, { memo: data, id: hashSample(n) }),
    },
    {
      type: "job.put",
      job: callSample(ulidSample(n), { state: { at: "leased", epoch: 1, leaseUntil: n } }),
    },
  ]).flat();
}

class Far {
  readonly #worker: Worker;
  #resolve: (value: unknown) => void = () => {};

  constructor(path: string) {
    this.#worker = new Worker(new URL(import.meta.url), { workerData: path });
    this.#worker.on("message", (value) => this.#resolve(value));
  }

  async ask(request: Request): Promise<unknown> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#worker.postMessage(request);
    });
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

const table: Record<string, string>[] = [];

async function transport(far: Far): Promise<void> {
  for (const size of [8, 64, 256]) {
    const changes = stepBatch(size);
    for (const form of ["objects", "json"] as const) {
      const rounds = 20_000 / size;
      const start = performance.now();
      const cpu = process.threadCpuUsage();
      const all = process.cpuUsage();
      for (let i = 0; i < rounds; i++) {
        await far.ask(
          form === "objects"
            ? { type: "objects", changes }
            : { type: "json", text: JSON.stringify(changes) },
        );
      }
      const here = process.threadCpuUsage(cpu);
      const both = process.cpuUsage(all);
      table.push({
        what: `a batch of ${changes.length} changes as ${form}`,
        "us to and fro": ((1000 * (performance.now() - start)) / rounds).toFixed(0),
        "us CPU here": ((here.user + here.system) / rounds).toFixed(0),
        "us CPU of both": ((both.user + both.system) / rounds).toFixed(0),
      });
    }
  }
}

async function reads(
  what: string,
  read: (needs: readonly Need[]) => Promise<unknown>,
): Promise<void> {
  const rounds = 3_000;
  const took: number[] = [];
  const cpu = process.threadCpuUsage();
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    await read([{ kind: "run", runId: ulidSample((i * 7_919) % runsCount) }]);
    took.push(performance.now() - start);
    if (i % 50 === 0) await nextTurn();
  }
  const { user, system } = process.threadCpuUsage(cpu);
  const sorted = took.toSorted((a, b) => a - b);
  const quantile = (q: number): string => (1000 * (sorted[Math.floor(q * rounds)] ?? 0)).toFixed(0);
  table.push({
    what,
    "us p50": quantile(0.5),
    "us p99": quantile(0.99),
    "us CPU here": ((user + system) / rounds).toFixed(0),
  });
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "pawl-threads-"));
  const path = join(folder, "pawl.db");
  const store = createSqliteStore({ path });
  const fence = await store.open();
  for (let n = 0; n < runsCount; n += 500) {
    const changes = Array.from({ length: 500 }, (_, i): readonly Change[] => [
      { type: "event.put", event: eventSample(n + i, { data }), keys: [] },
      { type: "run.put", run: runSample(n + i) },
      { type: "job.put", job: sleepSample(ulidSample(n + i), 1, n) },
    ]).flat();
    await store.commit(changes, fence);
  }
  const far = new Far(path);
  await transport(far);
  for (const busy of [false, true]) {
    let isOver = !busy;
    const writing = (async () => {
      for (let i = 0; !isOver; i++) await store.commit(stepBatch(64), fence);
    })();
    const suffix = busy ? ", writer busy" : ", writer idle";
    await reads(`load a run, in this thread${suffix}`, (needs) => store.load(needs));
    await reads(`load a run, in a thread of its own${suffix}`, (needs) =>
      far.ask({ type: "load", needs }),
    );
    isOver = true;
    await writing;
  }
  await far.stop();
  await store.close();
  rmSync(folder, { recursive: true });
  console.table(table);
}

if (isMainThread) await main();
else serve();
