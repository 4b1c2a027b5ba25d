import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultSettings } from "@pawl/engine/settings";
import { createMemoryStore } from "@pawl/store/memory-store";
import { createMemoryData } from "@pawl/store/memory/memory-data";
import type { Store } from "@pawl/store/store";
import { silentLog } from "./log.ts";
import { retentionPolicies, type RetentionPolicies } from "./retention-policies.ts";
import { startRuntime } from "./runtime.ts";
import {
  countingSeeds,
  returned,
  ScriptedDriver,
  sendEvents,
  syncApp,
} from "./testing/fixtures.ts";
import { HeldStore } from "./testing/held-store.ts";
import { rest, VirtualClock } from "./testing/virtual-clock.ts";

const day = 86_400_000;

async function history(
  policies: RetentionPolicies,
  wrap: (store: Store) => Store = (store) => store,
  stepSize = 6,
) {
  const data = createMemoryData();
  const clock = new VirtualClock();
  const start = () =>
    startRuntime({
      store: wrap(createMemoryStore({ data })),
      settings: defaultSettings,
      drivers: [new ScriptedDriver(() => returned(1))],
      clock,
      seeds: countingSeeds(),
      log: silentLog,
      onFatal: (error) => assert.fail(error),
      retention: { policies, stepSize },
    });
  const runtime = await start();
  await runtime.submit(syncApp(["fn"]));
  for (let n = 0; n < 10; n++) await runtime.submit(sendEvents("fn"));
  await rest();
  assert.equal(data.runs.size, 10);
  return { data, clock, runtime, start };
}

test("ended runs and their events go, step by step, once they are older than the limit", async () => {
  const { data, clock, runtime } = await history(retentionPolicies(30 * day));
  clock.jump(29 * day);
  await clock.advance(120_000);
  assert.equal(data.runs.size, 10);
  clock.jump(2 * day);
  await clock.advance(120_000);
  assert.equal(data.runs.size, 0);
  assert.equal(data.events.size, 0);
  await runtime.stop();
});

test("without a limit history stays", async () => {
  const { data, clock, runtime } = await history(retentionPolicies(null));
  clock.jump(400 * day);
  await clock.advance(120_000);
  assert.equal(data.runs.size, 10);
  await runtime.stop();
});

test("a limit by count keeps the latest runs, and spares for a minute what has just ended", async () => {
  const policies = retentionPolicies(null, { completed: { countMax: 4 }, events: { countMax: 2 } });
  const { data, clock, runtime } = await history(policies);
  await clock.advance(60_000);
  assert.equal(data.runs.size, 10);
  const latest = [...data.runs.keys()].sort().slice(-4);
  await clock.advance(120_000);
  assert.deepEqual([...data.runs.keys()].sort(), latest);
  // Events of runs that are kept are kept with them, whatever their own limit.
  assert.equal(data.events.size, 4);
  await runtime.stop();
});

test("each kind has its own limits", async () => {
  const policies = retentionPolicies(day, { completed: { ageMs: null } });
  const { data, clock, runtime } = await history(policies);
  clock.jump(9 * day);
  await clock.advance(120_000);
  assert.equal(data.runs.size, 10);
  await runtime.stop();
});

test("steps are commits of their own, and those of others go in between", async () => {
  const stores: HeldStore[] = [];
  const { data, clock, runtime } = await history(retentionPolicies(30 * day), (store) => {
    const held = new HeldStore(store);
    stores.push(held);
    return held;
  });
  const commits = stores[0]?.commits ?? [];
  clock.jump(31 * day);
  const before = commits.length;
  for (let n = 0; data.runs.size > 0 || n < 5; n++) {
    await clock.advance(n === 0 ? 60_000 : 20);
    await runtime.submit({
      type: n % 2 === 0 ? "function.paused" : "function.resumed",
      functionId: "id-fn",
    });
    if (n > 100) assert.fail("history does not go");
  }
  const kinds = commits.slice(before).map((changes) => {
    const removed = changes.filter(({ type }) => type === "run.delete").length;
    assert.ok(removed === 0 || changes.length <= 2 * 6, "a step is small");
    return removed > 0 ? "step" : "other";
  });
  const steps = kinds.flatMap((kind, index) => (kind === "step" ? [index] : []));
  assert.ok(steps.length >= 3, kinds.join());
  for (const [n, index] of steps.entries())
    if (n > 0) assert.ok(kinds.slice(steps[n - 1], index).includes("other"), kinds.join());
  await runtime.stop();
});

test("a run larger than a step goes out of sight, then in pieces, also when a server stopped in between", async () => {
  const stores: HeldStore[] = [];
  const wrap = (store: Store): Store => {
    const held = new HeldStore(store);
    stores.push(held);
    return held;
  };
  const { data, clock, runtime, start } = await history(retentionPolicies(30 * day), wrap, 1);
  clock.jump(31 * day);
  await clock.advance(60_000);
  await runtime.stop();
  // The first step retired a run; nobody sees it any more, and its output is still there.
  assert.deepEqual([data.runs.size, data.retired.size], [9, 1]);
  const again = await start();
  await clock.advance(60_000);
  assert.deepEqual([data.runs.size, data.retired.size], [9, 0]);
  await clock.advance(60_000);
  assert.deepEqual([data.runs.size, data.retired.size, data.events.size], [0, 0, 0]);
  for (const { commits } of stores)
    for (const changes of commits)
      assert.ok(changes.filter(({ type }) => /delete|retire/.test(type)).length <= 2);
  await again.stop();
});
