import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultSettings } from "@pawl/engine/settings";
import { createMemoryStore } from "@pawl/store/memory-store";
import { createMemoryData } from "@pawl/store/memory/memory-data";
import { silentLog } from "./log.ts";
import { startRuntime } from "./runtime.ts";
import {
  countingSeeds,
  returned,
  ScriptedDriver,
  sendEvents,
  syncApp,
} from "./testing/fixtures.ts";
import { rest, VirtualClock } from "./testing/virtual-clock.ts";

const day = 86_400_000;

async function history(keepMs: number | null) {
  const data = createMemoryData();
  const clock = new VirtualClock();
  const runtime = await startRuntime({
    store: createMemoryStore({ data }),
    settings: defaultSettings,
    drivers: [new ScriptedDriver(() => returned(1))],
    clock,
    seeds: countingSeeds(),
    log: silentLog,
    onFatal: (error) => assert.fail(error),
    retention: { keepMs, stepSize: 3 },
  });
  await runtime.submit(syncApp(["fn"]));
  for (let n = 0; n < 10; n++) await runtime.submit(sendEvents("fn"));
  await rest();
  assert.equal(data.runs.size, 10);
  return { data, clock, runtime };
}

test("ended runs and their events go, step by step, once they are older than the limit", async () => {
  const { data, clock, runtime } = await history(30 * day);
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
  const { data, clock, runtime } = await history(null);
  clock.jump(400 * day);
  await clock.advance(120_000);
  assert.equal(data.runs.size, 10);
  await runtime.stop();
});
