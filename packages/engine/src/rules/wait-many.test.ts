// Waiting for the first of several events, and for one of each: exactly one winner, losers gone,
// look-back, time-outs, limits.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toJsonText } from "@pawl/protocol/json-text";
import { requirements } from "../requirements.ts";
import { planned, ran, waits, waitsForEvents } from "../testing/opcodes.ts";
import { World } from "../testing/world.ts";

const byUser = "event.data.userId == async.data.userId";
const paid = { name: "paid", event: "order/paid", expression: byUser };
const gone = { name: "gone", event: "order/cancelled", expression: null };

function started(settings = {}): { world: World; id: string } {
  const world = new World(settings);
  world.sync("app", [{ slug: "fn" }]);
  const [id] = world.send("fn", { userId: "u1" });
  assert.ok(id);
  return { world, id };
}

function data(world: World, id: string, stepId = "w"): unknown {
  const memo = world.memo(id, stepId);
  return memo !== null && typeof memo === "object" && "data" in memo ? memo.data : memo;
}

function n(event: unknown): unknown {
  // proof: events in memos have data
  return (event as { data: { n?: unknown } }).data.n;
}

test("any: the first event wins, is named, and takes the waits of the losers with it", () => {
  const { world, id } = started();
  world.ops(id, "step", [waitsForEvents("w", "any", [paid, gone])]);
  assert.equal(world.waitCount(), 2);
  world.send("order/paid", { userId: "u2" });
  assert.equal(world.memo(id, "w"), undefined, "another user's event is no match");
  world.send("order/cancelled", { n: 1 }, { externalId: "e1" });
  assert.deepEqual(data(world, id), {
    name: "gone",
    event: { id: "e1", name: "order/cancelled", data: { n: 1 }, ts: world.at, user: {} },
  });
  assert.equal(world.waitCount(), 0, "the losers are cancelled");
  world.send("order/paid", { userId: "u1" });
  assert.deepEqual(world.jobs(id), ["step"]);
  assert.equal(world.run(id).steps.get("w")?.op, "waitForAny");
});

test("any: two events in one request, the first of them wins", () => {
  for (const names of [
    ["order/paid", "order/cancelled"],
    ["order/cancelled", "order/paid"],
  ]) {
    const { world, id } = started();
    world.ops(id, "step", [waitsForEvents("w", "any", [paid, gone])]);
    const events = names.map((name) => world.event(name, { userId: "u1" }));
    world.do({ type: "events.received", events, resendable: false });
    const won = data(world, id) as { event: { name: string } }; // proof: the memo of mode `any`
    assert.equal(won.event.name, names[0]);
    assert.equal(world.waitCount(), 0);
  }
});

test("any: an event that fits several branches counts for the first of them", () => {
  for (const lookback of [null, "run"] as const) {
    const { world, id } = started();
    const branches = [
      { name: "b", event: "e", expression: "async.data.n > 5" },
      { name: "z", event: "e", expression: "async.data.n == 1" },
      { name: "a", event: "e", expression: null },
    ];
    if (lookback === "run") world.send("e", { n: 1 });
    world.ops(id, "step", [waitsForEvents("w", "any", branches, { lookback })]);
    if (lookback === null) world.send("e", { n: 1 });
    assert.equal((data(world, id) as { name: string }).name, "z"); // proof: the memo of mode `any`
  }
});

test("all: each branch takes its first event; the last one ends the step", () => {
  const { world, id } = started();
  world.ops(id, "step", [waitsForEvents("w", "all", [paid, gone])]);
  world.send("order/cancelled", { n: 1 });
  assert.equal(world.waitCount(), 1, "what has come is not waited for any more");
  world.send("order/cancelled", { n: 2 });
  assert.equal(world.memo(id, "w"), undefined);
  world.send("order/paid", { userId: "u1", n: 3 });
  const events = data(world, id) as Record<string, unknown>; // proof: the memo of mode `all`
  assert.deepEqual(
    Object.keys(events),
    ["paid", "gone"],
    "in the order in which they were asked for",
  );
  assert.deepEqual([n(events["paid"]), n(events["gone"])], [3, 1]);
  assert.equal(world.run(id).steps.get("w")?.op, "waitForAll");
});

