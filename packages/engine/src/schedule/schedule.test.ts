import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toJsonText } from "@pawl/protocol/json-text";
import type { CronTrigger, FunctionRecord } from "../records.ts";
import type { TriggerSchedule } from "../schedule-records.ts";
import { World } from "../testing/world.ts";
import { defaultSettings } from "../settings.ts";
import { fire, newSchedule, scheduleId, tickEvent } from "./schedule.ts";

const minute = 60_000;
const hour = 60 * minute;

function cron(line: string, jitterMs?: number): CronTrigger {
  return { kind: "cron", cron: line, ...(jitterMs === undefined ? null : { jitterMs }) };
}

function scheduled(
  slug: string,
  crons: readonly (string | CronTrigger)[],
  config: object = {},
): Partial<FunctionRecord> {
  const triggers = crons.map((each) => (typeof each === "string" ? cron(each) : each));
  return { slug, triggers, config: toJsonText(config) };
}

/** The schedules that are there, by what was written. */
function schedules(world: World): Map<string, TriggerSchedule> {
  const found = new Map<string, TriggerSchedule>();
  for (const change of world.changes) {
    if (change.type === "schedule.put" && change.schedule.kind === "trigger")
      found.set(change.schedule.id, change.schedule);
    if (change.type === "schedule.delete") found.delete(change.scheduleId);
  }
  return found;
}

function crons(world: World): string[] {
  return [...schedules(world).values()].map((schedule) => schedule.cron).toSorted();
}

function only(world: World): TriggerSchedule {
  const [schedule, ...others] = schedules(world).values();
  assert.ok(schedule !== undefined && others.length === 0, "there is one schedule");
  return schedule;
}

/** Moves the clock and fires the schedule; returns the runs that it started. */
function tick(world: World, at: number): string[] {
  const { id } = only(world);
  const from = world.changes.length;
  world.at = at;
  assert.ok(world.do({ type: "schedule.due", scheduleId: id }).ok);
  return world.startedSince(from);
}

test("schedules come with a sync, stay in one that changes others, and go with their line", () => {
  const world = new World();
  world.sync("app", [scheduled("f", ["0 * * * *", "30 * * * *"]), scheduled("g", ["0 * * * *"])]);
  assert.deepEqual(crons(world), ["0 * * * *", "0 * * * *", "30 * * * *"]);
  const before = schedules(world).get(scheduleId("id-f", "0 * * * *"));
  world.at += 2 * hour;
  world.sync("app", [scheduled("f", ["0 * * * *", "TZ=Asia/Kolkata 0 9 * * *"])]);
  assert.deepEqual(crons(world), ["0 * * * *", "TZ=Asia/Kolkata 0 9 * * *"]);
  const after = schedules(world).get(scheduleId("id-f", "0 * * * *"));
  assert.deepEqual(after, before, "a tick that is due is not lost by a sync");
});

test("bug class 14: an app that is removed takes its schedules along", () => {
  const world = new World();
  world.sync("app", [scheduled("f", ["0 * * * *"]), scheduled("g", ["@daily"])]);
  world.sync("other", [scheduled("h", ["5 * * * *"])]);
  const gone = scheduleId("id-f", "0 * * * *");
  world.do({ type: "app.removed", appId: "app-app" });
  assert.deepEqual(crons(world), ["5 * * * *"]);
  world.at += 2 * hour;
  const from = world.changes.length;
  world.do({ type: "schedule.due", scheduleId: gone });
  assert.equal(world.changes.length, from, "a timer that is still on its way does nothing");
});

test("a line that cannot work refuses the sync, and nothing of it is kept", () => {
  for (const line of ["61 * * * *", "TZ=Nowhere/At_All 0 * * * *", "0 0 31 2 *"]) {
    const world = new World();
    const reply = world.sync("app", [scheduled("good", ["* * * * *"]), scheduled("bad", [line])]);
    assert.ok(!reply.ok && reply.code === "schedule_invalid");
    assert.match(reply.message, /^Function "bad": the cron line ".*" cannot be used: /);
    assert.ok(reply.message.includes(line));
    assert.deepEqual(world.changes, []);
  }
});

