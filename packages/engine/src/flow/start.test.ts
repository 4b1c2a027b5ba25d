// What happens between an event and its run: throttle, rate limit, idempotency, priority, backlog.
import assert from "node:assert/strict";
import { test } from "node:test";
import { invokes, planned, ran } from "../testing/opcodes.ts";
import { only, start, states, statuses, worldWith } from "../testing/flow.ts";
import type { World } from "../testing/world.ts";

function startsIn(world: World, ids: readonly string[]): number[] {
  return ids.map((id) => {
    const { state } = world.call(id);
    return state.at === "delayed" ? state.dueAt - world.at : 0;
  });
}

test("throttle: starts keep the rate and their order; later calls go at once", () => {
  const world = worldWith({ fn: { throttle: { limit: 2, period: "10s" } } });
  const ids = [1, 2, 3, 4].map(() => only(world.send("fn")));
  assert.deepEqual(startsIn(world, ids), [0, 5_000, 10_000, 15_000]);
  const [first = "", second = ""] = ids;
  world.ops(first, "step", [planned("a")]);
  assert.equal(world.call(first, "a").state.at, "leased", "the second call is not throttled");
  world.wake(second, "step", world.at + 5_000);
  assert.equal(world.call(second).state.at, "leased");
  assert.deepEqual(startsIn(world, [only(world.send("fn"))]), [15_000]);
});

test("throttle: a burst goes at once; each value of the key has a rate of its own", () => {
  const throttle = { limit: 1, period: "1m", burst: 2, key: "event.data.user" };
  const world = worldWith({ fn: { throttle } });
  const send = (user: string) => only(world.send("fn", { user }));
  assert.deepEqual(startsIn(world, ["a", "a", "a", "b"].map(send)), [0, 0, 60_000, 0]);
});

test("throttle: an event of tomorrow takes its place tomorrow", () => {
  const world = worldWith({ fn: { throttle: { limit: 1, period: "1m" } } });
  const day = 86_400_000;
  const tomorrow = only(world.send("fn", {}, { ts: world.at + day }));
  const today = [only(world.send("fn")), only(world.send("fn"))];
  assert.deepEqual(startsIn(world, [tomorrow, ...today]), [day, 0, 60_000]);
  world.at += day;
  const other = only(world.send("fn"));
  world.wake(tomorrow, "step");
  assert.deepEqual(startsIn(world, [other, tomorrow]), [0, 60_000]);
  world.wake(tomorrow, "step", world.at + 60_000);
  assert.equal(world.call(tomorrow).state.at, "leased", "once is enough");
});

test("throttle: what came due while nobody ran does not start all at once", () => {
  const world = worldWith({ fn: { throttle: { limit: 1, period: "10s" } } });
  const ids = [1, 2, 3, 4].map(() => only(world.send("fn")));
  world.at += 3_600_000;
  for (const id of ids.slice(1)) world.wake(id, "step");
  assert.deepEqual(startsIn(world, ids), [0, 0, 10_000, 20_000]);
  const late = world.at + 10_000 + 9_000;
  world.wake(ids[2] ?? "", "step", late);
  assert.deepEqual(startsIn(world, ids).slice(2), [0, 1_000], "a little late is no miss");
});

test("throttle: runs that a pause held back take their places when it is over", () => {
  const world = worldWith({ fn: { throttle: { limit: 1, period: "10s" } } });
  world.do({ type: "function.paused", functionId: "id-fn" });
  const ids = [start(world, "fn"), start(world, "fn"), start(world, "fn")];
  assert.deepEqual(states(world, ids), ["queued", "queued", "queued"]);
  world.at += 3_600_000;
  world.do({ type: "function.resumed", functionId: "id-fn" });
  world.pull();
  assert.deepEqual(startsIn(world, ids), [0, 10_000, 20_000]);
});

test("throttle: places that passed while their runs were held are taken anew", () => {
  const world = worldWith({ fn: { throttle: { limit: 1, period: "10s" } } });
  const ids = [1, 2, 3, 4].map(() => only(world.send("fn")));
  world.do({ type: "function.paused", functionId: "id-fn" });
  for (const id of ids.slice(1)) world.wake(id, "step", world.at + 10_000);
  world.at += 3_600_000;
  world.do({ type: "function.resumed", functionId: "id-fn" });
  world.pull();
  assert.deepEqual(startsIn(world, ids.slice(1)), [0, 10_000, 20_000]);
});

test("rate limit: what is over it is skipped, with the reason, and comes back with time", () => {
  const world = worldWith({ fn: { rateLimit: { limit: 2, period: "1h", key: "event.data.u" } } });
  const ids = [1, 2, 3].map(() => start(world, "fn", { u: 1 }));
  assert.deepEqual(statuses(world, ids), ["running", "running", "skipped"]);
  const { run, jobs } = world.run(ids[2] ?? "");
  assert.match(run.endReason ?? "", /^rate limit: 2 runs in 1h.* event\.data\.u$/);
  assert.ok(run.endedAt === world.at && jobs.size === 0);
  assert.deepEqual(statuses(world, [start(world, "fn", { u: 2 })]), ["running"]);
  world.at += 1_800_000;
  assert.deepEqual(statuses(world, [start(world, "fn", { u: 1 })]), ["running"]);
});

