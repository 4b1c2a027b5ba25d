// What ends or forestalls runs: cancelOn, time limits, singletons, pauses.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { invokes, planned, ran, sleeps } from "../testing/opcodes.ts";
import { only, register, start, states, statuses, worldWith } from "../testing/flow.ts";
import type { World } from "../testing/world.ts";

test("cancelOn: the event must match, in time; nothing of the run is left", () => {
  const cancel = [
    { event: "stop", if: "async.data.id == event.data.id" },
    { event: "stop/late", timeout: "1h" },
  ];
  const world = worldWith({ fn: { cancel } });
  const ids = [1, 2, 2].map((id) => start(world, "fn", { id }));
  world.send("stop", { id: 2 });
  assert.deepEqual(statuses(world, ids), ["running", "cancelled", "cancelled"]);
  const [first = "", second = ""] = ids;
  assert.match(world.run(second).run.endReason ?? "", /^event "stop"/);
  const deleted = world.changes.filter((change) => change.type === "wait.delete");
  assert.equal(deleted.length, 4);
  const late = start(world, "fn", { id: 9 });
  world.at += 3_600_000;
  world.send("stop/late");
  assert.deepEqual(statuses(world, [first, late]), ["running", "running"]);
  world.complete(first);
  world.send("stop", { id: 1 });
  assert.deepEqual(statuses(world, [first]), ["completed"]);
});

test("cancelOn: a call that is out is stopped, queued ones go, an invoker hears of it", () => {
  const world = worldWith({
    parent: {},
    fn: { concurrency: 1, cancel: [{ event: "stop" }] },
  });
  const parent = start(world, "parent");
  const from = world.changes.length;
  world.ops(parent, "step", [invokes("call", "fn")]);
  const child = only(world.startedSince(from).filter((id) => id !== parent));
  const queued = start(world, "fn");
  world.send("stop");
  assert.deepEqual(statuses(world, [child, queued]), ["cancelled", "cancelled"]);
  assert.ok(world.effects.some((effect) => effect.type === "abort" && effect.runId === child));
  assert.match(JSON.stringify(world.memo(parent, "call")), /run_cancelled/);
  assert.equal(world.state.gate("fn:id-fn").inFlight, 0);
});

test("cancelOn within one request: what comes behind the start cancels, what comes before does not", () => {
  const world = worldWith({ fn: { cancel: [{ event: "stop" }, { event: "fn" }] } });
  const from = world.changes.length;
  const names = ["stop", "fn"];
  const send = (some: readonly string[]): void => {
    const events = some.map((name) => world.event(name));
    world.do({ type: "events.received", events, resendable: false });
  };
  send(names);
  const [before = ""] = world.startedSince(from);
  assert.deepEqual(statuses(world, [before]), ["running"], "nor does the event that starts it");
  world.at++;
  const second = world.changes.length;
  send(names.toReversed());
  const after = world.startedSince(second).filter((id) => id !== before);
  assert.deepEqual(statuses(world, [...after, before]), ["cancelled", "cancelled"]);
});

test("timeouts.start: the first call must go out in time; throttle and queues count", () => {
  const world = worldWith({ fn: { concurrency: 1, timeouts: { start: "10s" } } });
  const [first, second] = [start(world, "fn"), start(world, "fn")];
  assert.deepEqual(world.jobs(first), ["step"]);
  assert.deepEqual(world.jobs(second), ["deadline:start", "step"]);
  world.wake(second, "deadline:start", world.at + 10_000);
  assert.deepEqual(statuses(world, [first, second]), ["running", "cancelled"]);
  assert.match(world.run(second).run.endReason ?? "", /within 10s \(timeouts.start\)/);
  const third = start(world, "fn");
  world.complete(first);
  world.pull();
  assert.deepEqual(world.jobs(third), ["step"], "it went out: the limit is gone");
});

