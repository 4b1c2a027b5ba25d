// Runs that gather events before they begin: debounce and batches.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { EventRecord } from "../records.ts";
import { assertGates } from "../testing/gate-counts.ts";
import { invokes } from "../testing/opcodes.ts";
import { only, start, states, statuses, worldWith } from "../testing/flow.ts";
import type { World } from "../testing/world.ts";

/** Sends an event; the run that it started or joined. */
function send(world: World, data: object = {}, more: Partial<EventRecord> = {}): string {
  const from = world.changes.length;
  world.send("fn", data, more);
  const runs = world.changes.slice(from).filter((change) => change.type === "run.put");
  return only([...new Set(runs.map(({ run }) => run.id))]);
}

function datas(world: World, runId: string): unknown[] {
  return world.run(runId).events.map((event): unknown => JSON.parse(event.data));
}

function dueIn(world: World, runId: string): number {
  const { state } = world.call(runId);
  return state.at === "delayed" ? state.dueAt - world.at : 0;
}

test("debounce: the last event runs, a period after it; then the next begins anew", () => {
  const world = worldWith({ fn: { debounce: { period: "5s" } } });
  const first = send(world, { n: 1 });
  world.at += 4_000;
  assert.equal(send(world, { n: 2 }), first);
  assert.equal(dueIn(world, first), 5_000);
  world.wake(first, "step", world.at + 1_000);
  assert.equal(world.call(first).state.at, "delayed", "an old timer is none");
  world.wake(first, "step", world.at + 4_000);
  assert.deepEqual(states(world, [first]), ["leased"]);
  assert.deepEqual(datas(world, first), [{ n: 2 }]);
  const second = send(world, { n: 3 });
  assert.notEqual(second, first);
  assert.equal(dueIn(world, second), 5_000);
});

test("debounce: an older event is ignored, the timeout bounds the delay, keys are apart", () => {
  const debounce = { period: "5s", timeout: "8s", key: "event.data.k" };
  const world = worldWith({ fn: { debounce } });
  const run = send(world, { k: 1, n: 1 });
  world.at += 4_000;
  const late = world.changes.length;
  world.send("fn", { k: 1, n: 0 }, { ts: world.at - 4_001 });
  assert.deepEqual(
    world.changes.slice(late).map((change) => change.type),
    ["event.put"],
  );
  assert.equal(dueIn(world, run), 1_000);
  assert.equal(send(world, { k: 1, n: 2 }), run);
  assert.equal(dueIn(world, run), 4_000, "8 s after the first");
  assert.notEqual(send(world, { k: 2 }), run);
  world.at += 4_000;
  assert.equal(send(world, { k: 1, n: 3 }), run, "the last one at the end of the timeout");
  assert.deepEqual(states(world, [run]), ["leased"]);
  assert.deepEqual(datas(world, run), [{ k: 1, n: 3 }]);
});

test("debounce: what follows from the event follows from the last: keys, priority, cancelOn", () => {
  const world = worldWith({
    fn: {
      debounce: { period: "5s" },
      concurrency: { limit: 1, key: "event.data.u" },
      priority: { run: "event.data.p" },
      cancel: [{ event: "stop", if: "async.data.u == event.data.u" }],
      throttle: { limit: 1, period: "1h", key: "event.data.u" },
    },
  });
  const run = send(world, { u: "a", p: 1 });
  const [gate] = world.run(run).run.gates;
  send(world, { u: "b", p: 2 });
  assert.notDeepEqual(world.run(run).run.gates, [gate]);
  assert.equal(world.run(run).run.priorityMs, 2_000);
  world.send("stop", { u: "a" });
  assert.deepEqual(statuses(world, [run]), ["queued"]);
  world.wake(run, "step", world.at + 5_000);
  assert.deepEqual(states(world, [run]), ["leased"]);
  const again = send(world, { u: "b", p: 0 });
  world.wake(again, "step", world.at + 5_000);
  assert.equal(dueIn(world, again), 3_595_000, "its place in the throttle of b");
  world.send("stop", { u: "b" });
  assert.deepEqual(statuses(world, [run, again]), ["cancelled", "cancelled"]);
  assert.equal(world.waitCount(), 0);
});

test("batch: full ones go at once, others after their time; events are in order of arrival", () => {
  const world = worldWith({ fn: { batchEvents: { maxSize: 5, timeout: "5s" } } });
  const from = world.changes.length;
  const events = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => world.event("fn", { n }));
  world.do({ type: "events.received", events, resendable: false });
  const [full = "", rest = ""] = world.startedSince(from);
  assert.deepEqual(states(world, [full, rest]), ["leased", "delayed"]);
  assert.deepEqual(
    datas(world, full),
    [1, 2, 3, 4, 5].map((n) => ({ n })),
  );
  assert.equal(send(world, { n: 9 }), rest);
  world.wake(rest, "step", world.at + 5_000);
  assert.deepEqual(states(world, [rest]), ["leased"]);
  assert.deepEqual(
    datas(world, rest),
    [6, 7, 8, 9].map((n) => ({ n })),
  );
  const { batchId } = world.run(rest).run;
  assert.ok(batchId !== null && batchId !== world.run(full).run.batchId);
  assert.notEqual(send(world), rest, "a batch that went out takes no more");
});

test("batch: keys are apart; an event for which `if` is not true runs alone, at once", () => {
  const batchEvents = { maxSize: 3, timeout: "5s", key: "event.data.k", if: "event.data.wait" };
  const world = worldWith({ fn: { batchEvents } });
  const a = send(world, { k: "a", wait: true });
  const b = send(world, { k: "b", wait: true });
  const alone = send(world, { k: "a", wait: false });
  assert.deepEqual(states(world, [a, b, alone]), ["delayed", "delayed", "leased"]);
  assert.equal(world.run(alone).run.batchId, null);
  assert.equal(send(world, { k: "a", wait: true }), a);
});

