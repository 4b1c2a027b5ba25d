import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toJsonText } from "@pawl/protocol/json-text";
import type { Command } from "../commands.ts";
import { decide } from "../decide.ts";
import type { Reply } from "../decision.ts";
import { requirements } from "../requirements.ts";
import { HotState } from "../state/hot-state.ts";
import type {
  CatchUp,
  Overlap,
  RuntimeSchedule,
  ScheduleDefinition,
  Timing,
} from "../schedule-records.ts";
import { defaultSettings } from "../settings.ts";
import { invokes, waits } from "../testing/opcodes.ts";
import { World } from "../testing/world.ts";
import { hasEnded } from "../wake-up.ts";
import { advance, newRuntimeSchedule, runtimeId } from "./runtime.ts";
import { tickAfter } from "./timetable.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const scheduleId = runtimeId("s");

const every = (everyMs: number): Timing => ({ kind: "every", everyMs });

function definition(more: Partial<ScheduleDefinition> = {}): ScheduleDefinition {
  return {
    timing: every(hour),
    target: target("event", "job"),
    jitterMs: 0,
    startAt: null,
    endAt: null,
    overlap: "allow",
    catchUp: "one",
    catchUpWindowMs: null,
    ...more,
  };
}

function target(kind: "event" | "function", name: string): ScheduleDefinition["target"] {
  return { kind, name, data: toJsonText({ tenant: 7 }), user: null, version: null, meta: null };
}

/** A world with function `job`, which the event of that name starts, and the schedule. */
function worldWith(more: Partial<ScheduleDefinition> = {}, settings = {}): World {
  const world = new World(settings);
  world.sync("app", [{ slug: "job" }]);
  assert.ok(set(world, more).ok);
  return world;
}

function set(world: World, more: Partial<ScheduleDefinition>, onlyNew = true): Reply {
  return world.do({
    type: "schedule.set",
    scheduleId,
    definition: definition(more),
    paused: null,
    onlyNew,
  });
}

function schedule(world: World): RuntimeSchedule {
  const found = world.state.schedule(scheduleId);
  assert.ok(found?.kind === "runtime");
  return found;
}

/** Moves the clock and wakes the schedule until nothing of it is due; returns the runs it started. */
function wake(world: World, at: number): string[] {
  const from = world.changes.length;
  world.at = at;
  for (let due = true; due; ) {
    world.do({ type: "schedule.due", scheduleId });
    const { dueAt } = schedule(world);
    due = dueAt !== null && dueAt <= at;
  }
  return world.startedSince(from);
}

function code(reply: Reply): string | null {
  return reply.ok ? null : reply.code;
}

test("a tick sends the event: whatever it triggers starts, and the runs know the schedule", () => {
  const world = worldWith();
  world.sync("other", [
    {
      slug: "too",
      triggers: [{ kind: "event", event: "job", expression: "event.data.tenant == 7" }],
    },
    {
      slug: "not",
      triggers: [{ kind: "event", event: "job", expression: "event.data.tenant == 8" }],
    },
  ]);
  const made = world.at;
  const runs = wake(world, made + hour + 5);
  assert.deepEqual(runs.map((id) => world.run(id).run.functionId).toSorted(), ["id-job", "id-too"]);
  for (const id of runs) {
    const { run, events } = world.run(id);
    assert.deepEqual(run.schedule, { id: scheduleId, line: "@every 1h" });
    assert.deepEqual(
      events.map(({ name, ts, data }) => [name, ts, data]),
      [["job", made + hour, '{"tenant":7}']],
    );
  }
  const { last, fired, lastAt, nextAt, runIds } = schedule(world);
  assert.deepEqual([fired, lastAt, nextAt], [1, made + hour, made + 2 * hour]);
  assert.deepEqual(last?.runIds.toSorted(), runs.toSorted());
  assert.deepEqual(last?.tick, { at: made + hour, isManual: false });
  assert.deepEqual(runIds, [], "nothing is kept of them when they do not matter");
});

test("a schedule of a function starts that one alone, with its data", () => {
  const world = worldWith({ target: target("function", "job") });
  world.sync("all", [{ slug: "all", triggers: [{ kind: "event", event: "*", expression: null }] }]);
  const [runId, ...others] = wake(world, world.at + hour);
  assert.equal(others.length, 0);
  const { run, events } = world.run(runId ?? "");
  assert.equal(run.functionId, "id-job");
  assert.equal(events[0]?.data, '{"tenant":7}');
});

