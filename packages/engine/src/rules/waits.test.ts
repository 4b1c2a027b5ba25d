// Waiting for events: before, during and after the registration of the wait (bug class 1), keys,
// look-back, time-outs, pages.
import assert from "node:assert/strict";
import { test } from "node:test";
import { planned, ran, sleeps, waits } from "../testing/opcodes.ts";
import { World } from "../testing/world.ts";

const byUser = "event.data.userId == async.data.userId";

function started(data: unknown = { userId: "u1" }, settings = {}): { world: World; id: string } {
  const world = new World(settings);
  world.sync("app", [{ slug: "fn" }]);
  const [id] = world.send("fn", data);
  assert.ok(id);
  return { world, id };
}

function received(world: World, id: string, stepId = "w"): unknown {
  const memo = world.memo(id, stepId);
  return memo !== null && typeof memo === "object" && "data" in memo ? memo.data : memo;
}

test("an event during the wait resumes it with the whole event", () => {
  const { world, id } = started();
  world.ops(id, "step", [waits("w", "paid", { expression: byUser })]);
  world.send("paid", { userId: "u2" });
  assert.equal(world.memo(id, "w"), undefined, "another user's event is no match");
  world.at += 10;
  world.send("paid", { userId: "u1", total: 3 }, { externalId: "evt-1" });
  assert.deepEqual(world.memo(id, "w"), {
    id: "evt-1",
    name: "paid",
    data: { userId: "u1", total: 3 },
    ts: world.at,
    user: {},
  });
  assert.deepEqual(world.jobs(id), ["step"]);
});

test("the first event wins; the second finds no wait and is no error", () => {
  const { world, id } = started();
  world.ops(id, "step", [waits("w", "paid")]);
  world.send("paid", { n: 1 });
  world.send("paid", { n: 2 });
  assert.deepEqual(received(world, id), { n: 1 });
});

test("two events in one request: the first of them wins", () => {
  const { world, id } = started();
  world.ops(id, "step", [waits("w", "paid")]);
  const events = [world.event("paid", { n: 1 }), world.event("paid", { n: 2 })];
  world.do({ type: "events.received", events, resendable: false });
  assert.deepEqual(received(world, id), { n: 1 });
});

test("without an event the wait times out to null", () => {
  const { world, id } = started();
  world.ops(id, "step", [waits("w", "paid", { timeout: { forMs: 1_000 } })]);
  world.wake(id, "w", world.at + 1_000);
  assert.equal(world.memo(id, "w"), null);
  world.send("paid");
  assert.equal(world.memo(id, "w"), null, "an event after the time-out changes nothing");
});

test("an event at the very moment of the time-out does not resume an expired wait", () => {
  const { world, id } = started();
  world.ops(id, "step", [waits("w", "paid", { timeout: { forMs: 1_000 } })]);
  world.at += 1_000;
  world.send("paid");
  assert.equal(world.memo(id, "w"), undefined);
  world.wake(id, "w");
  assert.equal(world.memo(id, "w"), null);
});

test("an event before the registration is found by the look-back, and only then", () => {
  const without = started();
  without.world.send("paid", { userId: "u1" });
  without.world.ops(without.id, "step", [waits("w", "paid", { expression: byUser })]);
  assert.equal(without.world.memo(without.id, "w"), undefined);

  const { world, id } = started();
  world.at += 5;
  world.send("paid", { userId: "u2", n: 0 });
  world.send("paid", { userId: "u1", n: 1 });
  world.send("paid", { userId: "u1", n: 2 });
  world.at += 5;
  world.ops(id, "step", [waits("w", "paid", { expression: byUser, lookback: "run" })]);
  assert.deepEqual(received(world, id), { userId: "u1", n: 1 }, "the oldest that matches");
  assert.deepEqual(world.jobs(id), ["step"]);
});

test("the look-back reaches events of the same request, which are stamped before the run exists", () => {
  const world = new World();
  world.sync("app", [{ slug: "fn" }]);
  const stamp = { receivedAt: world.at - 3 };
  const events = [
    world.event("fn", { userId: "u1" }, stamp),
    world.event("paid", { userId: "u1" }, stamp),
  ];
  const from = world.changes.length;
  world.do({ type: "events.received", events, resendable: false });
  const id = world.startedSince(from)[0] ?? "";
  world.ops(id, "step", [waits("w", "paid", { expression: byUser, lookback: "run" })]);
  assert.deepEqual(received(world, id), { userId: "u1" });
});

test("the look-back reaches events of the very ms in which their name began to be indexed", () => {
  for (const [early, late] of [
    [1, 0],
    [0, 1],
    [1, 1],
  ] as const) {
    const { world, id } = started();
    const send = (n: number) => world.send("paid", { userId: "u1", n });
    if (early === 1) send(1);
    const [other = ""] = world.send("fn", { userId: "u2" });
    world.ops(other, "step", [waits("first", "paid", { expression: byUser })]);
    if (late === 1) send(2);
    world.at += 5;
    world.ops(id, "step", [waits("w", "paid", { expression: byUser, lookback: "run" })]);
    assert.deepEqual(received(world, id), { userId: "u1", n: early === 1 ? 1 : 2 });
  }
});