test("a refused invocation fails the step at once, and the API is told", () => {
  const world = worldWith({ parent: {}, child: { rateLimit: { limit: 1, period: "1h" } } });
  start(world, "child");
  const parent = start(world, "parent");
  world.ops(parent, "step", [invokes("call", "child")]);
  assert.match(JSON.stringify(world.memo(parent, "call")), /run_skipped.*rate limit/);
  const reply = world.do({
    type: "run.invoked",
    functionSlug: "child",
    newRunId: null,
    event: world.event("x"),
    parent: null,
  });
  assert.ok(!reply.ok && reply.code === "run_rate_limited");
});

test("idempotency: one start a day for each value, within a request and after", () => {
  const world = worldWith({ fn: { idempotency: "event.data.order" } });
  const events = [1, 1, 2].map((order) => world.event("fn", { order }));
  const from = world.changes.length;
  world.do({ type: "events.received", events, resendable: false });
  assert.equal(world.startedSince(from).length, 2);
  assert.equal(world.send("fn", { order: 2 }).length, 0);
  world.at += 86_400_000;
  assert.equal(world.send("fn", { order: 2 }).length, 1);
});

test("priority: seconds ahead in the queue, within 600, whole numbers only", () => {
  const world = worldWith(
    { fn: { concurrency: 1, priority: { run: "event.data.p" } } },
    { callsPerAppMax: 9 },
  );
  const busy = start(world, "fn", { p: 0 });
  const plain = start(world, "fn", { p: "high" });
  const half = start(world, "fn", { p: 0.5 });
  const low = start(world, "fn", { p: -1 });
  const high = start(world, "fn", { p: 10_000 });
  assert.deepEqual(
    [low, high, half].map((id) => world.run(id).run.priorityMs),
    [-1_000, 600_000, 0],
  );
  const order: string[] = [];
  for (let id: string | undefined = busy; id !== undefined; ) {
    order.push(id);
    if (id === high) {
      world.ops(id, "step", [ran("s")]);
      world.pull();
      assert.equal(world.call(high).state.at, "leased", "later calls go ahead, too");
    }
    world.complete(id);
    world.pull();
    id = [plain, half, low, high].find((other) => {
      const job = world.job(other);
      return job?.kind === "call" && job.state.at === "leased";
    });
  }
  assert.deepEqual(order, [busy, high, plain, half, low]);
});

test("backlog: beyond the setting, runs are skipped", () => {
  const world = worldWith({ fn: { concurrency: 1 }, other: {} }, { backlogMax: 2 });
  const ids = [1, 2, 3, 4].map(() => start(world, "fn"));
  assert.deepEqual(statuses(world, ids), ["running", "queued", "queued", "skipped"]);
  assert.match(world.run(ids[3] ?? "").run.endReason ?? "", /backlogMax 2/);
  assert.deepEqual(statuses(world, [start(world, "other")]), ["running"]);
  world.complete(ids[0] ?? "");
  world.pull();
  assert.deepEqual(states(world, [start(world, "fn")]), ["queued"]);
});

test("backlog: events of one request count one by one", () => {
  const world = worldWith({ fn: { concurrency: 1 } }, { backlogMax: 2 });
  const events = Array.from({ length: 5 }, (_, n) => world.event("fn", { n }));
  const from = world.changes.length;
  world.do({ type: "events.received", events, resendable: false });
  const started = world.startedSince(from).map((id) => world.run(id).run.status);
  assert.deepEqual(started, ["running", "queued", "queued", "skipped", "skipped"]);
});

test("invocations: each is wanted, but those that say once start one run for an id", () => {
  const world = worldWith({ fn: {}, other: {} });
  const invoke = (once: boolean, functionSlug = "fn") => {
    const event = { ...world.event("fn"), externalId: "order-7" };
    const reply = world.do({
      type: "run.invoked",
      functionSlug,
      newRunId: null,
      event,
      parent: null,
      once,
    });
    assert.ok(reply.ok && reply.value.type === "started");
    return reply.value;
  };
  const first = invoke(true);
  const again = invoke(true);
  assert.deepEqual([again.runId, again.isRepeat], [first.runId, true]);
  const all = [first, invoke(false), invoke(false), invoke(true, "other")].map(
    ({ runId }) => runId,
  );
  assert.equal(new Set(all).size, 4);
  assert.equal(world.runIds().length, 4);
  world.at += world.state.settings.idempotencyMs + 1;
  assert.notEqual(invoke(true).runId, first.runId, "the key holds for a day");
});