test("a tick reaches runs that wait for its event", () => {
  const world = worldWith();
  world.sync("waiter", [{ slug: "waiter" }]);
  const [runId] = world.send("waiter");
  assert.ok(runId !== undefined);
  world.ops(runId, "step", [waits("w", "job", { timeout: { forMs: 9 * hour } })]);
  wake(world, world.at + hour);
  assert.match(JSON.stringify(world.memo(runId, "w")), /"tenant":7/);
});

test("create refuses an id that is there; set again keeps the next tick and the history", () => {
  const world = worldWith();
  const made = world.at;
  wake(world, made + hour);
  assert.equal(code(set(world, {})), "schedule_exists");
  world.at += 10 * minute;
  const kept = schedule(world);
  assert.ok(set(world, { overlap: "skip" }, false).ok);
  assert.deepEqual(schedule(world), { ...kept, overlap: "skip", updatedAt: world.at });
  world.do({ type: "schedule.changed", scheduleId, patch: { timing: every(7 * minute) } });
  assert.equal(
    schedule(world).nextAt,
    made + 70 * minute + 7 * minute - ((70 * minute) % (7 * minute)),
  );
  assert.equal(schedule(world).fired, 1);
});

test("what cannot work is refused with its own code", () => {
  const cron = (line: string): Partial<ScheduleDefinition> => ({ timing: { kind: "cron", line } });
  const cases: readonly (readonly [Partial<ScheduleDefinition>, string])[] = [
    [cron("61 * * * *"), "schedule_invalid"],
    [cron("0 0 31 2 *"), "schedule_invalid"],
    [cron("TZ=Nowhere/At_All 0 * * * *"), "schedule_zone_invalid"],
    [{ timing: every(999) }, "schedule_interval_invalid"],
    [{ timing: every(400 * 24 * hour) }, "schedule_interval_invalid"],
    [{ startAt: 9, endAt: 8 }, "schedule_invalid"],
    [{ endAt: 8 }, "schedule_invalid"],
    [{ target: target("function", "gone") }, "function_not_found"],
  ];
  for (const [more, expected] of cases) {
    const world = new World();
    assert.equal(code(set(world, more)), expected);
    assert.deepEqual(world.changes, []);
    const there = worldWith();
    const patched = there.do({ type: "schedule.changed", scheduleId, patch: more });
    assert.equal(code(patched), expected);
  }
});

test("schedulesMax: one too many is refused, deleting one makes room", () => {
  const world = worldWith({}, { schedulesMax: 1 });
  const other = { scheduleId: runtimeId("t"), definition: definition(), paused: null } as const;
  const refused = world.do({ type: "schedule.set", ...other, onlyNew: true });
  assert.equal(code(refused), "schedules_too_many");
  assert.match(refused.ok ? "" : refused.message, /schedulesMax allows 1/);
  assert.ok(set(world, {}, false).ok, "one that is there may be set");
  world.do({ type: "schedule.removed", scheduleId });
  assert.ok(world.do({ type: "schedule.set", ...other, onlyNew: true }).ok);
});

test("what is not there: not found; a timer on its way to what was deleted does nothing", () => {
  const world = worldWith();
  assert.ok(world.do({ type: "schedule.removed", scheduleId }).ok);
  const from = world.changes.length;
  world.at += hour;
  world.do({ type: "schedule.due", scheduleId });
  for (const type of ["schedule.removed", "schedule.resumed", "schedule.triggered"] as const)
    assert.equal(code(world.do({ type, scheduleId })), "schedule_not_found");
  assert.equal(world.changes.length, from);
});

test("overlap", async (t) => {
  const table: readonly (readonly [Overlap, readonly string[], object])[] = [
    ["allow", ["running", "running", "running"], { fired: 3, skipped: 0 }],
    ["skip", ["running"], { fired: 1, skipped: 2 }],
    ["queue_one", ["running"], { fired: 1, skipped: 1 }],
    ["cancel_previous", ["cancelled", "cancelled", "running"], { fired: 3, skipped: 0 }],
  ];
  for (const [overlap, expected, counts] of table) {
    await t.test(overlap, () => {
      const world = worldWith({ overlap });
      const made = world.at;
      const runs = [1, 2, 3].flatMap((n) => wake(world, made + n * hour));
      const started = [...new Set(runs)];
      assert.deepEqual(
        started.map((id) => world.run(id).run.status),
        expected,
      );
      const { fired, skipped } = schedule(world);
      assert.deepEqual({ fired, skipped }, counts);
    });
  }
});

