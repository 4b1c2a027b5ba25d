// What an invoke step comes to whose function has flow control (protocol.md 5.4), and triggers that stop nobody.
import assert from "node:assert/strict";
import { test } from "node:test";
import { invokes } from "../testing/opcodes.ts";
import { only, start, statuses, worldWith } from "../testing/flow.ts";
import type { World } from "../testing/world.ts";

/** A run that invokes `fn` in its first step. */
function invoker(world: World, more: Parameters<typeof invokes>[2] = {}): string {
  const id = start(world, "parent");
  world.ops(id, "step", [invokes("call", "fn", more)]);
  return id;
}

function errorOf(world: World, id: string): { name: string; message: string } {
  const memo = world.memo(id, "call") as { error: { name: string; message: string } }; // proof: a failed step
  return memo.error;
}

test("an invocation that the rate limit drops fails its step at once, and the parent goes on", () => {
  const world = worldWith({ parent: {}, fn: { rateLimit: { limit: 1, period: "1h" } } });
  start(world, "fn");
  const parent = invoker(world);
  assert.equal(errorOf(world, parent).name, "PawlRunSkippedError");
  assert.match(errorOf(world, parent).message, /^Function fn did not start: rate limit: 1 runs/);
  assert.deepEqual(world.jobs(parent), ["step"], "the function is called to handle it");
  assert.deepEqual(statuses(world, [parent]), ["running"]);
});

test("an invocation that a key or a singleton holds off is told so", () => {
  for (const [options, said] of [
    [{ idempotency: "'same'" }, /idempotency: run .* was started for the same key/],
    [{ singleton: { mode: "skip" } }, /singleton: run .* goes on/],
  ] as const) {
    const world = worldWith({ parent: {}, fn: options });
    start(world, "fn");
    assert.match(errorOf(world, invoker(world)).message, said);
  }
});

test("an invocation joins the debounced run, and gets the result of the last event", () => {
  const world = worldWith({ parent: {}, fn: { debounce: { period: "5s" } } });
  const first = invoker(world);
  world.at++;
  const from = world.changes.length;
  world.send("fn", { n: 2 });
  const runs = world.changes.slice(from).flatMap((c) => (c.type === "run.put" ? [c.run.id] : []));
  const second = invoker(world);
  const debounced = only([...new Set(runs)]);
  world.wake(debounced, "step", world.at + 5_000);
  world.complete(debounced, "last");
  for (const id of [first, second]) assert.deepEqual(world.memo(id, "call"), { data: "last" });
});

test("an invocation of a debounced function times out as every other", () => {
  const world = worldWith({ parent: {}, fn: { debounce: { period: "1h" } } });
  const parent = invoker(world, { timeout: { forMs: 1_000 } });
  world.wake(parent, "call", world.at + 1_000);
  assert.deepEqual(errorOf(world, parent), {
    name: "InngestInvokeTimeoutError",
    message: "Timed out waiting for invoked function to complete",
  });
});

test("a failed invocation is not made again; the parent retries its own body only", () => {
  const world = worldWith({ parent: {}, fn: {} });
  const from = world.changes.length;
  const parent = invoker(world);
  const child = only(world.startedSince(from).filter((id) => id !== parent));
  world.fail(child, "boom", { noRetry: true });
  world.fail(parent);
  const { state } = world.call(parent);
  assert.ok(state.at === "delayed");
  world.wake(parent, "step", state.dueAt);
  assert.equal(errorOf(world, parent).message, "boom");
  assert.equal(world.runIds().filter((id) => world.run(id).run.functionId === "id-fn").length, 1);
});

test("a trigger that cannot be read, as a database of before may have, keeps the event from nobody", () => {
  const world = worldWith({ fn: {}, other: {} });
  const fn = world.state.functionBySlug("fn");
  const app = fn === undefined ? undefined : world.state.app(fn.appId);
  assert.ok(app !== undefined);
  const on = (expression: string | null) => [{ kind: "event" as const, event: "go", expression }];
  const functions = app.functions.map((one) => ({
    ...one,
    triggers: on(one.slug === "fn" ? "event.data.(" : null),
  }));
  world.state.apply({ type: "app.put", app: { ...app, functions } });
  const run = only(world.send("go"));
  assert.equal(world.run(run).run.functionId, "id-other");
});
