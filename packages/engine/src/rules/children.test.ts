// What becomes of invoked runs when a run that invoked them is cancelled.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { only, start, statuses, worldWith } from "../testing/flow.ts";
import { invokes, ran } from "../testing/opcodes.ts";
import type { World } from "../testing/world.ts";
import { hasEnded } from "../wake-up.ts";

const ends = { onCancel: "cancel" } as const;
const goesOn = { onCancel: "abandon" } as const;

/** The run that an invoke step of a run waits for. */
function childOf(world: World, runId: string, step = "call"): string {
  const job = world.job(runId, step);
  assert.ok(job?.kind === "invoke");
  return job.childRunId;
}

function cancel(world: World, runId: string, reason = "test"): void {
  world.do({ type: "run.cancelled", runId, reason });
}

function reasonOf(world: World, runId: string): string {
  return world.run(runId).run.endReason ?? "";
}

test("a cancelled run takes the run it invoked with it, or lets it go on, as the step said", () => {
  const world = worldWith({ parent: {}, fn: {} });
  const parent = start(world, "parent");
  world.ops(parent, "step", [invokes("call", "fn", ends), invokes("other", "fn", goesOn)]);
  const [child, other] = [childOf(world, parent), childOf(world, parent, "other")];
  cancel(world, parent);
  assert.deepEqual(statuses(world, [child, other]), ["cancelled", "running"]);
  assert.equal(reasonOf(world, child), `run ${parent} that invoked it was cancelled: test`);
  const aborts = world.effects.filter(({ type }) => type === "abort");
  assert.deepEqual(
    aborts.map((effect) => "runId" in effect && effect.runId),
    [child],
  );
  world.complete(other, 1);
  assert.equal(world.run(other).run.status, "completed");
});

test("where the SDK does not say, the setting does; by default invoked runs go on", () => {
  for (const [settings, status] of [
    [{}, "running"],
    [{ onCancelDefault: "cancel" }, "cancelled"],
  ] as const) {
    const world = worldWith({ parent: {}, fn: {} }, settings);
    const parent = start(world, "parent");
    world.ops(parent, "step", [invokes("call", "fn")]);
    const child = childOf(world, parent);
    cancel(world, parent);
    assert.equal(world.run(child).run.status, status);
  }
});

test("however a run is cancelled, the run it invoked goes with it", () => {
  const world = worldWith({
    event: { cancel: [{ event: "stop" }] },
    late: { timeouts: { finish: "10s" } },
    one: { singleton: { mode: "cancel" } },
    fn: {},
  });
  const children = ["event", "late", "one"].map((slug) => {
    const run = start(world, slug);
    world.ops(run, "step", [invokes("call", "fn", ends)]);
    return childOf(world, run);
  });
  world.send("stop");
  start(world, "one");
  const late = world.runIds().find((id) => world.run(id).run.eventName === "late") ?? "";
  world.wake(late, "deadline:finish", world.at + 10_000);
  assert.deepEqual(statuses(world, children), ["cancelled", "cancelled", "cancelled"]);
});

test("a run that failed, completed or timed out waiting does not cancel what it invoked", () => {
  const world = worldWith({ parent: {}, fn: {} });
  const [failing, racing, waiting] = [0, 1, 2].map(() => start(world, "parent"));
  const children = [failing, racing, waiting].map((run = "") => {
    world.ops(run, "step", [invokes("call", "fn", ends), ran("x")], 1);
    return childOf(world, run);
  });
  world.fail(failing ?? "", "boom", { noRetry: true }, "after:x");
  world.complete(racing ?? "", 1, "after:x");
  world.wake(waiting ?? "", "call", world.at + 400 * 86_400_000);
  assert.deepEqual(statuses(world, children), ["running", "running", "running"]);
});

test("an invoker of a cancelled run gets an error that names function, run and reason", () => {
  const world = worldWith({ parent: {}, fn: {} });
  const parent = start(world, "parent");
  world.ops(parent, "step", [invokes("call", "fn", ends)]);
  const child = childOf(world, parent);
  cancel(world, child, "no longer needed");
  assert.deepEqual(world.memo(parent, "call"), {
    error: {
      name: "PawlRunCancelledError",
      code: "run_cancelled",
      message: `Run ${child} of fn was cancelled: no longer needed`,
    },
  });
  assert.equal(world.call(parent).state.at, "leased");
});

test("a batch goes on for whoever is left: other invokers, other events", () => {
  const batchEvents = { maxSize: 9, timeout: "5s" };
  for (const [events, invokers, isLeft] of [
    [0, 2, false],
    [1, 2, true],
  ] as const) {
    const world = worldWith({ parent: {}, fn: { batchEvents } });
    for (let n = 0; n < events; n++) world.send("fn");
    const parents = Array.from({ length: invokers }, () => start(world, "parent"));
    for (const parent of parents) world.ops(parent, "step", [invokes("call", "fn", ends)]);
    const [first = "", second = ""] = parents;
    const batch = childOf(world, first);
    // Also the invokers that joined know which run they wait for.
    assert.equal(childOf(world, second), batch);
    cancel(world, first);
    assert.equal(world.run(batch).run.status, "queued");
    cancel(world, second);
    assert.equal(world.run(batch).run.status, isLeft ? "queued" : "cancelled");
  }
});