test("all: one event may stand for several branches, live and by look-back", () => {
  for (const lookback of [null, "run"] as const) {
    const { world, id } = started();
    const twice = ["one", "two"].map((name) => ({ name, event: "e", expression: null }));
    if (lookback === "run") world.send("e", { n: 1 });
    world.ops(id, "step", [waitsForEvents("w", "all", twice, { lookback })]);
    if (lookback === null) world.send("e", { n: 1 });
    const events = data(world, id) as Record<string, unknown>; // proof: the memo of mode `all`
    assert.deepEqual([n(events["one"]), n(events["two"])], [1, 1]);
  }
});

test("without its events the step times out to null; what had come is told to people", () => {
  const { world, id } = started();
  const more = { timeout: { forMs: 1_000 } };
  world.ops(id, "step", [
    waitsForEvents("any", "any", [paid, gone], more),
    waitsForEvents("all", "all", [paid, gone], {
      ...more,
      opts: toJsonText({ k: 1 }),
    }),
  ]);
  world.send("order/cancelled", {}, { externalId: "e1" });
  world.wake(id, "all", world.at + 1_000);
  assert.equal(world.memo(id, "all"), null);
  assert.deepEqual(JSON.parse(world.run(id).steps.get("all")?.opts ?? ""), {
    k: 1,
    received: { gone: "e1" },
  });
  assert.equal(world.waitCount(), 0);
});

test("an event at the very moment of the time-out does not count", () => {
  const { world, id } = started();
  world.ops(id, "step", [waitsForEvents("w", "any", [gone], { timeout: { forMs: 1_000 } })]);
  world.at += 1_000;
  world.send("order/cancelled");
  assert.equal(world.memo(id, "w"), undefined);
  world.wake(id, "w");
  assert.equal(world.memo(id, "w"), null);
});

test("a look-back takes the oldest event of any branch, and every branch's own with all", () => {
  const { world, id } = started();
  world.at += 5;
  world.send("order/cancelled", { n: 1 });
  world.send("order/paid", { userId: "u1", n: 2 });
  world.send("order/cancelled", { n: 3 });
  const more = { lookback: "run" } as const;
  world.ops(id, "step", [waitsForEvents("any", "any", [paid, gone], more)]);
  const first = data(world, id, "any") as { name: string; event: unknown }; // proof: mode `any`
  assert.deepEqual([first.name, n(first.event)], ["gone", 1]);
  world.ops(id, "step", [waitsForEvents("all", "all", [paid, gone], more)]);
  const all = data(world, id, "all") as Record<string, unknown>; // proof: the memo of mode `all`
  assert.deepEqual([n(all["paid"]), n(all["gone"])], [2, 3], "one event resumes one wait of a run");
  world.ops(id, "step", [waits("w", "order/cancelled", more)]);
  assert.equal(world.memo(id, "w"), undefined, "and waits for one event know of them, too");
});

test("what a wait for all had when its time was over is free for a later wait", () => {
  const { world, id } = started();
  const opened = [
    waitsForEvents("w", "all", [paid, gone], { timeout: { forMs: 1_000 } }),
    planned("p"),
  ];
  world.ops(id, "step", opened, 1);
  world.send("order/cancelled", { n: 1 });
  world.ops(id, "p", [ran("p")], 1);
  const other = waits("other", "order/cancelled", { lookback: "run", timeout: { forMs: 5_000 } });
  world.ops(id, "after:p", [other], 1);
  assert.equal(world.memo(id, "other"), undefined, "while it waits the event is its own");
  world.wake(id, "w", world.at + 1_000);
  assert.equal(world.memo(id, "w"), null);
  world.ops(id, "after:w", [waits("later", "order/cancelled", { lookback: "run" })], 1);
  assert.equal(n(world.memo(id, "later")), 1);
});

