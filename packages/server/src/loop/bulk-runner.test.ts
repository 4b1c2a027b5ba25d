// Bulk actions over the real loop: all runs, once each, in pages, across processes.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { BulkRecord, RunSelection } from "@pawl/engine/bulk-records";
import { defaultSettings } from "@pawl/engine/settings";
import { createMemoryStore } from "@pawl/store/memory-store";
import { createMemoryData, type MemoryData } from "@pawl/store/memory/memory-data";
import { silentLog } from "./log.ts";
import { retentionPolicies } from "./retention-policies.ts";
import { startRuntime, type Runtime } from "./runtime.ts";
import { countingSeeds, event, returned, ScriptedDriver, syncApp } from "./testing/fixtures.ts";
import { rest, VirtualClock } from "./testing/virtual-clock.ts";

const bulkId = "01BVLK00000000000000000000";

const everyUnfinished: RunSelection = {
  functionIds: null,
  appIds: null,
  statuses: ["queued", "running"],
  from: null,
  until: null,
  expression: null,
};
const everyCompleted: RunSelection = { ...everyUnfinished, statuses: ["completed"] };

interface Boot {
  readonly data?: MemoryData;
  readonly clock?: VirtualClock;
  /** False: calls are never answered. */
  readonly answers?: boolean;
  readonly failAfter?: (types: ReadonlySet<string>) => boolean;
  readonly pageSize?: number;
}

async function boot(options: Boot = {}) {
  const data = options.data ?? createMemoryData();
  const clock = options.clock ?? new VirtualClock();
  const driver = new ScriptedDriver(() =>
    options.answers === false ? new Promise(() => undefined) : returned(1),
  );
  const died: unknown[] = [];
  const runtime = await startRuntime({
    store: createMemoryStore({
      data,
      onCommit: (changes, when) => {
        const types = new Set(changes.map(({ type }) => type));
        if (when === "after" && options.failAfter?.(types) === true) throw new Error("power cut");
      },
    }),
    settings: defaultSettings,
    drivers: [driver],
    clock,
    seeds: countingSeeds(),
    log: silentLog,
    onFatal: (error) => died.push(error),
    retention: { policies: retentionPolicies(null) },
    bulkLimits: { pageSize: options.pageSize ?? 4, atOnce: 2, keepMs: null },
  });
  return { data, clock, runtime };
}

async function sendMany(runtime: Runtime, clock: VirtualClock, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const events = [event("fn", { n })];
    await runtime.submit({ type: "events.received", events, resendable: false });
  }
  await rest();
  // Runs of this very ms would not be among those before now.
  clock.jump(1);
}

async function create(runtime: Runtime, kind: BulkRecord["kind"], selection: RunSelection) {
  await runtime.submit({ type: "bulk.created", bulk: { id: bulkId, kind, selection } });
}

function bulkOf(data: MemoryData): BulkRecord {
  const bulk = data.bulks.get(bulkId);
  assert.ok(bulk);
  return bulk;
}