test("a debounced run goes with its last invoker, unless it stands for an event", () => {
  const world = worldWith({ parent: {}, fn: { debounce: { period: "5s" } } });
  const [first, second, third] = [0, 1, 2].map(() => start(world, "parent"));
  for (const run of [first, second]) world.ops(run ?? "", "step", [invokes("call", "fn", ends)]);
  const put = childOf(world, first ?? "");
  cancel(world, first ?? "");
  assert.equal(world.run(put).run.status, "queued");
  cancel(world, second ?? "");
  assert.equal(world.run(put).run.status, "cancelled");
  world.ops(third ?? "", "step", [invokes("call", "fn", ends)]);
  const other = childOf(world, third ?? "");
  world.send("fn");
  cancel(world, third ?? "");
  assert.equal(world.run(other).run.status, "queued");
});

test("messages that cross: an invocation after the cancel starts nothing, a late join is followed", () => {
  const world = worldWith({
    parent: {},
    fn: {},
    gathers: { batchEvents: { maxSize: 9, timeout: "5s" } },
  });
  const parent = start(world, "parent");
  const from = { runId: parent, jobId: "call", onCancel: "cancel" } as const;
  cancel(world, parent);
  const before = world.runIds().length;
  const reply = world.do({
    type: "run.invoked",
    functionSlug: "fn",
    newRunId: "CHILD",
    event: world.event("inngest/function.invoked"),
    parent: from,
  });
  assert.ok(!reply.ok && reply.code === "run_skipped");
  assert.equal(world.runIds().length, before);

  const second = start(world, "parent");
  world.ops(second, "step", [invokes("call", "gathers", ends)]);
  const batch = childOf(world, second);
  world.at++;
  cancel(world, second);
  world.do({ type: "child.joined", ...from, runId: second, childRunId: batch });
  assert.equal(world.run(batch).run.status, "cancelled");
});

test("a long chain of invocations ends with its first run, each told why that one was cancelled", () => {
  const world = worldWith({ fn: {} });
  const chain = [start(world, "fn")];
  for (let depth = 0; depth < 50; depth++) {
    const last = chain.at(-1) ?? "";
    world.ops(last, "step", [invokes("call", "fn", ends)]);
    chain.push(childOf(world, last));
  }
  cancel(world, chain[0] ?? "", "enough");
  assert.deepEqual(new Set(statuses(world, chain)), new Set(["cancelled"]));
  assert.equal(
    reasonOf(world, chain.at(-1) ?? ""),
    `run ${chain.at(-2) ?? ""} that invoked it was cancelled: enough`,
  );
});

const move = fc.record({
  kind: fc.constantFrom("start", "invoke", "invoke", "invoke", "complete", "cancel"),
  fn: fc.constantFrom("fn", "gathers", "once"),
  onCancel: fc.constantFrom("cancel", "cancel", "abandon"),
  n: fc.nat(20),
});

test("trees of runs: whoever is cancelled, no orphan is left and every invoker goes on", () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      const world = worldWith({
        fn: {},
        gathers: { batchEvents: { maxSize: 3, timeout: "5s" } },
        once: { singleton: { mode: "cancel" } },
      });
      let steps = 0;
      for (const { kind, fn, onCancel, n } of moves) {
        world.at++;
        const open = world.runIds().filter((id) => !hasEnded(world.run(id).run.status));
        const run = open[n % Math.max(1, open.length)];
        const call = run === undefined ? undefined : callOf(world, run);
        if (kind === "start" || run === undefined) world.send(fn);
        else if (kind === "cancel") cancel(world, run);
        else if (call === undefined) world.wake(run, "step", world.at + 5_000);
        else if (kind === "complete") world.complete(run, 1, call);
        else {
          // A step beside it keeps the run called, so that it invokes more.
          const id = `call${++steps}`;
          world.ops(run, call, [invokes(id, fn, { onCancel }), ran(`step${steps}`)], 1);
        }
        assertNoOrphan(world);
      }
    }),
    { numRuns: 300 },
  );
});

/** A call of the run that is out. */
function callOf(world: World, runId: string): string | undefined {
  const jobs = [...world.run(runId).jobs.values()];
  return jobs.find((job) => job.kind === "call" && job.state.at === "leased")?.id;
}

/** By the records alone: who waits for whom, and with which policy. */
function assertNoOrphan(world: World): void {
  for (const id of world.runIds()) {
    const { run, jobs } = world.run(id);
    for (const job of jobs.values()) {
      if (job.kind !== "invoke") continue;
      // Whoever waits, waits for a run that goes on.
      assert.ok(!hasEnded(world.run(job.childRunId).run.status), `${id} waits for an ended run`);
    }
    if (hasEnded(run.status)) continue;
    const invokers = run.parent === null ? run.coParents : [run.parent, ...run.coParents];
    const lost = invokers.filter(
      ({ runId, onCancel }) =>
        onCancel !== "abandon" && world.run(runId).run.status === "cancelled",
    );
    const events = run.batchId === null ? Math.max(1, invokers.length) : run.eventIds.length;
    assert.ok(lost.length < events, `${id} is an orphan`);
  }
}

test("only those who asked for it are told", () => {
  const world = worldWith({ fn: {} });
  const run = only(world.send("fn"));
  world.do({ type: "parent.cancelled", runId: run, parentRunId: "P", jobId: "x", cause: "test" });
  assert.equal(world.run(run).run.status, "running");
});