test("queue_one: the tick that waits starts when the last run ends, in the same commit", () => {
  const world = worldWith({ overlap: "queue_one" });
  const made = world.at;
  const [first] = wake(world, made + hour);
  wake(world, made + 2 * hour);
  assert.deepEqual(schedule(world).queued, { at: made + 2 * hour, isManual: false });
  world.at += minute;
  const from = world.changes.length;
  world.complete(first ?? "");
  const second = world.startedSince(from).find((id) => id !== first);
  assert.equal(world.run(second ?? "").events[0]?.ts, made + 2 * hour);
  assert.deepEqual([schedule(world).queued, schedule(world).runIds], [null, [second]]);
});

test("skip: a failed or cancelled run frees the schedule as a completed one does", () => {
  const world = worldWith({ overlap: "skip" });
  const made = world.at;
  const [first] = wake(world, made + hour);
  world.do({ type: "run.cancelled", runId: first ?? "", reason: "test" });
  const [second] = wake(world, made + 2 * hour);
  world.fail(second ?? "", "boom", { noRetry: true });
  assert.deepEqual(schedule(world).runIds, []);
  assert.equal(wake(world, made + 3 * hour).length, 1);
});

test("a joined run counts, and its end is told once for each schedule", () => {
  const world = new World();
  world.sync("app", [World.flow("job", { debounce: { period: "2h" } })]);
  set(world, { overlap: "skip" });
  const [first] = wake(world, world.at + hour);
  assert.deepEqual(schedule(world).runIds, [first]);
  world.wake(first ?? "", "step", world.at + 2 * hour);
  world.complete(first ?? "");
  assert.deepEqual(schedule(world).runIds, []);
});

test("a schedule's event and an invocation share a batch, whoever comes first; each is told of it", () => {
  for (const tickFirst of [true, false]) {
    const world = new World();
    const batchEvents = { maxSize: 9, timeout: "60s" };
    const functions = [World.flow("job", { batchEvents }), World.flow("parent", {})];
    assert.ok(world.sync("app", functions).ok);
    set(world, { overlap: "skip" });
    const tick = () => wake(world, schedule(world).nextAt ?? 0);
    if (tickFirst) tick();
    const [parent = ""] = world.send("parent");
    world.ops(parent, "step", [invokes("call", "job", { onCancel: "cancel" })]);
    // The batch that the invocation began is still open then.
    if (!tickFirst) world.do({ type: "schedule.triggered", scheduleId });
    const job = world.job(parent, "call");
    assert.ok(job?.kind === "invoke");
    const batch = job.childRunId;
    assert.deepEqual(schedule(world).runIds, [batch], `tick first: ${tickFirst}`);
    assert.equal(world.run(batch).run.eventIds.length, 2);
    // Its invoker is cancelled, the tick still wants it.
    const [other = ""] = world.send("parent");
    world.ops(other, "step", [invokes("call", "job", { onCancel: "cancel" })]);
    world.do({ type: "run.cancelled", runId: parent, reason: "test" });
    assert.equal(world.run(batch).run.status, "queued");
    world.wake(batch, "step", world.at + minute);
    world.complete(batch, "all");
    assert.deepEqual(schedule(world).runIds, []);
    assert.equal(world.job(other, "call"), undefined, "the other invoker has its result");
  }
});

test("a run from before the schedule was made again does not move the new one", () => {
  const world = worldWith({ overlap: "queue_one" });
  const [first] = wake(world, world.at + hour);
  world.do({ type: "schedule.removed", scheduleId });
  set(world, { overlap: "queue_one" });
  const before = schedule(world);
  world.complete(first ?? "");
  assert.deepEqual(schedule(world), before);
});

test("pause and resume: nothing starts meanwhile; what was missed is up to catch-up", () => {
  for (const [catchUp, started] of [
    ["none", 0],
    ["one", 1],
    ["all", 3],
  ] as const) {
    const world = worldWith({ catchUp });
    const made = world.at;
    world.do({ type: "schedule.paused", scheduleId, reason: "holiday" });
    assert.deepEqual([schedule(world).dueAt, schedule(world).pauseReason], [null, "holiday"]);
    assert.deepEqual(wake(world, made + 3 * hour + minute), []);
    world.do({ type: "schedule.resumed", scheduleId });
    assert.equal(wake(world, world.at).length, started, catchUp);
    const { missed, nextAt, fired } = schedule(world);
    assert.deepEqual([fired, missed, nextAt], [started, 3 - started, made + 4 * hour], catchUp);
  }
});

test("a pause gives up the tick that waits", () => {
  const world = worldWith({ overlap: "queue_one" });
  const made = world.at;
  const [first] = wake(world, made + hour);
  wake(world, made + 2 * hour);
  world.do({ type: "schedule.paused", scheduleId, reason: null });
  const from = world.changes.length;
  world.complete(first ?? "");
  assert.deepEqual(
    world.startedSince(from).filter((id) => id !== first),
    [],
  );
  assert.deepEqual([schedule(world).queued, schedule(world).skipped], [null, 1]);
});

