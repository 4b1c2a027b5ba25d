// Concurrency: limits of functions and of keys, shared keys, redeploys, and exact counts whatever
// happens.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { planned, ran, sleeps } from "../testing/opcodes.ts";
import { assertGates } from "../testing/gate-counts.ts";
import { register, start, states, worldWith, type Functions } from "../testing/flow.ts";
import type { World } from "../testing/world.ts";
import { roomFor } from "./concurrency.ts";

test("a function has so many calls out; sleeping runs take no place", () => {
  const world = worldWith({ fn: { concurrency: 2 }, other: {} });
  const ids = [1, 2, 3].map(() => start(world, "fn"));
  const [a = "", , c = ""] = ids;
  assert.deepEqual(states(world, ids), ["leased", "leased", "queued"]);
  assert.equal(world.call(start(world, "other")).state.at, "leased");
  world.ops(a, "step", [sleeps("nap", 1_000)]);
  assert.deepEqual(
    world.effects.filter((effect) => effect.type === "pull"),
    [{ type: "pull", gate: "fn:id-fn" }],
  );
  world.pull();
  assert.equal(world.call(c).state.at, "leased");
  world.wake(a, "nap", world.at + 1_000);
  assert.equal(world.call(a).state.at, "queued");
  assertGates(world);
});

test("each value of a key has a limit and a queue of its own", () => {
  const world = worldWith({ fn: { concurrency: { limit: 1, key: "event.data.user" } } });
  const busy = [1, 2, 3].map(() => start(world, "fn", { user: "a" }));
  const other = start(world, "fn", { user: "b" });
  const none = start(world, "fn");
  assert.deepEqual(states(world, busy), ["leased", "queued", "queued"]);
  assert.deepEqual(states(world, [other, none]), ["leased", "leased"]);
  for (const [n, id] of busy.entries()) {
    world.complete(id);
    world.pull();
    assert.equal(world.job(id), undefined);
    const next = busy[n + 1];
    if (next !== undefined) assert.equal(world.call(next).state.at, "leased", "in order");
  }
  assertGates(world);
});

test("events of one request go in their order", () => {
  const world = worldWith({ fn: { concurrency: 1 } });
  const from = world.changes.length;
  const events = Array.from({ length: 20 }, (_, n) => world.event("fn", { n }));
  world.do({ type: "events.received", events, resendable: false });
  const ids = world.startedSince(from);
  for (const id of ids) {
    assert.equal(world.call(id).state.at, "leased");
    world.complete(id);
    world.pull();
  }
});

test("what waits for a function that is gone waits no longer", () => {
  const world = worldWith({ fn: { concurrency: 1 }, other: {} });
  const held = start(world, "other");
  const ids = [start(world, "fn"), start(world, "fn")];
  register(world, { other: {} });
  assert.ok(world.effects.some((effect) => effect.type === "pull" && effect.gate === "fn:id-fn"));
  world.pull();
  assert.deepEqual(states(world, [held, ...ids]), ["leased", "leased", "leased"]);
  world.do({ type: "function.paused", functionId: "id-other" });
  const paused = start(world, "other");
  world.do({ type: "app.removed", appId: "app-app" });
  world.pull();
  assert.deepEqual(states(world, [paused]), ["leased"]);
});

test("two keys: a call needs room at both, and keeps its place while it changes queues", () => {
  const keys = ["event.data.user", "event.data.team"].map((key) => ({ limit: 1, key }));
  const world = worldWith({ fn: { concurrency: keys } });
  const first = start(world, "fn", { user: "u1", team: "t1" });
  const sameTeam = start(world, "fn", { user: "u2", team: "t1" });
  const both = start(world, "fn", { user: "u1", team: "t1" });
  const readyAt = world.at;
  const free = start(world, "fn", { user: "u3", team: "t3" });
  assert.deepEqual(states(world, [first, sameTeam, both, free]), [
    "leased",
    "queued",
    "queued",
    "leased",
  ]);
  world.complete(first);
  world.pull();
  assert.deepEqual(states(world, [sameTeam, both]), ["leased", "queued"]);
  const waiting = world.call(both).state;
  assert.ok(waiting.at === "queued" && waiting.since === readyAt);
  assert.match(waiting.gate, /^c:fn:id-fn:/);
  world.complete(sameTeam);
  world.pull();
  assert.equal(world.call(both).state.at, "leased");
  assertGates(world);
});

test("a key of the environment counts calls of all functions, each with its own limit", () => {
  const key = { key: "'mail'", scope: "env" };
  const world = worldWith({
    a: { concurrency: [{ limit: 1, ...key }] },
    b: { concurrency: [{ limit: 3, ...key }] },
  });
  const a = [1, 2].map(() => start(world, "a"));
  const b = [1, 2, 3].map(() => start(world, "b"));
  world.pull();
  assert.deepEqual(states(world, [...a, ...b]), ["leased", "queued", "leased", "leased", "queued"]);
  const gate = [...world.state.gateKeys()].find((name) => name.startsWith("c:env")) ?? "";
  assert.deepEqual([...world.state.queues(gate).keys()], [`${gate}|id-a`, `${gate}|id-b`]);
});

