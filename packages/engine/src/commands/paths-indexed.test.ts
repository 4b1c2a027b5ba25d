// Paths that people search by: indexed from the command on, and no concern of waits until one uses them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { requirements } from "../requirements.ts";
import { waits } from "../testing/opcodes.ts";
import { World } from "../testing/world.ts";

const paths = [{ event: "paid", path: "data.id" }];
const indexed = { type: "paths.indexed", paths } as const;
const noSeed = [1, 2, 3, 4] as const;

function keysOfLastEvent(world: World): readonly string[] {
  const put = world.changes.findLast((change) => change.type === "event.put");
  return put?.type === "event.put" ? put.keys.map(({ path }) => path) : [];
}

function lookUps(world: World): number {
  const events = [world.event("paid", { id: 1 })];
  const command = { type: "events.received", events, resendable: false } as const;
  const needs = requirements(world.state, { ...command, at: world.at, seed: noSeed });
  return needs.filter(({ kind }) => kind === "waits").length;
}

test("events are indexed by the paths from the command on", () => {
  const world = new World();
  world.send("paid", { id: 1 });
  assert.deepEqual(keysOfLastEvent(world), []);
  world.do(indexed);
  const since = world.at;
  world.at += 5;
  world.send("paid", { id: 1 });
  assert.deepEqual(keysOfLastEvent(world), ["data.id"]);
  world.send("other", { id: 1 });
  assert.deepEqual(keysOfLastEvent(world), []);
  const before = world.changes.length;
  world.do(indexed);
  assert.equal(world.changes.length, before, "asked for again, nothing changes");
  assert.deepEqual(
    [...world.state.waitPaths("paid").values()],
    [{ event: "paid", path: "data.id", since, waits: false }],
  );
});

test("no wait is looked up under a path before one has used it, and then all are", () => {
  const world = new World();
  world.sync("app", [{ slug: "fn" }]);
  world.do(indexed);
  const since = world.at;
  world.at += 5;
  assert.equal(lookUps(world), 0);
  const [runId = ""] = world.send("fn", { id: 7 });
  world.ops(runId, "step", [waits("w", "paid", { expression: "async.data.id == event.data.id" })]);
  assert.equal(lookUps(world), 1);
  const [record] = world.state.waitPaths("paid").values();
  assert.deepEqual(record, { event: "paid", path: "data.id", since, waits: true });
  world.send("paid", { id: 7 });
  assert.notEqual(world.memo(runId, "w"), undefined);
});