test("batch: enough data goes out before the number is reached", () => {
  const world = worldWith(
    { fn: { batchEvents: { maxSize: 9, timeout: "5s" } } },
    { batchCharsMax: 40 },
  );
  const run = send(world, { text: "x".repeat(15) });
  assert.deepEqual(states(world, [run]), ["delayed"]);
  send(world, { text: "x".repeat(15) });
  assert.deepEqual(states(world, [run]), ["leased"]);
  assert.deepEqual(states(world, [send(world, { text: "x".repeat(50) })]), ["leased"]);
});

test("invocations join a batch, and all invokers get its result", () => {
  const world = worldWith({ parent: {}, fn: { batchEvents: { maxSize: 3, timeout: "5s" } } });
  const batch = send(world, { n: 0 });
  const parents = [start(world, "parent"), start(world, "parent")];
  for (const parent of parents) world.ops(parent, "step", [invokes("call", "fn")]);
  assert.deepEqual(states(world, [batch]), ["leased"]);
  assert.equal(world.run(batch).events.length, 3);
  world.complete(batch, "all");
  for (const parent of parents) assert.deepEqual(world.memo(parent, "call"), { data: "all" });
});

test("a cancelled run in a slot frees it, and tells its invokers", () => {
  for (const options of [
    { debounce: { period: "5s" } },
    { batchEvents: { maxSize: 9, timeout: "5s" } },
  ]) {
    const world = worldWith({ parent: {}, fn: options });
    const parents = [start(world, "parent"), start(world, "parent")];
    for (const parent of parents) world.ops(parent, "step", [invokes("call", "fn")]);
    const run = send(world);
    world.do({ type: "run.cancelled", runId: run, reason: "test" });
    for (const parent of parents)
      assert.match(JSON.stringify(world.memo(parent, "call")), /run_cancelled/);
    assert.notEqual(send(world), run);
  }
});

test("the same event id twice joins once", () => {
  const world = worldWith({ fn: { batchEvents: { maxSize: 3, timeout: "5s" } } });
  const run = send(world, {}, { externalId: "e" });
  world.send("fn", {}, { externalId: "e" });
  assert.equal(world.run(run).events.length, 1);
});

const move = fc.record({
  kind: fc.constantFrom("send", "send", "send", "time", "cancel", "invoke"),
  key: fc.constantFrom("a", "b"),
  n: fc.nat({ max: 9 }),
});

test("each event is in exactly one batch, in order, within size and time; each invoker is told once", () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      const batchEvents = { maxSize: 3, timeout: "5s", key: "event.data.key" };
      const world = worldWith({ parent: { retries: 0 }, fn: { batchEvents, concurrency: 2 } });
      const sent: string[] = [];
      const parents: string[] = [];
      for (const { kind, key, n } of moves) {
        world.at++;
        const open = batches(world).filter((id) => world.run(id).run.status === "queued");
        const chosen = open[n % Math.max(1, open.length)];
        if (kind === "send") {
          const event = world.event("fn", { key });
          sent.push(event.id);
          world.do({ type: "events.received", events: [event], resendable: false });
        } else if (kind === "invoke") {
          const parent = start(world, "parent");
          parents.push(parent);
          world.ops(parent, "step", [invokes("call", "fn")]);
        } else if (kind === "cancel" && chosen !== undefined) {
          world.do({ type: "run.cancelled", runId: chosen, reason: "test" });
        } else {
          passTime(world, 1_000 * n);
        }
        assertGates(world);
      }
      passTime(world, 10_000);
      for (let round = 0; round < 100; round++) {
        world.pull();
        for (const id of batches(world)) {
          const job = world.job(id);
          if (job?.kind === "call" && job.state.at === "leased") world.complete(id, id);
        }
      }
      const gathered = batches(world).flatMap((id) => world.run(id).run.eventIds);
      assert.deepEqual(
        gathered.filter((id) => sent.includes(id)).toSorted(),
        sent.toSorted(),
        "each event once",
      );
      for (const id of batches(world)) {
        const { eventIds, status, endedAt, queuedAt } = world.run(id).run;
        assert.ok(eventIds.length <= 3 && endedAt !== null, status);
        const own = eventIds.filter((eventId) => sent.includes(eventId));
        assert.deepEqual(
          own,
          own.toSorted((a, b) => sent.indexOf(a) - sent.indexOf(b)),
        );
        const { startedAt } = world.run(id).run;
        assert.ok(startedAt !== null && startedAt >= queuedAt);
      }
      for (const parent of parents) assert.ok(world.memo(parent, "call") !== undefined, "told");
      const open = world.changes.filter((change) => change.type === "gate.put").length;
      const closed = world.changes.filter((change) => change.type === "gate.delete").length;
      assert.equal(open, closed, "no slot is left open");
    }),
    { numRuns: 120 },
  );
});

function batches(world: World): string[] {
  return world.runIds().filter((id) => world.run(id).run.functionId === "id-fn");
}

/** Fires what becomes due within the time, at its time. */
function passTime(world: World, ms: number): void {
  const until = world.at + ms;
  for (;;) {
    const due = batches(world)
      .flatMap((id) => {
        const job = world.job(id);
        return job?.kind === "call" && job.state.at === "delayed"
          ? [[job.state.dueAt, id] as const]
          : [];
      })
      .toSorted(([a], [b]) => a - b)[0];
    if (due === undefined || due[0] > until) break;
    world.wake(due[1], "step", Math.max(world.at, due[0]));
  }
  world.at = until;
}