test("a redeploy changes the limits of runs that go on; a limit that is gone or 0 is none", () => {
  const limited = (limit: number) => ({
    fn: { concurrency: { limit, key: "event.data.user" } },
  });
  const world = worldWith(limited(1));
  const ids = [1, 2, 3, 4, 5, 6].map(() => start(world, "fn", { user: "a" }));
  const out = () => ids.filter((id) => world.call(id).state.at === "leased").length;
  assert.equal(out(), 1);
  register(world, limited(2));
  assert.ok(world.effects.some((effect) => effect.type === "pull"));
  world.pull();
  assert.equal(out(), 2);
  register(world, limited(1));
  world.pull();
  assert.equal(out(), 2, "calls that are out stay out");
  world.complete(ids.shift() ?? "");
  world.pull();
  assert.equal(out(), 1, "the lower limit counts from now on");
  register(world, limited(0));
  world.pull();
  assert.equal(out(), 5);
  register(world, limited(1));
  register(world, { fn: {} });
  world.pull();
  assertGates(world);
});

test("a call that needs two places gets both, though neither is ever free with the other", () => {
  const [left, right] = ["'left'", "'right'"].map((key) => ({ limit: 1, key, scope: "env" }));
  for (const both of [
    [left, right],
    [right, left],
  ]) {
    const world = worldWith({
      both: { concurrency: both },
      left: { concurrency: [left] },
      right: { concurrency: [right] },
    });
    const busy = { left: start(world, "left"), right: start(world, "right") };
    const needy = start(world, "both");
    let rounds = 0;
    while (world.call(needy).state.at !== "leased") {
      assert.ok(rounds++ < 5, "it gets its places");
      for (const side of ["left", "right"] as const) {
        const next = start(world, side);
        world.complete(busy[side]);
        // Each queue has its turn, the needy call's first.
        for (const runId of [needy, next])
          world.do({ type: "call.admitted", runId, jobId: "step" });
        if (world.call(next).state.at === "leased") busy[side] = next;
        assertGates(world);
      }
    }
    world.complete(needy);
    world.pull();
    for (const id of world.runIds()) if (world.job(id) !== undefined) world.complete(id);
    assert.deepEqual([...world.state.gateKeys()], []);
  }
});

const letters = ["x", "y", "z"];
const subsets = fc.subarray(letters, { minLength: 1, maxLength: 2 });

test("no call starves while every place is always taken again", () => {
  const scenario = fc.record({
    limits: fc.tuple(...letters.map(() => fc.integer({ min: 1, max: 2 }))),
    needs: fc.array(subsets, { minLength: 2, maxLength: 4 }),
    needy: subsets,
    picks: fc.array(fc.nat(), { minLength: 25, maxLength: 25 }),
  });
  fc.assert(
    fc.property(scenario, ({ limits, needs, needy, picks }) => {
      const options = (of: readonly string[]) => ({
        concurrency: of.map((key) => ({
          key: `'${key}'`,
          scope: "env",
          limit: limits[letters.indexOf(key)] ?? 1,
        })),
      });
      // Any single letter is always wanted, too: no place stays free.
      const others = [...needs, ...letters.map((letter) => [letter])];
      const functions = Object.fromEntries(others.map((of, n) => [`f${n}`, options(of)]));
      const world = worldWith({ ...functions, needy: options(needy) });
      for (const name of [...Object.keys(functions), ...Object.keys(functions)]) start(world, name);
      const target = start(world, "needy");
      const served = new Map<string, string>();
      for (const pick of picks) {
        // Calls end sooner or later, in any order.
        const out = callsOut(world).toSorted((x, y) => spread(x, pick) - spread(y, pick));
        for (const runId of out) {
          if (world.call(target).state.at === "leased") return;
          const { functionId } = world.run(runId).run;
          start(world, world.state.functionById(functionId)?.slug ?? "");
          world.complete(runId);
          takeTurns(world, served, pick % 2 === 0);
          assertGates(world);
        }
      }
      assert.fail("it starves");
    }),
    { numRuns: 150 },
  );
});

function callsOut(world: World): string[] {
  return world.runIds().filter((id) => {
    const job = world.job(id);
    return job?.kind === "call" && job.state.at === "leased";
  });
}

/** Any order that is the same for id and number. */
function spread(id: string, by: number): number {
  return Math.imul(Number.parseInt(id.slice(-5), 32) + 1, 2 * by + 1) >>> 3;
}

