// Runs that are held: by a pause, whatever starts them, and by limits that functions of several apps share.
import assert from "node:assert/strict";
import { test } from "node:test";
import { only, start, states, statuses, worldWith } from "../testing/flow.ts";
import { World } from "../testing/world.ts";

const functionId = "id-fn";

function due(world: World, runId: string): void {
  const { state } = world.call(runId);
  assert.ok(state.at === "delayed", state.at);
  world.wake(runId, "step", state.dueAt);
}

for (const gathers of [
  { debounce: { period: "5s" } },
  { batchEvents: { maxSize: 3, timeout: "5s" } },
]) {
  const [name = ""] = Object.keys(gathers);

  test(`pause and ${name}: events are gathered meanwhile, and nothing is lost`, () => {
    const world = worldWith({ fn: { ...gathers, timeouts: { start: "10s" } } });
    world.do({ type: "function.paused", functionId });
    const first = start(world, "fn", { n: 1 });
    due(world, first);
    const second = start(world, "fn", { n: 2 });
    assert.notEqual(second, first, "a run that waits for the pause takes no more events");
    due(world, second);
    assert.deepEqual(states(world, [first, second]), ["queued", "queued"]);
    world.wake(first, "deadline:start", world.at + 3_600_000);
    assert.deepEqual(statuses(world, [first, second]), ["queued", "queued"]);
    world.do({ type: "function.resumed", functionId });
    world.pull();
    assert.deepEqual(states(world, [first, second]), ["leased", "leased"]);
  });
}

test("pause and an event of the future: the run waits for both", () => {
  const world = worldWith({ fn: {} });
  const [early, late] = [60_000, 120_000].map((ms) =>
    only(world.send("fn", {}, { ts: world.at + ms })),
  );
  assert.ok(early !== undefined && late !== undefined);
  world.do({ type: "function.paused", functionId });
  due(world, early);
  assert.deepEqual(states(world, [early, late]), ["queued", "delayed"]);
  world.do({ type: "function.resumed", functionId });
  world.pull();
  assert.deepEqual(states(world, [early, late]), ["leased", "delayed"]);
});

for (const scope of ["env", "account", "fn"] as const) {
  test(`a concurrency key of scope ${scope} ${scope === "fn" ? "belongs to its function" : "is shared by apps"}`, () => {
    const world = new World();
    const concurrency = { limit: 1, key: "event.data.user", scope };
    for (const app of ["one", "two"]) {
      assert.ok(world.sync(app, [World.flow(`${app}-fn`, { concurrency })]).ok);
    }
    const ids = ["one", "two"].map((app) => start(world, `${app}-fn`, { user: "a" }));
    const other = start(world, "two-fn", { user: "b" });
    assert.deepEqual(states(world, [...ids, other]), [
      "leased",
      scope === "fn" ? "leased" : "queued",
      "leased",
    ]);
    world.complete(ids[0] ?? "");
    world.pull();
    assert.deepEqual(states(world, ids.slice(1)), ["leased"]);
  });
}

test("no place is held by runs that sleep or wait for their next attempt", () => {
  const world = worldWith({ fn: { concurrency: 1 } });
  const first = start(world, "fn");
  const second = start(world, "fn");
  world.fail(first);
  world.pull();
  assert.deepEqual(states(world, [first, second]), ["delayed", "leased"]);
});
