import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultSettings, type Settings } from "@pawl/engine/settings";
import type { Trigger } from "@pawl/engine/records";
import type { ScheduleDefinition } from "@pawl/engine/schedule-records";
import { runtimeId } from "@pawl/engine/schedule/runtime";
import { toJsonText } from "@pawl/protocol/json-text";
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
async function started(runtime: Runtime, name = "inngest/scheduled.timer"): Promise<number[]> {
  const query = {
    type: "events",
    name,
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

const scheduleId = runtimeId("s");

/** Function `f`, and a schedule that sends its event every hour. */
async function setRuntime(runtime: Runtime, more: Partial<ScheduleDefinition>): Promise<void> {
  await runtime.submit(syncApp(["f"]));
  const reply = await runtime.submit({
    type: "schedule.set",
    scheduleId,
    definition: {
      timing: { kind: "every", everyMs: hour },
      target: {
        kind: "event",
        name: "f",
        data: toJsonText({}),
        user: null,
        version: null,
        meta: null,
      },
      jitterMs: 0,
      startAt: null,
      endAt: null,
      overlap: "skip",
      catchUp: "all",
      catchUpWindowMs: null,
      ...more,
    },
    paused: null,
    onlyNew: true,
  });
  assert.ok(reply.ok);
}

test("a runtime schedule makes up for each tick that was missed, across deaths", async () => {
  for (const isWritten of [false, true]) {
    const data = createMemoryData();
    const clock = new VirtualClock(midnight);
    const dying = await boot(data, clock);
    await setRuntime(dying.runtime, { overlap: "allow" });
    await clock.advance(hour);
    dying.store.hold();
    await clock.advance(hour);
    if (isWritten) dying.store.release();
    await dying.runtime.stop();
    clock.jump(3 * hour);
    const { runtime } = await boot(data, clock);
    await clock.advance(minute);
    // Ticks that are made up for within one ms have no order.
    const ticks = (await started(runtime, "f")).toSorted((a, b) => a - b);
    assert.deepEqual(ticks, hours(1, 2, 3, 4, 5), `written: ${isWritten}`);
    await runtime.stop();
  }
});

test("overlap sees the end of a run that a dying process had not committed", async () => {
  const data = createMemoryData();
  const clock = new VirtualClock(midnight);
  const dying = await boot(data, clock);
  await setRuntime(dying.runtime, { overlap: "skip" });
  // The tick is committed and its call answered, but the answer is not.
  dying.store.hold();
  await clock.advance(hour);
  dying.store.release();
  await clock.advance(minute);
  await dying.runtime.stop();
  const { runtime } = await boot(data, clock);
  await clock.advance(4 * hour);
  assert.deepEqual(await started(runtime, "f"), hours(1, 2, 3, 4, 5));
  const [found] = await runtime.store.load([{ kind: "schedule", scheduleId }]);
  assert.ok(found !== undefined && "schedule" in found && found.schedule?.kind === "runtime");
  assert.deepEqual([found.schedule.runIds, found.schedule.skipped], [[], 0]);
  await runtime.stop();
});

test("a schedule that is paused in one process is paused in the next, and goes on from there", async () => {
  const data = createMemoryData();
  const clock = new VirtualClock(midnight);
  const first = await boot(data, clock);
  await setRuntime(first.runtime, { catchUp: "one" });
  await first.runtime.submit({ type: "schedule.paused", scheduleId, reason: null });
  await first.runtime.stop();
  const { runtime } = await boot(data, clock);
  await clock.advance(3 * hour + minute);
  assert.deepEqual(await started(runtime, "f"), []);
  await runtime.submit({ type: "schedule.resumed", scheduleId });
  await clock.advance(hour);
  assert.deepEqual(await started(runtime, "f"), hours(3, 4));
  await runtime.stop();
});