/** What a shell does when gates have room: the queues before each take turns, heads first. */
function takeTurns(world: World, served: Map<string, string>, reversed: boolean): void {
  const gates = Array.from(world.state.gateKeys());
  for (const gate of reversed ? gates.toReversed() : gates) {
    const queues = [...world.state.queues(gate).keys()].toSorted();
    const last = served.get(gate) ?? "";
    const turns = [
      ...queues.filter((name) => name > last),
      ...queues.filter((name) => name <= last),
    ];
    for (const queue of turns) {
      const waiting = world.queue(gate);
      const head = waiting.find(({ state }) => state.at === "queued" && state.gate === queue);
      if (head === undefined || roomFor(world.state, queue) === 0) continue;
      world.do({ type: "call.admitted", runId: head.runId, jobId: head.id });
      served.set(gate, queue);
    }
  }
}

type Move =
  | { readonly kind: "send"; readonly fn: string; readonly user: number; readonly team: number }
  | { readonly kind: "limit"; readonly limit: number }
  | { readonly kind: Act; readonly run: number; readonly job: number }
  | { readonly kind: "pull" };
type Act = "done" | "steps" | "fail" | "lose" | "cancel" | "wake" | "admit";

const nat = fc.nat({ max: 8 });
const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({
    kind: fc.constant("send" as const),
    fn: fc.constantFrom("fn", "twin", "alone"),
    user: fc.nat({ max: 2 }),
    team: fc.nat({ max: 1 }),
  }),
  fc.record({ kind: fc.constant("limit" as const), limit: fc.nat({ max: 3 }) }),
  fc.record({
    kind: fc.constantFrom<Act>("done", "steps", "fail", "lose", "cancel", "wake", "admit"),
    run: nat,
    job: fc.nat({ max: 2 }),
  }),
  fc.constant({ kind: "pull" as const }),
);

function configured(limit: number): Functions {
  const team = { limit: 2, key: "event.data.team", scope: "account" };
  const user = { limit: 1, key: "event.data.user", scope: "env" };
  return {
    fn: { concurrency: [{ limit: limit + 1, key: "event.data.user" }, team] },
    twin: { concurrency: [user, team] },
    alone: { concurrency: [user, { limit: 3 }] },
  };
}

function play(world: World, step: Move): void {
  if (step.kind === "send") {
    world.send(step.fn, { user: step.user, team: step.team });
  } else if (step.kind === "limit") {
    register(world, configured(step.limit));
  } else if (step.kind === "pull") {
    world.pull();
  } else {
    const ids = world.runIds();
    const runId = ids[step.run % Math.max(1, ids.length)];
    if (runId !== undefined) act(world, step.kind, runId, step.job);
  }
}

function act(world: World, kind: Act, runId: string, index: number): void {
  if (kind === "cancel") return void world.do({ type: "run.cancelled", runId, reason: "test" });
  const jobs = [...world.run(runId).jobs.values()];
  const job = jobs[index % Math.max(1, jobs.length)];
  if (job === undefined) return;
  if (kind === "wake") return void world.wake(runId, job.id, world.at + 40_000);
  if (job.kind !== "call") return;
  const { generation, id: jobId, state } = job;
  if (kind === "admit") world.do({ type: "call.admitted", runId, jobId });
  else if (kind === "lose") world.do({ type: "call.lost", runId, jobId, generation });
  else if (state.at !== "leased") return;
  else if (kind === "done") finishCall(world, runId, jobId, job.target);
  else if (kind === "fail") world.fail(runId, "x", {}, jobId);
  else world.ops(runId, jobId, [planned("p1"), planned("p2"), sleeps("s", 1_000)]);
}

function finishCall(world: World, runId: string, jobId: string, target: string): void {
  if (target === "step") world.complete(runId, 1, jobId);
  else world.ops(runId, jobId, [ran(target)]);
}

test("limits hold at every instant and no place leaks, whatever happens", () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      const world = worldWith(configured(0), { callsPerAppMax: 5 });
      let lowered = false;
      for (const step of moves) {
        lowered ||= step.kind === "limit";
        play(world, step);
        // A limit that was lowered holds for calls that go out from then on.
        if (!lowered) assertGates(world);
      }
      drain(world);
      assert.deepEqual([...world.state.gateKeys()], [], "everything is free again");
    }),
    { numRuns: 150 },
  );
});

/** A cooperative app, time and a shell: every run comes to its end, or somebody starves. */
function drain(world: World): void {
  for (let round = 0; round < 400; round++) {
    world.pull();
    let open = 0;
    for (const id of world.runIds()) {
      for (const job of Array.from(world.run(id).jobs.values())) {
        open++;
        if (world.job(id, job.id) === undefined) continue;
        if (job.kind !== "call" || job.state.at === "delayed") {
          world.wake(id, job.id, world.at + 40_000);
        } else if (job.state.at === "leased") finishCall(world, id, job.id, job.target);
      }
    }
    if (open === 0) return;
  }
  assert.fail("a call starves");
}
