// Turns before gates that functions share: whatever limits they set, and in whatever order a shell
// offers what waits, each has its turn within a bound, and places are kept free for that alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { gateOfQueue } from "../gate.ts";
import type { CallJob } from "../records.ts";
import { register, start, states, worldWith, type Functions } from "../testing/flow.ts";
import { assertGates } from "../testing/gate-counts.ts";
import type { World } from "../testing/world.ts";
import { passesLeft, passesMax, roomFor } from "./concurrency.ts";

const key = { key: "'mail'", scope: "env" };

function limited(limits: Readonly<Record<string, number>>): Functions {
  return Object.fromEntries(
    Object.entries(limits).map(([name, limit]) => [name, { concurrency: [{ limit, ...key }] }]),
  );
}

function slugOf(world: World, runId: string): string {
  return world.run(runId).run.functionId.slice("id-".length);
}

function callsOut(world: World): string[] {
  return world.runIds().filter((id) => {
    const job = world.job(id);
    return job?.kind === "call" && job.state.at === "leased";
  });
}

/** Offers heads of queues, those of `last` after all others, until nobody finds room. */
function offer(world: World, last: string, picks: () => number): void {
  for (;;) {
    const heads = headsOf(world).filter(({ queue }) => roomFor(world.state, queue) > 0);
    const others = heads.filter(({ queue }) => !queue.endsWith(`|id-${last}`));
    const from = others.length > 0 ? others : heads;
    const head = from[picks() % Math.max(1, from.length)];
    if (head === undefined) return;
    const before = world.changes.length;
    world.do({ type: "call.admitted", runId: head.call.runId, jobId: head.call.id });
    assert.ok(world.changes.length > before, `${head.queue} has room and moves`);
  }
}

function headsOf(world: World): { queue: string; call: CallJob }[] {
  const heads = new Map<string, CallJob>();
  for (const gate of world.state.gateKeys()) {
    for (const call of world.queue(gate))
      if (call.state.at === "queued" && !heads.has(call.state.gate))
        heads.set(call.state.gate, call);
  }
  return [...heads].map(([queue, call]) => ({ queue, call }));
}

test("a function with the lowest limit at a shared key has its turn, though others always exceed it", () => {
  const world = worldWith(limited({ one: 1, five: 5 }));
  for (let n = 0; n < 8; n++) start(world, "five");
  const needy = start(world, "one");
  let passed = 0;
  for (;;) {
    const [oldest = ""] = callsOut(world);
    start(world, "five");
    world.complete(oldest);
    const out = callsOut(world).length;
    offer(world, "one", () => 0);
    if (world.call(needy).state.at === "leased") break;
    passed += callsOut(world).length - out;
    assert.ok(passed <= passesMax(5, 2), `${passed} calls passed`);
    assertGates(world);
  }
  assert.equal(passed, passesMax(5, 2), "places are not kept free before it has waited so long");
  assert.deepEqual(callsOut(world).length, 5, "with its turn, others go on at once");
});

test("a function may let as many pass whether it waits at the gate or comes from another", () => {
  const world = worldWith(limited({ one: 1, five: 5 }));
  for (let n = 0; n < 5; n++) start(world, "five");
  start(world, "one");
  const gate = [...world.state.gateKeys()].find((name) => name.startsWith("c:")) ?? "";
  const before = passesLeft(world.state, gate, "id-five");
  start(world, "five");
  assert.equal(world.state.queues(gate).size, 2);
  // Else it finds room only where it waits, goes on, is sent back, and finds room again.
  assert.equal(passesLeft(world.state, gate, "id-five"), before);
});

test("what waits for its turn and is cancelled lets others go on", () => {
  const world = worldWith(limited({ one: 1, two: 2 }));
  const first = [start(world, "two"), start(world, "two")];
  const needy = start(world, "one");
  const more = Array.from({ length: 12 }, () => start(world, "two"));
  const out = () => callsOut(world);
  while (out().length === 2) {
    world.complete(out()[0] ?? "");
    offer(world, "one", () => 0);
  }
  assert.equal(out().length, 1, "a place is kept free");
  assert.ok(!out().includes(first[0] ?? ""));
  world.do({ type: "run.cancelled", runId: needy, reason: "test" });
  assert.ok(world.effects.some((effect) => effect.type === "pull"));
  world.pull();
  assert.equal(out().length, 2);
  assert.ok(states(world, [more.at(-1) ?? ""]).includes("queued"));
});

test("a function whose limit is gone does not keep others from theirs", () => {
  const world = worldWith(limited({ one: 1, gone: 1 }));
  const runs = Array.from({ length: 20 }, () => start(world, "gone"));
  const needy = start(world, "one");
  register(world, { ...limited({ one: 1 }), gone: {} });
  offer(world, "one", () => 0);
  const out = callsOut(world);
  assert.equal(out.length, 1 + passesMax(1, 2));
  for (const runId of out) world.complete(runId);
  offer(world, "one", () => 0);
  assert.equal(world.call(needy).state.at, "leased");
  assert.equal(callsOut(world).length, runs.length - out.length + 1, "then the others go on");
});