test("catch-up: its window and its limit keep the latest ticks", () => {
  const world = worldWith({ catchUp: "all", catchUpWindowMs: 5 * hour });
  const made = world.at;
  assert.equal(wake(world, made + 10 * hour + minute).length, 5);
  assert.equal(schedule(world).missed, 5);
  const few = worldWith({ catchUp: "all" }, { scheduleCatchUpMax: 2 });
  const runs = wake(few, made + 10 * hour + minute);
  assert.deepEqual(
    runs.map((id) => ((few.run(id).events[0]?.ts ?? 0) - made) / hour),
    [9, 10],
  );
  assert.deepEqual([schedule(few).missed, schedule(few).fired], [8, 2]);
});

/** The decision of a process that owns nothing, or everything, with what the world has. */
function decideApart(world: World, owned: ReadonlySet<number> | null, unstamped: object) {
  const state = new HotState(world.state.settings, owned);
  const apps = [...world.state.apps()];
  state.boot({ apps, waitPaths: [], queues: [], runtimeSchedules: 1 });
  // proof: the tests write whole commands
  const command = { ...unstamped, at: world.at, seed: [1, 2, 3, 4] } as unknown as Command;
  for (const need of requirements(state, command)) {
    if (need.kind === "schedule") state.absorb([{ need, schedule: schedule(world) }]);
  }
  for (const need of requirements(state, command)) {
    if (need.kind === "idempotency") state.absorb([{ need, runId: null, expiresAt: 0 }]);
    if (need.kind === "waits") state.absorb([{ need, waits: [] }]);
    if (need.kind === "gate") state.absorb([{ need, gate: null }]);
  }
  return decide(state, command);
}

test("a run in the shard of another process counts from the tick on, and tells its end", () => {
  for (const kind of ["event", "function"] as const) {
    const world = worldWith({ overlap: "skip", target: target(kind, "job") });
    world.at += hour;
    const taken = decideApart(world, new Set(), { type: "schedule.due", scheduleId });
    const put = taken.changes.find((change) => change.type === "schedule.put");
    const [message] = taken.messages;
    assert.ok(put?.schedule.kind === "runtime" && message?.type === "run.triggered");
    const runId = put.schedule.runIds[0] ?? "";
    const origin = { schedule: { id: scheduleId, line: "@every 1h" }, isHeld: true, runId };
    assert.deepEqual(message.origin, origin);
    const there = decideApart(world, null, message);
    const run = there.changes.find((change) => change.type === "run.put")?.run;
    assert.deepEqual([run?.id, run?.schedule], [runId, origin.schedule]);
    assert.deepEqual(run?.holds, [`schedule:${runId}:${scheduleId}`]);
    world.do({ type: "app.removed", appId: "app-app" });
    const gone = decideApart(world, null, message);
    assert.deepEqual(
      gone.messages.map((sent) => sent.type === "schedule.runEnded" && sent.runId),
      [runId],
    );
  }
});

test("start now: also when paused; overlap and a missing function refuse it", () => {
  const world = worldWith({ overlap: "skip", target: target("function", "job") });
  world.do({ type: "schedule.paused", scheduleId, reason: null });
  assert.ok(world.do({ type: "schedule.triggered", scheduleId }).ok);
  const { last, lastAt, nextAt } = schedule(world);
  assert.deepEqual([last?.tick.isManual, lastAt, nextAt], [true, null, world.at + hour]);
  assert.equal(code(world.do({ type: "schedule.triggered", scheduleId })), "schedule_busy");
  world.complete(last?.runIds[0] ?? "");
  world.do({ type: "app.removed", appId: "app-app" });
  assert.equal(code(world.do({ type: "schedule.triggered", scheduleId })), "function_not_found");
  assert.match(schedule(world).problem ?? "", /No function "job" is registered/);
});

test("a schedule with an end stays, and is due no more", () => {
  const world = worldWith({ endAt: Date.UTC(2026, 0, 1, 1) });
  assert.equal(wake(world, world.at + hour).length, 1);
  assert.deepEqual([schedule(world).nextAt, schedule(world).dueAt], [null, null]);
});

const timings = fc.constantFrom<Timing>(
  every(minute),
  { kind: "cron", line: "*/1 * * * *" },
  { kind: "cron", line: "TZ=Europe/Berlin */30 * * * * *" },
);