test("the same registration again makes the schedules that a database of before lacks", () => {
  const world = new World();
  world.sync("app", [scheduled("f", ["0 * * * *"])]);
  const { id } = only(world);
  world.state.apply({ type: "schedule.delete", scheduleId: id });
  const app = world.state.app("app-app");
  assert.ok(app);
  const from = world.changes.length;
  world.do({ type: "app.synced", app, functions: app.functions });
  assert.deepEqual(
    world.changes.slice(from).map((change) => change.type),
    ["schedule.put"],
  );
  world.do({ type: "app.synced", app, functions: app.functions });
  assert.equal(world.changes.length, from + 1, "and then nothing");
});

test("a database of before may have a line that cannot work: the same registration is refused", () => {
  const world = new World();
  world.sync("app", [scheduled("f", ["0 * * * *"])]);
  const app = world.state.app("app-app");
  assert.ok(app);
  const functions = app.functions.map((fn) => ({ ...fn, triggers: [cron("61 * * * *")] }));
  world.state.apply({ type: "app.put", app: { ...app, functions } });
  const reply = world.do({ type: "app.synced", app, functions });
  assert.ok(!reply.ok && reply.code === "schedule_invalid");
});

test("a tick starts the function with its event, and sets the next in the same decision", () => {
  const world = new World();
  world.sync("app", [scheduled("f", ["TZ=Asia/Kolkata 30 * * * *"])]);
  // A function with a trigger for all events is not meant.
  world.sync("all", [{ slug: "all", triggers: [{ kind: "event", event: "*", expression: null }] }]);
  const { nextAt } = only(world);
  assert.equal(nextAt, world.at + hour, "a tick is behind the sync");
  const [runId, ...others] = tick(world, nextAt + 5);
  assert.ok(runId !== undefined && others.length === 0);
  const { run, events } = world.run(runId);
  assert.equal(run.functionId, "id-f");
  assert.equal(run.eventName, "inngest/scheduled.timer");
  const line = "TZ=Asia/Kolkata 30 * * * *";
  assert.deepEqual(run.schedule, { id: scheduleId("id-f", line), line });
  assert.deepEqual(
    events.map((event) => [event.data, event.ts]),
    [['{"cron":"TZ=Asia/Kolkata 30 * * * *"}', nextAt]],
  );
  assert.deepEqual([only(world).nextAt, only(world).lastAt], [nextAt + hour, nextAt]);
  assert.ok(
    world.effects.some((effect) => effect.type === "tick" && effect.dueAt === nextAt + hour),
  );
  assert.equal(world.call(runId).state.at, "leased", "it is called at once");
});

test("a timer that is early or comes twice starts nothing", () => {
  const world = new World();
  world.sync("app", [scheduled("f", ["0 * * * *"])]);
  const { nextAt } = only(world);
  assert.deepEqual(tick(world, nextAt - 1), []);
  assert.deepEqual(world.effects, [{ type: "tick", scheduleId: only(world).id, dueAt: nextAt }]);
  assert.equal(tick(world, nextAt).length, 1);
  assert.deepEqual(tick(world, nextAt + 1), []);
  assert.deepEqual(tick(world, nextAt - hour / 2), [], "not even when the clock goes back");
  assert.equal(tick(world, nextAt + hour).length, 1);
});

test("of missed ticks the latest is made up for, once", () => {
  const world = new World();
  world.sync("app", [scheduled("f", ["0 * * * *"])]);
  const { nextAt } = only(world);
  const [runId] = tick(world, nextAt + 5 * hour + minute);
  assert.equal(world.run(runId ?? "").events[0]?.ts, nextAt + 5 * hour);
  assert.equal(only(world).nextAt, nextAt + 6 * hour);
  assert.deepEqual(tick(world, nextAt + 5 * hour + 2 * minute), []);
});