test("each queue has its turn within the bound, in any order of offers and ends", () => {
  const scenario = fc.record({
    limits: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 4 }),
    appMax: fc.constantFrom(3, 256),
    picks: fc.array(fc.nat(), { minLength: 40, maxLength: 120 }),
  });
  fc.assert(
    fc.property(scenario, ({ limits, appMax, picks }) => {
      const names = limits.map((_, n) => `f${n}`);
      const byName = Object.fromEntries(limits.map((limit, n) => [`f${n}`, limit]));
      const world = worldWith(limited(byName), { callsPerAppMax: appMax });
      for (const name of [...names, ...names, ...names]) start(world, name);
      const bound = passesMax(Math.max(...limits), names.length) + names.length - 1;
      let at = 0;
      const pick = () => picks[at++ % picks.length] ?? 0;
      const last = names[pick() % names.length] ?? "";
      const passed = new Map<string, number>();
      for (let round = 0; round < picks.length; round++) {
        const out = callsOut(world);
        const ended = out[pick() % Math.max(1, out.length)] ?? "";
        start(world, slugOf(world, ended));
        world.complete(ended);
        const before = new Set(callsOut(world));
        const waiting = new Map(headsOf(world).map(({ queue, call }) => [queue, call.runId]));
        offer(world, last, pick);
        countTurns(world, passed, before, waiting);
        for (const [queue, count] of passed) assert.ok(count <= bound, `${queue}: ${count}`);
        assertGates(world);
      }
    }),
    { numRuns: 60 },
  );
});

/** Counts what others let pass while a queue kept its head. */
function countTurns(
  world: World,
  passed: Map<string, number>,
  before: ReadonlySet<string>,
  waiting: ReadonlyMap<string, string>,
): void {
  const left = callsOut(world).filter((runId) => !before.has(runId));
  const heads = new Map(headsOf(world).map(({ queue, call }) => [queue, call.runId]));
  for (const [queue, head] of waiting) {
    const isShared = gateOfQueue(queue).startsWith("c:");
    if (heads.get(queue) !== head || !isShared) passed.delete(queue);
    else passed.set(queue, (passed.get(queue) ?? 0) + left.length);
  }
}

test("while a call keeps a place, others are held to its limit; when it is out, they go on", () => {
  const world = worldWith({
    needy: keyed({ x: 1, y: 1 }),
    many: keyed({ x: 4 }),
    busy: keyed({ y: 1 }),
  });
  const busy = start(world, "busy");
  const needy = start(world, "needy");
  const many = start(world, "many");
  // It finds its place at x taken: from now on it keeps what it passes.
  world.complete(busy);
  const more = start(world, "busy");
  world.pull();
  world.complete(many);
  world.pull();
  const others = [start(world, "many"), start(world, "many")];
  world.pull();
  assert.deepEqual(states(world, [needy, ...others]), ["queued", "queued", "queued"]);
  world.complete(more);
  world.do({ type: "call.admitted", runId: needy, jobId: world.call(needy).id });
  assert.equal(world.call(needy).state.at, "leased");
  const pulled = world.effects.some((effect) => effect.type === "pull");
  assert.ok(pulled, "nothing else tells that there is room again");
  world.pull();
  assert.deepEqual(states(world, others), ["leased", "leased"]);
});

test("who needs two shared keys goes out within a bound, whatever limits others set at each", () => {
  const limit = fc.integer({ min: 1, max: 3 });
  const limits = fc.record({ x: fc.option(limit), y: fc.option(limit) });
  const scenario = fc.record({
    needy: fc.record({ x: limit, y: limit }),
    others: fc.array(limits, { maxLength: 2 }),
    appMax: fc.constantFrom(4, 256),
    picks: fc.array(fc.nat(), { minLength: 40, maxLength: 80 }),
  });
  fc.assert(
    fc.property(scenario, ({ needy, others, appMax, picks }) => {
      // Both keys are always in full use by others, with limits above those of who needs both.
      const all = [{ x: 4, y: null }, { x: null, y: 4 }, ...others];
      const named = Object.fromEntries(all.map((of, n) => [`f${n}`, keyed(of)]));
      const world = worldWith({ ...named, needy: keyed(needy) }, { callsPerAppMax: appMax });
      for (let n = 0; n < 6; n++) for (const name of Object.keys(named)) start(world, name);
      const target = start(world, "needy");
      let at = 0;
      const pick = () => picks[at++ % picks.length] ?? 0;
      for (let round = 0; round < 500; round++) {
        const out = callsOut(world);
        // Any order of ends, but each call ends.
        const ended = out[round % 4 === 0 ? 0 : pick() % out.length] ?? "";
        start(world, slugOf(world, ended));
        world.complete(ended);
        offer(world, "needy", pick);
        assertGates(world);
        if (world.call(target).state.at === "leased") return;
      }
      assert.fail("it starves");
    }),
    { numRuns: 40, endOnFailure: true },
  );
});

function keyed(limits: Readonly<Record<string, number | null>>): object {
  const all = Object.entries(limits).filter(([, limit]) => limit !== null);
  return { concurrency: all.map(([name, limit]) => ({ key: `'${name}'`, scope: "env", limit })) };
}
