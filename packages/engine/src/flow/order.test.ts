// The order of checks between an event and its run (protocol.md 5.1), where several options meet.
import assert from "node:assert/strict";
import { test } from "node:test";
import { invokes } from "../testing/opcodes.ts";
import { only, start, states, statuses, worldWith } from "../testing/flow.ts";
import type { World } from "../testing/world.ts";

/** Sends an event; the run that it started or joined. */
function send(world: World, data: object = {}, more: { ts?: number; externalId?: string } = {}) {
  world.at++;
  const from = world.changes.length;
  world.send("fn", data, more);
  const runs = world.changes.slice(from).filter((change) => change.type === "run.put");
  return [...new Set(runs.map(({ run }) => run.id))];
}

function due(world: World, runId: string): void {
  const { state } = world.call(runId);
  assert.ok(state.at === "delayed", state.at);
  world.wake(runId, "step", state.dueAt);
}

const period = { debounce: { period: "5s" } };
const batch = { batchEvents: { maxSize: 3, timeout: "5s" } };

test("an event meets idempotency, rate limit, debounce and singleton in this order", () => {
  const world = worldWith({
    fn: {
      ...period,
      idempotency: "event.data.order",
      rateLimit: { limit: 2, period: "1h" },
      singleton: { mode: "skip" },
    },
  });
  const first = only(send(world, { order: 1 }));
  assert.deepEqual(send(world, { order: 1 }), [], "a repeat uses nothing of the rate");
  assert.deepEqual(send(world, { order: 2 }), [first], "the second of the rate puts off the first");
  const limited = only(send(world, { order: 3 }));
  assert.deepEqual(statuses(world, [first, limited]), ["queued", "skipped"]);
  assert.match(world.run(limited).run.endReason ?? "", /^rate limit/);
  due(world, first);
  assert.deepEqual(states(world, [first]), ["leased"]);
  world.at += 3_600_000;
  const second = only(send(world, { order: 3 }));
  assert.deepEqual(statuses(world, [second]), ["queued"], "what the rate refused is no repeat");
  due(world, second);
  assert.deepEqual(statuses(world, [second]), ["skipped"], "the singleton comes last");
  assert.match(world.run(second).run.endReason ?? "", /^singleton/);
});

for (const gathers of [period, batch]) {
  const [name = ""] = Object.keys(gathers);

  test(`${name} and singleton skip: the singleton is asked for when events have been gathered`, () => {
    const world = worldWith({ fn: { ...gathers, singleton: { mode: "skip" } } });
    const first = only(send(world));
    due(world, first);
    const second = only(send(world));
    assert.deepEqual(statuses(world, [first, second]), ["running", "queued"]);
    world.complete(first);
    due(world, second);
    assert.deepEqual(statuses(world, [second]), ["running"], "the first had ended by then");
    const third = only(send(world));
    due(world, third);
    assert.deepEqual(statuses(world, [third]), ["skipped"]);
    assert.equal(world.run(third).jobs.size, 0);
    assert.equal(world.run(third).run.holds.length, 0);
    world.complete(second);
    const fourth = only(send(world));
    assert.notEqual(fourth, third, "its slot is free");
    due(world, fourth);
    assert.deepEqual(statuses(world, [fourth]), ["running"], "it held nothing");
  });

  test(`${name} and singleton cancel: the run before goes on while events are gathered`, () => {
    const world = worldWith({ fn: { ...gathers, singleton: { mode: "cancel" } } });
    const first = only(send(world));
    due(world, first);
    const second = only(send(world));
    assert.deepEqual(statuses(world, [first, second]), ["running", "queued"]);
    due(world, second);
    assert.deepEqual(statuses(world, [first, second]), ["cancelled", "running"]);
  });

  test(`${name} and singleton skip: invokers hear that nothing starts`, () => {
    const world = worldWith({ parent: {}, fn: { ...gathers, singleton: { mode: "skip" } } });
    due(world, only(send(world)));
    const parent = start(world, "parent");
    world.ops(parent, "step", [invokes("call", "fn")]);
    const gathering = only(send(world));
    due(world, gathering);
    assert.deepEqual(statuses(world, [gathering]), ["skipped"]);
    assert.match(JSON.stringify(world.memo(parent, "call")), /run_skipped.*singleton: run/);
  });
}

test("debounced runs of several keys gather beside each other, whatever the singleton says", () => {
  const debounce = { period: "5s", key: "event.data.user" };
  const world = worldWith({
    fn: { debounce, singleton: { mode: "skip", key: "event.data.team" } },
  });
  const a = only(send(world, { user: "a", team: 1 }));
  const b = only(send(world, { user: "b", team: 1 }));
  assert.deepEqual(statuses(world, [a, b]), ["queued", "queued"]);
  send(world, { user: "b", team: 2 });
  due(world, a);
  due(world, b);
  assert.deepEqual(statuses(world, [a, b]), ["running", "running"], "of the last event's team");
});

test("a batch that is full at once and may not start tells so", () => {
  const world = worldWith(
    { parent: {}, fn: { ...batch, singleton: { mode: "skip" } } },
    { batchCharsMax: 1 },
  );
  const first = only(send(world));
  const second = only(send(world));
  assert.deepEqual(statuses(world, [first, second]), ["running", "skipped"]);
  const parent = start(world, "parent");
  world.ops(parent, "step", [invokes("call", "fn")]);
  assert.match(JSON.stringify(world.memo(parent, "call")), /run_skipped/);
});

test("debounce: an event of the future starts its run then; further ones begin anew meanwhile", () => {
  const world = worldWith({ fn: period });
  const ts = world.at + 60_000;
  const first = only(send(world, {}, { ts }));
  due(world, first);
  assert.deepEqual(states(world, [first]), ["delayed"]);
  assert.notEqual(only(send(world)), first);
  due(world, first);
  assert.deepEqual([world.at, ...states(world, [first])], [ts, "leased"]);
});

test("debounce: an event that starts the function puts its run off, also where cancelOn names it", () => {
  const world = worldWith({ fn: { ...period, cancel: [{ event: "fn" }, { event: "stop" }] } });
  const first = only(send(world));
  assert.deepEqual(send(world), [first]);
  send(world, {}, { ts: world.at - 1_000 });
  assert.deepEqual(statuses(world, [first]), ["queued"]);
  due(world, first);
  const second = only(send(world).filter((id) => id !== first));
  assert.deepEqual(statuses(world, [first, second]), ["cancelled", "queued"], "a begun run is");
  world.send("stop");
  assert.deepEqual(statuses(world, [second]), ["cancelled"]);
});

test("the same event id gathers once, whatever comes between", () => {
  for (const gathers of [period, batch]) {
    const world = worldWith({ fn: gathers });
    const first = only(send(world, {}, { externalId: "e" }));
    send(world, {}, { externalId: "f" });
    const { eventIds } = world.run(first).run;
    assert.deepEqual(send(world, {}, { externalId: "e" }), []);
    assert.deepEqual(world.run(first).run.eventIds, eventIds);
  }
});