test("scheduleLateMaxMs: a tick that is later starts nothing, and the next is set", () => {
  const world = new World({ scheduleLateMaxMs: minute });
  world.sync("app", [scheduled("f", ["0 * * * *"])]);
  const { nextAt } = only(world);
  assert.deepEqual(tick(world, nextAt + minute + 1), []);
  assert.deepEqual([only(world).nextAt, only(world).lastAt], [nextAt + hour, null]);
  assert.equal(tick(world, nextAt + hour + minute).length, 1);
});

test("flow control holds for runs that are started by a schedule", () => {
  const world = new World();
  world.sync("app", [scheduled("f", ["* * * * *"], { singleton: { mode: "skip" } })]);
  const { nextAt } = only(world);
  const [first] = tick(world, nextAt);
  const [second] = tick(world, nextAt + minute);
  assert.equal(world.run(first ?? "").run.status, "running");
  assert.equal(world.run(second ?? "").run.status, "skipped");
  world.complete(first ?? "");
  const [third] = tick(world, nextAt + 2 * minute);
  assert.equal(world.run(third ?? "").run.status, "running");
});

test("a paused function loses no tick: its runs wait", () => {
  const world = new World();
  world.sync("app", [scheduled("f", ["* * * * *"])]);
  world.do({ type: "function.paused", functionId: "id-f" });
  const { nextAt } = only(world);
  const [runId] = tick(world, nextAt);
  assert.equal(world.call(runId ?? "").state.at, "queued");
});

test("a line with another jitter is set anew", () => {
  const world = new World();
  world.sync("app", [scheduled("f", [cron("0 * * * *")])]);
  world.sync("app", [scheduled("f", [cron("0 * * * *", 5 * minute)])]);
  const { jitterMs, nextAt, dueAt } = only(world);
  assert.equal(jitterMs, 5 * minute);
  assert.ok(dueAt > nextAt && dueAt < nextAt + 5 * minute);
});

test("jitter: always the same for a tick, within its limit, and spread over schedules", () => {
  const delays = new Set<number>();
  for (let n = 0; n < 50; n++) {
    const make = () => newSchedule(`f${n}`, cron("0 * * * *", 10 * minute), 0);
    const schedule = make();
    assert.ok(schedule);
    assert.deepEqual(make(), schedule);
    const delay = schedule.dueAt - schedule.nextAt;
    assert.ok(delay >= 0 && delay < 10 * minute);
    delays.add(delay);
  }
  assert.ok(delays.size > 45);
});

test("a tick has one external id, and no other tick or schedule has it", () => {
  const idOf = (functionId: string, at: number): string => {
    const schedule = newSchedule(functionId, cron("* * * * *"), at);
    assert.ok(schedule);
    return tickEvent(schedule, schedule.nextAt, "01", at).externalId ?? "";
  };
  assert.equal(idOf("f", 0), idOf("f", 1));
  assert.notEqual(idOf("f", 0), idOf("f", minute));
  assert.notEqual(idOf("f", 0), idOf("g", 0));
});

test("however often and late it is woken, ticks start in order, each once, and the last is never lost", () => {
  const waits = fc.array(fc.nat(5 * minute), { minLength: 1, maxLength: 30 });
  const jitters = fc.constantFrom(0, 20_000, 3 * minute);
  fc.assert(
    fc.property(waits, jitters, (waits, jitterMs) => {
      let schedule = newSchedule("f", cron("*/1 * * * *", jitterMs), 0);
      let at = 0;
      let last = 0;
      for (const wait of waits) {
        at += wait;
        while (schedule !== null && schedule.dueAt <= at) {
          const { tick, schedule: next } = fire(schedule, at, defaultSettings);
          assert.ok(tick !== null && tick > last && tick <= at && tick % minute === 0);
          last = tick;
          schedule = next;
        }
        assert.ok(at - last < minute + jitterMs, "the latest tick that had to fire has fired");
      }
    }),
    { numRuns: 200 },
  );
});