test("however often and late it is woken, ticks are taken in order, each once, and all are counted", () => {
  const waits = fc.array(fc.nat(7 * minute), { minLength: 1, maxLength: 20 });
  const catchUps = fc.constantFrom<CatchUp>("none", "one", "all");
  const jitters = fc.constantFrom(0, 20 * second, 3 * minute);
  fc.assert(
    fc.property(timings, waits, catchUps, jitters, (timing, waits, catchUp, jitterMs) => {
      const from = Date.UTC(2026, 9, 25);
      let current = newRuntimeSchedule("r", definition({ timing, catchUp, jitterMs }), from);
      const taken: number[] = [];
      let at = from;
      for (const wait of waits) {
        at += wait;
        while (current.dueAt !== null && current.dueAt <= at) {
          const { tick, schedule } = advance(current, at, defaultSettings);
          assert.ok((schedule.nextAt ?? 0) > (current.nextAt ?? 0), "it moves on");
          if (tick !== null) taken.push(tick);
          current = schedule;
        }
      }
      const passed = ticksPassed(current, from);
      assert.equal(taken.length + current.missed, passed.length, "none is lost from the counts");
      assert.deepEqual(
        taken,
        passed.filter((tick) => taken.includes(tick)),
        "in order, each once",
      );
      assert.ok(at - (current.nextAt ?? 0) <= jitterMs, "what had to fire has fired");
      if (catchUp === "all") assert.deepEqual(taken, passed);
      if (catchUp === "one" && passed.length > 0) assert.equal(taken.at(-1), passed.at(-1));
    }),
    { numRuns: 100 },
  );
});

/** The ticks behind a moment and in front of the next. */
function ticksPassed(schedule: RuntimeSchedule, from: number): readonly number[] {
  const ticks: number[] = [];
  for (let at = from; ; ) {
    const tick = tickAfter(schedule, at);
    if (tick === null || schedule.nextAt === null || tick >= schedule.nextAt) return ticks;
    ticks.push(tick);
    at = tick;
  }
}

type Op = "wake" | "again" | "end" | "pause" | "resume" | "trigger";

test("whatever happens in whatever order: no tick twice, none uncounted, overlap holds", () => {
  const ops = fc.array(
    fc.tuple(
      fc.constantFrom<Op>("wake", "wake", "again", "end", "end", "pause", "resume", "trigger"),
      fc.nat(4 * minute),
    ),
    { maxLength: 40 },
  );
  const overlaps = fc.constantFrom<Overlap>("allow", "skip", "queue_one", "cancel_previous");
  const catchUps = fc.constantFrom<CatchUp>("none", "one", "all");
  fc.assert(
    fc.property(ops, overlaps, catchUps, timings, (ops, overlap, catchUp, timing) => {
      const world = worldWith({ overlap, catchUp, timing });
      const made = world.at;
      let manual = 0;
      for (const [op, ms] of ops) {
        world.at += ms;
        manual += perform(world, op) ? 1 : 0;
        assertOverlap(world, overlap);
      }
      const { fired, skipped, missed, queued } = schedule(world);
      const passed = ticksPassed(schedule(world), made);
      const counted = fired + skipped + missed + (queued === null ? 0 : 1);
      assert.equal(counted, passed.length + manual);
      const ids = world.changes.flatMap((change) =>
        change.type === "event.put" && change.event.name === "job" ? [change.event.externalId] : [],
      );
      const ticks = ids.filter((id) => id !== null);
      assert.equal(new Set(ticks).size, ticks.length, "no tick has two events");
      assert.equal(ids.length, fired);
    }),
    { numRuns: 100 },
  );
});

/** Whether it was a manual start. */
function perform(world: World, op: Op): boolean {
  switch (op) {
    case "wake":
      wake(world, world.at);
      return false;
    case "again": // a timer that is early, late, or comes twice
      world.do({ type: "schedule.due", scheduleId });
      return false;
    case "end": {
      const running = world.runIds().find((id) => !hasEnded(world.run(id).run.status));
      if (running !== undefined) world.complete(running);
      return false;
    }
    case "pause":
      world.do({ type: "schedule.paused", scheduleId, reason: null });
      return false;
    case "resume":
      world.do({ type: "schedule.resumed", scheduleId });
      return false;
    case "trigger":
      world.do({ type: "schedule.triggered", scheduleId });
      return true;
  }
}

function assertOverlap(world: World, overlap: Overlap): void {
  const going = world.runIds().filter((id) => !hasEnded(world.run(id).run.status));
  if (overlap === "allow") return;
  assert.ok(going.length <= 1, "one run at a time");
  assert.deepEqual(schedule(world).runIds, going);
}
