import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultSettings, type Settings } from "@pawl/engine/settings";
import type { Trigger } from "@pawl/engine/records";
import { createMemoryStore } from "@pawl/store/memory-store";
import { createMemoryData, type MemoryData } from "@pawl/store/memory/memory-data";
import { silentLog } from "./log.ts";
import { startRuntime, type Runtime } from "./runtime.ts";
import { countingSeeds, returned, ScriptedDriver, syncApp } from "./testing/fixtures.ts";
import { HeldStore } from "./testing/held-store.ts";
import { rest, VirtualClock } from "./testing/virtual-clock.ts";

const minute = 60_000;
const hour = 60 * minute;
/** Midnight, so that a tick is due. */
const midnight = Date.UTC(2026, 0, 1);

function hourly(cron = "0 * * * *"): ReturnType<typeof syncApp> {
  const triggers: readonly Trigger[] = [{ kind: "cron", cron }];
  return syncApp(["f"], { triggers });
}

/** A server over a database that others may have used before. */
async function boot(data: MemoryData, clock: VirtualClock, settings: Partial<Settings> = {}) {
  const store = new HeldStore(createMemoryStore({ data }));
  const runtime = await startRuntime({
    store,
    settings: { ...defaultSettings, ...settings },
    drivers: [new ScriptedDriver(() => returned(null))],
    clock,
    seeds: countingSeeds(),
    log: silentLog,
    onFatal: (error) => assert.fail(error),
    timerLimits: { tickMs: minute / 2 },
  });
  await runtime.recovered;
  await clock.advance(0);
  return { runtime, store };
}

/** The ticks that started the function, by the times of their events, oldest first. */
async function started(runtime: Runtime): Promise<number[]> {
  const query = {
    type: "events",
    name: "inngest/scheduled.timer",
    receivedFrom: null,
    receivedUntil: null,
    before: null,
    limit: 1_000,
  } as const;
  const events = await runtime.store.list<"events">(query);
  const runs = await Promise.all(
    events.map(({ id }) => {
      const runsOf = { type: "runsOfEvent", eventId: id, limit: 9 } as const;
      return runtime.store.list<"runsOfEvent">(runsOf);
    }),
  );
  assert.ok(
    runs.every(({ length }) => length === 1),
    "each tick has its run",
  );
  return events.map((event) => event.ts - midnight).toReversed();
}

const hours = (...numbers: number[]): number[] => numbers.map((number) => number * hour);

test("a schedule ticks on and on, at its times", async () => {
  const clock = new VirtualClock(midnight);
  const { runtime } = await boot(createMemoryData(), clock);
  await runtime.submit(hourly());
  await clock.advance(hour - 1);
  assert.deepEqual(await started(runtime), []);
  await clock.advance(1);
  assert.deepEqual(await started(runtime), hours(1));
  await clock.advance(3 * hour);
  assert.deepEqual(await started(runtime), hours(1, 2, 3, 4));
  await runtime.stop();
});

test("across restarts no tick is lost and none comes twice", async () => {
  const data = createMemoryData();
  const clock = new VirtualClock(midnight);
  let { runtime } = await boot(data, clock);
  await runtime.submit(hourly());
  // Down before, at, and after ticks, for less than the time between two.
  for (const ms of [hour / 2, hour / 2, 1, hour - 2, 1, hour, 0, hour + minute]) {
    await runtime.stop();
    await clock.advance(ms / 2);
    ({ runtime } = await boot(data, clock));
    await clock.advance(ms - ms / 2);
  }
  await clock.advance(minute);
  assert.deepEqual(await started(runtime), hours(1, 2, 3, 4));
  await runtime.stop();
});

test("ticks that were missed while the server was down are made up for by one run", async () => {
  const data = createMemoryData();
  const clock = new VirtualClock(midnight);
  const first = await boot(data, clock);
  await first.runtime.submit(hourly());
  await first.runtime.stop();
  clock.jump(5 * hour + minute);
  const second = await boot(data, clock);
  assert.deepEqual(await started(second.runtime), hours(5));
  await clock.advance(hour);
  assert.deepEqual(await started(second.runtime), hours(5, 6));
  await second.runtime.stop();
});

test("scheduleLateMaxMs: ticks that were missed for longer are left out", async () => {
  const data = createMemoryData();
  const clock = new VirtualClock(midnight);
  const first = await boot(data, clock);
  await first.runtime.submit(hourly());
  await first.runtime.stop();
  clock.jump(5 * hour + 2 * minute);
  const { runtime } = await boot(data, clock, { scheduleLateMaxMs: minute });
  assert.deepEqual(await started(runtime), []);
  await clock.advance(hour);
  assert.deepEqual(await started(runtime), hours(6));
  await runtime.stop();
});

test("a process that dies while a tick is being committed leaves it to the next, whole", async () => {
  for (const isWritten of [false, true]) {
    const data = createMemoryData();
    const clock = new VirtualClock(midnight);
    const dying = await boot(data, clock);
    await dying.runtime.submit(hourly());
    dying.store.hold();
    await clock.advance(hour);
    if (isWritten) dying.store.release();
    await dying.runtime.stop();
    const { runtime } = await boot(data, clock);
    assert.deepEqual(await started(runtime), hours(1), `written: ${isWritten}`);
    await clock.advance(hour);
    assert.deepEqual(await started(runtime), hours(1, 2));
    await runtime.stop();
  }
});

test("a commit that fails is tried again, and the tick starts its function once", async () => {
  const clock = new VirtualClock(midnight);
  const { runtime, store } = await boot(createMemoryData(), clock);
  await runtime.submit(hourly());
  store.failures.push("store_failed", "store_failed");
  await clock.advance(hour + minute);
  assert.deepEqual(await started(runtime), hours(1));
  await clock.advance(hour);
  assert.deepEqual(await started(runtime), hours(1, 2));
  await runtime.stop();
});

test("an app that is removed, or syncs without the line, is not started any more", async () => {
  const clock = new VirtualClock(midnight);
  const { runtime } = await boot(createMemoryData(), clock);
  await runtime.submit(hourly());
  await clock.advance(hour);
  await runtime.submit(hourly("30 * * * *"));
  await clock.advance(hour);
  await runtime.submit({ type: "app.removed", appId: "app-1" });
  await clock.advance(5 * hour);
  await rest();
  assert.deepEqual(await started(runtime), hours(1, 1.5));
  await runtime.stop();
});