function statuses(data: MemoryData): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { run } of data.runs.values()) {
    const status = run?.status ?? "";
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

test("all runs that are meant are cancelled, page by page, and counted", async () => {
  const { data, clock, runtime } = await boot({ answers: false });
  await runtime.submit(syncApp(["fn", "other"]));
  await sendMany(runtime, clock, 10);
  const other = { type: "events.received", events: [event("other")], resendable: false } as const;
  await runtime.submit(other);
  await create(runtime, "cancel", { ...everyUnfinished, functionIds: ["id-fn"] });
  await clock.advance(10);
  assert.equal(bulkOf(data).done, 4);
  await clock.advance(1_000);
  const { state, examined, matched, done, failed, problem } = bulkOf(data);
  assert.deepEqual(
    { state, examined, matched, done, failed, problem },
    { state: "completed", examined: 10, matched: 10, done: 10, failed: 0, problem: null },
  );
  assert.deepEqual(statuses(data), { cancelled: 10, running: 1 });
  await runtime.stop();
});

test("an expression over event, output and error chooses", async () => {
  const { data, clock, runtime } = await boot();
  await runtime.submit(syncApp(["fn"]));
  await sendMany(runtime, clock, 10);
  const expression = "event.data.n >= 7 && output == 1 && error == null";
  await create(runtime, "rerun", { ...everyCompleted, until: clock.now(), expression });
  await clock.advance(2_000);
  const { examined, matched, done } = bulkOf(data);
  assert.deepEqual({ examined, matched, done }, { examined: 10, matched: 3, done: 3 });
  assert.equal(statuses(data)["completed"], 13);
  await runtime.stop();
});

test("what cannot be done is counted with the reason", async () => {
  const { data, clock, runtime } = await boot();
  await runtime.submit(syncApp(["fn"]));
  await sendMany(runtime, clock, 3);
  await runtime.submit({ type: "app.removed", appId: "app-1" });
  await create(runtime, "rerun", { ...everyCompleted, until: clock.now() });
  await clock.advance(1_000);
  assert.equal(bulkOf(data).failed, 3);
  assert.match(bulkOf(data).problem ?? "", /No function/);
  await runtime.stop();
});

test("stopped: no further page is begun", async () => {
  const { data, clock, runtime } = await boot({ answers: false });
  await runtime.submit(syncApp(["fn"]));
  await sendMany(runtime, clock, 10);
  await create(runtime, "cancel", everyUnfinished);
  await clock.advance(10);
  await runtime.submit({ type: "bulk.stopped", bulkId });
  await clock.advance(5_000);
  assert.deepEqual(statuses(data), { cancelled: 4, running: 6 });
  assert.equal(bulkOf(data).state, "stopped");
  await runtime.stop();
});

for (const kind of ["cancel", "rerun"] as const) {
  test(`${kind}: whichever commit a process dies behind, the next one goes on and does nothing twice`, async () => {
    for (let death = 1; death <= 16; death++) {
      const answers = kind === "rerun";
      const first = await boot({ answers, pageSize: 3 });
      await first.runtime.submit(syncApp(["fn"]));
      await sendMany(first.runtime, first.clock, 8);
      await first.runtime.stop();
      let commits = 0;
      const { data, clock } = first;
      const dying = await boot({
        data,
        clock,
        answers,
        pageSize: 3,
        failAfter: () => ++commits >= death,
      });
      const selection =
        kind === "cancel" ? everyUnfinished : { ...everyCompleted, until: clock.now() };
      await create(dying.runtime, kind, selection).catch(() => undefined);
      await clock.advance(1_000);
      await dying.runtime.stop();
      const next = await boot({ data, clock, answers, pageSize: 3 });
      if (!data.bulks.has(bulkId)) await create(next.runtime, kind, selection);
      await clock.advance(10_000);
      const { state, matched, done, failed } = bulkOf(data);
      assert.deepEqual(
        { state, matched, done, failed },
        { state: "completed", matched: 8, done: 8, failed: 0 },
      );
      const expected = kind === "cancel" ? { cancelled: 8 } : { completed: 16 };
      assert.deepEqual(statuses(data), expected, `death behind commit ${String(death)}`);
      await next.runtime.stop();
    }
  });
}

test("ended actions are forgotten with the rest of history", async () => {
  const data = createMemoryData();
  const clock = new VirtualClock();
  const runtime = await startRuntime({
    store: createMemoryStore({ data }),
    settings: defaultSettings,
    drivers: [],
    clock,
    seeds: countingSeeds(),
    log: silentLog,
    onFatal: (error) => assert.fail(error),
    retention: { policies: retentionPolicies(60_000) },
  });
  await create(runtime, "cancel", everyUnfinished);
  await clock.advance(1_000);
  assert.equal(bulkOf(data).state, "completed");
  clock.jump(120_000);
  const later = {
    id: "01BVLK00000000000000000001",
    kind: "cancel",
    selection: everyUnfinished,
  } as const;
  await runtime.submit({ type: "bulk.created", bulk: later });
  await clock.advance(1_000);
  assert.deepEqual([...data.bulks.keys()], [later.id]);
  await runtime.stop();
});