test("timeouts.finish: a call that began in time may bring the result; none begins after", () => {
  const world = worldWith({ fn: { timeouts: { start: "1s", finish: "3s" } } });
  const [steps, ends] = [start(world, "fn"), start(world, "fn")];
  for (const id of [steps, ends]) assert.deepEqual(world.jobs(id), ["deadline:finish", "step"]);
  world.at += 2_000;
  for (const id of [steps, ends]) world.ops(id, "step", [ran("one")]);
  for (const id of [steps, ends]) world.wake(id, "deadline:finish", world.at + 1_000);
  assert.deepEqual(statuses(world, [steps, ends]), ["running", "running"]);
  world.at += 1_000;
  world.ops(steps, "step", [ran("two")]);
  world.complete(ends);
  assert.deepEqual(statuses(world, [steps, ends]), ["cancelled", "completed"]);
  assert.deepEqual(world.memo(steps, "two"), { data: "two" }, "what ran is kept");
});

test("timeouts.finish ends runs that sleep, that retry, and that would begin to sleep", () => {
  const world = worldWith({ fn: { timeouts: { finish: "3s" } } });
  const [asleep, retrying, late] = [start(world, "fn"), start(world, "fn"), start(world, "fn")];
  world.ops(asleep, "step", [sleeps("nap", 60_000)]);
  world.wake(asleep, "deadline:finish", world.at + 3_000);
  world.fail(retrying);
  world.wake(late, "deadline:finish");
  world.ops(late, "step", [sleeps("nap", 60_000)]);
  assert.deepEqual(statuses(world, [asleep, retrying, late]), Array(3).fill("cancelled"));
});

test("timeouts.finish with parallel steps: the others do not begin any more", () => {
  const world = worldWith({ fn: { concurrency: 1, timeouts: { finish: "3s" } } });
  const id = start(world, "fn");
  world.ops(id, "step", [planned("a"), planned("b")]);
  world.wake(id, "deadline:finish", world.at + 3_000);
  world.ops(id, "a", [ran("a")]);
  world.pull();
  assert.deepEqual(statuses(world, [id]), ["cancelled"]);
});

test("singleton skip: one at a time for each value, until its end; false lets all pass", () => {
  const world = worldWith({ fn: { singleton: { mode: "skip", key: "event.data.k" } } });
  const send = (k: unknown) => start(world, "fn", { k });
  const ids = ["a", "a", "b", false, false].map(send);
  assert.deepEqual(statuses(world, ids), ["running", "skipped", "running", "running", "running"]);
  assert.match(world.run(ids[1] ?? "").run.endReason ?? "", new RegExp(ids[0] ?? "?"));
  world.fail(ids[0] ?? "", "x", { noRetry: true });
  assert.deepEqual(statuses(world, [send("a"), send("a"), send("b")]), [
    "running",
    "skipped",
    "skipped",
  ]);
});

test("singleton cancel: the last of a burst wins, within one request, too", () => {
  const world = worldWith({ fn: { Singleton: { mode: 1 } } });
  const first = start(world, "fn");
  world.at++;
  const from = world.changes.length;
  const events = [1, 2, 3].map(() => world.event("fn"));
  world.do({ type: "events.received", events, resendable: false });
  const burst = world.startedSince(from).filter((id) => id !== first);
  assert.deepEqual(statuses(world, [first, ...burst]), [
    "cancelled",
    "cancelled",
    "cancelled",
    "running",
  ]);
  assert.match(world.run(first).run.endReason ?? "", /^singleton: run/);
  world.complete(burst[2] ?? "");
  assert.deepEqual(statuses(world, [start(world, "fn")]), ["running"]);
});

type Move = { readonly kind: string; readonly n: number };
const move: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom("a", "b", "end", "fail", "lose", "cancel", "pause", "resume", "stop"),
  n: fc.nat({ max: 9 }),
});

function play(world: World, { kind, n }: Move): void {
  const functionId = "id-fn";
  const ids = world.runIds().filter((id) => world.run(id).run.endedAt === null);
  const runId = ids[n % Math.max(1, ids.length)];
  if (kind === "a" || kind === "b") world.send("fn", { k: kind });
  else if (kind === "stop") world.send("stop", { k: n % 2 === 0 ? "a" : "b" });
  else if (kind === "pause") world.do({ type: "function.paused", functionId });
  else if (kind === "resume") world.do({ type: "function.resumed", functionId });
  else if (runId === undefined) return;
  else if (kind === "cancel") world.do({ type: "run.cancelled", runId, reason: "test" });
  else if (world.call(runId).state.at !== "leased") return;
  else if (kind === "end") world.complete(runId);
  else if (kind === "fail") world.fail(runId);
  else
    world.do({ type: "call.lost", runId, jobId: "step", generation: world.call(runId).generation });
}