test("half of the events may come before, half during the wait", () => {
  const { world, id } = started();
  world.send("order/cancelled", { n: 1 });
  world.ops(id, "step", [waitsForEvents("w", "all", [paid, gone], { lookback: "run" })]);
  assert.equal(world.waitCount(), 1);
  world.send("order/paid", { userId: "u1", n: 2 });
  const all = data(world, id) as Record<string, unknown>; // proof: the memo of mode `all`
  assert.deepEqual([n(all["paid"]), n(all["gone"])], [2, 1]);
});

test("too many branches fail the step with the limit, its value and its setting", () => {
  const { world, id } = started({ waitBranchesMax: 2 });
  const opcode = waitsForEvents("w", "any", ["a", "b", "c"], { lookback: "run" });
  const answer = {
    kind: "opcodes",
    opcodes: [opcode],
    retryAfterMs: null,
    requestVersion: 2,
  } as const;
  const { generation } = world.call(id);
  const at = { at: world.at, sentAt: world.at, seed: [1, 2, 3, 4] } as const;
  const command = { type: "call.answered", runId: id, jobId: "step", generation, answer } as const;
  assert.deepEqual(requirements(world.state, { ...command, ...at }), [], "nothing is read for it");
  world.ops(id, "step", [opcode]);
  const { error } = world.memo(id, "w") as { error: { code: string; message: string } }; // proof: a failed step
  assert.equal(error.code, "wait_branches_exceeded");
  assert.match(error.message, /"w" waits for 3 events.*limit is 2.*waitBranchesMax/);
});

test("an expression that cannot be used fails the step and names the event", () => {
  const { world, id } = started();
  const bad = { name: "bad", event: "e", expression: "async.data." };
  world.ops(id, "step", [waitsForEvents("w", "any", [gone, bad])]);
  const { error } = world.memo(id, "w") as { error: { code: string; message: string } }; // proof: a failed step
  assert.equal(error.code, "expression_invalid");
  assert.match(error.message, /event "e"/);
  assert.equal(world.waitCount(), 0);
});

test("the end of the run takes the waits with it", () => {
  const { world, id } = started();
  world.ops(id, "step", [waitsForEvents("w", "all", [paid, gone])]);
  world.send("order/cancelled");
  world.do({ type: "run.cancelled", runId: id, reason: "test" });
  assert.equal(world.waitCount(), 0);
});

test("whatever comes in whatever order, `any` has the first and `all` the first of each", () => {
  const names = ["a", "b", "c"];
  const orders = fc.array(fc.constantFrom(...names, "d"), { maxLength: 8 });
  fc.assert(
    fc.property(orders, fc.nat({ max: 8 }), fc.boolean(), (order, before, together) => {
      const { world, id } = started();
      const events = order.map((name, at) => world.event(name, { n: at }));
      const send = (list: typeof events): void => {
        for (const part of together ? [list] : list.map((event) => [event]))
          world.do({ type: "events.received", events: part, resendable: false });
      };
      send(events.slice(0, before));
      const lookback = "run" as const;
      world.ops(id, "step", [
        waitsForEvents("any", "any", names, { lookback: null }),
        waitsForEvents("all", "all", names, { lookback }),
      ]);
      send(events.slice(before));
      const live = order.findIndex((name, at) => at >= before && names.includes(name));
      const won = data(world, id, "any") as { event: unknown } | undefined; // proof: mode `any`
      assert.equal(won === undefined ? -1 : n(won.event), live);
      const firsts = names.map((name) => order.indexOf(name));
      const all = data(world, id, "all") as Record<string, unknown> | undefined; // proof: mode `all`
      if (firsts.includes(-1)) assert.equal(all, undefined);
      else
        assert.deepEqual(
          names.map((name) => n(all?.[name])),
          firsts,
        );
    }),
  );
});