test("an event resumes one wait of a run at most, also by look-back", () => {
  const { world, id } = started();
  world.at += 5;
  world.send("paid", { n: 1 }, { externalId: "one" });
  world.send("paid", { n: 2 });
  world.ops(id, "step", [waits("w", "paid", { lookback: "run" })]);
  world.ops(id, "step", [waits("w2", "paid", { lookback: "run" })]);
  world.ops(id, "step", [waits("w3", "paid", { lookback: "run" })]);
  assert.deepEqual(received(world, id), { n: 1 });
  assert.deepEqual(received(world, id, "w2"), { n: 2 });
  assert.equal(world.memo(id, "w3"), undefined);
});

test("a look-back of a time does not reach further", () => {
  const { world, id } = started();
  world.at += 1_000;
  world.send("paid", { n: 1 });
  world.at += 5_000;
  world.ops(id, "step", [waits("w", "paid", { lookback: 2_000 })]);
  assert.equal(world.memo(id, "w"), undefined);
});

test("the event that started the run does not resume its wait", () => {
  const { world, id } = started();
  world.ops(id, "step", [waits("w", "fn", { lookback: 60_000 })]);
  assert.equal(world.memo(id, "w"), undefined);
});

test("a wait that looks back is found by events from then on as well", () => {
  const { world, id } = started();
  world.ops(id, "step", [waits("w", "paid", { expression: byUser, lookback: "run" })]);
  world.send("paid", { userId: "u1" });
  assert.deepEqual(received(world, id), { userId: "u1" });
});

test("an empty time-out with nothing to look back to is over at once", () => {
  const { world, id } = started();
  world.ops(id, "step", [waits("w", "paid", { timeout: { forMs: 0 } })]);
  assert.equal(world.memo(id, "w"), null);
  assert.deepEqual(world.jobs(id), ["step"]);
});

test("an expression that cannot be used fails the run at once and names step, event and cause", () => {
  const { world, id } = started();
  world.ops(id, "step", [waits("w", "paid", { expression: "async.data. ==" })]);
  assert.equal(world.run(id).run.status, "failed");
  const text = JSON.stringify(world.outputs.get(id));
  assert.match(text, /InvalidExpression/);
  assert.match(text, /waitForEvent \\"w\\" \(event \\"paid\\"\)/);
});

test("waits with an equality stand under a key; the others under none", () => {
  const { world, id } = started();
  world.ops(id, "step", [
    waits("keyed", "paid", { expression: byUser }),
    waits("plain", "paid", { expression: "async.data.total > 5" }),
  ]);
  const stored = world.changes.flatMap((c) => (c.type === "wait.put" ? [c.wait] : []));
  assert.deepEqual(
    stored.map((w) => [w.jobId, w.key?.path ?? null]),
    [
      ["keyed", "data.userId"],
      ["plain", null],
    ],
  );
  assert.deepEqual(JSON.parse(stored[0]?.trigger ?? ""), { data: { userId: "u1" } });
  world.send("paid", { userId: "u9", total: 6 });
  assert.deepEqual(world.jobs(id), ["keyed"]);
});

test("events of names that nobody waits for carry no keys and ask for no waits", () => {
  const { world, id } = started();
  world.ops(id, "step", [waits("w", "paid", { expression: byUser })]);
  world.send("other", { userId: "u1" });
  world.send("paid", { userId: "u7" });
  const keys = world.changes.flatMap((c) =>
    c.type === "event.put" ? [[c.event.name, c.keys.length]] : [],
  );
  assert.deepEqual(keys, [
    ["fn", 0],
    ["other", 0],
    ["paid", 1],
  ]);
});

test("an event that thousands of runs wait for reaches them all, page by page", () => {
  const world = new World({ waitsPageSize: 10 });
  world.sync("app", [{ slug: "fn" }]);
  const runs: string[] = [];
  for (let i = 0; i < 95; i++) {
    const [id] = world.send("fn", { i });
    assert.ok(id);
    world.ops(id, "step", [waits("w", "go")]);
    runs.push(id);
  }
  world.send("go", { all: true });
  for (const id of runs) assert.deepEqual(received(world, id), { all: true });
});

test("a run that ends takes its waits with it", () => {
  const { world, id } = started();
  world.ops(id, "step", [waits("w", "paid"), planned("a", { race: true })]);
  world.ops(id, "a", [ran("a", 1, { race: true })]);
  world.complete(id, 1, "after:a");
  const gone = world.changes.flatMap((c) => (c.type === "wait.delete" ? [c.jobId] : []));
  assert.deepEqual(gone, ["w"]);
  world.send("paid");
  assert.equal(world.memo(id, "w"), undefined);
});

test("sleeps end at their time, those without a duration at once", () => {
  const { world, id } = started();
  world.ops(id, "step", [sleeps("none", 0)]);
  assert.equal(world.memo(id, "none"), null);
  world.ops(id, "step", [sleeps("nap", 5_000)]);
  assert.deepEqual(world.jobs(id), ["nap"]);
  assert.deepEqual(world.effects, [
    { type: "timer", runId: id, jobId: "nap", dueAt: world.at + 5_000 },
  ]);
  world.wake(id, "nap", world.at + 5_000);
  assert.equal(world.memo(id, "nap"), null);
  assert.deepEqual(world.jobs(id), ["step"]);
});