for (const mode of ["skip", "cancel"]) {
  test(`singleton ${mode}: never two at once, and free when nobody holds it`, () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 50 }), (moves) => {
        const singleton = { mode, key: "event.data.k" };
        const cancel = [{ event: "stop", if: "async.data.k == event.data.k" }];
        const world = worldWith({ fn: { singleton, cancel } });
        for (const step of moves) {
          world.at++;
          play(world, step);
          world.pull();
          const open = world.runIds().filter((id) => world.run(id).run.endedAt === null);
          const values = open.map((id) => world.run(id).events[0]?.data ?? "");
          assert.equal(new Set(values).size, values.length, "one run for each value");
        }
        const holders = new Map<string, string>();
        for (const change of world.changes) {
          if (change.type === "gate.put" && change.gate.kind === "holder")
            holders.set(change.gate.key, change.gate.runId);
          if (change.type === "gate.delete") holders.delete(change.key);
        }
        for (const runId of holders.values())
          assert.equal(world.run(runId).run.endedAt, null, "an ended run holds nothing");
        assert.equal(world.waitCount(), 1 * holders.size, "only open runs listen");
      }),
      { numRuns: 150 },
    );
  });
}

test("pause: new runs wait, begun ones go on, resume lets all go in order", () => {
  const world = worldWith({ fn: { timeouts: { start: "1m" } }, other: {} });
  const begun = start(world, "fn");
  const functionId = "id-fn";
  world.do({ type: "function.paused", functionId });
  world.do({ type: "function.paused", functionId });
  const held = [start(world, "fn"), start(world, "fn")];
  assert.deepEqual(states(world, [begun, ...held, start(world, "other")]), [
    "leased",
    "queued",
    "queued",
    "leased",
  ]);
  world.ops(begun, "step", [planned("a"), planned("b")]);
  assert.equal(world.call(begun, "a").state.at, "leased");
  register(world, { fn: { timeouts: { start: "1m" } }, other: {} });
  world.pull();
  assert.deepEqual(states(world, held), ["queued", "queued"], "a sync does not resume it");
  world.wake(held[0] ?? "", "deadline:start", world.at + 60_000);
  assert.deepEqual(statuses(world, held), ["queued", "queued"], "held runs do not run out of time");
  world.do({ type: "function.resumed", functionId });
  assert.deepEqual(
    world.effects.filter((effect) => effect.type === "pull"),
    [{ type: "pull", gate: "pause:id-fn" }],
  );
  world.pull();
  assert.deepEqual(states(world, held), ["leased", "leased"]);
  const reply = world.do({ type: "function.paused", functionId: "nobody" });
  assert.ok(!reply.ok && reply.code === "function_not_found");
});

test("pause: it outlives deployments without the function; removing the app ends it", () => {
  const world = worldWith({ fn: {}, other: {} });
  const isPaused = () => world.state.functionById("id-fn")?.pausedAt !== null;
  world.do({ type: "function.paused", functionId: "id-fn" });
  world.do({ type: "function.limited", functionId: "id-fn", limit: "steps", value: 7 });
  register(world, { other: {} });
  assert.equal(world.state.functionById("id-fn"), undefined);
  register(world, { other: { retries: 1 } });
  register(world, { fn: {}, other: {} });
  assert.ok(isPaused());
  assert.deepEqual(world.state.functionById("id-fn")?.limits, { steps: 7 });
  assert.deepEqual(states(world, [start(world, "fn")]), ["queued"]);
  world.do({ type: "function.resumed", functionId: "id-fn" });
  register(world, { other: {} });
  register(world, { fn: {}, other: {} });
  assert.ok(!isPaused(), "what was resumed does not come back paused");
  world.do({ type: "function.paused", functionId: "id-fn" });
  world.do({ type: "app.removed", appId: world.state.functionById("id-fn")?.appId ?? "" });
  register(world, { fn: {} });
  assert.ok(!isPaused());
});
