// The clock set back around a wait, decided by the engine alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { waits } from "@pawl/engine/testing/opcodes";
import { World } from "@pawl/engine/testing/world";

const hour = 3_600_000;

test("bug class 18: a wait finds an event that came before the clock was set back", () => {
  for (const expression of [null, "event.data.key == async.data.key"]) {
    const world = new World();
    world.sync("app", [{ slug: "fn" }]);
    const [id] = world.send("fn", { key: "a" });
    assert.ok(id !== undefined);
    world.at += 1_000;
    world.send("came", { key: "a" });
    world.at -= hour;
    world.ops(id, "step", [waits("w", "came", { expression, lookback: "run" })]);
    const memo = JSON.stringify(world.memo(id, "w") ?? null);
    assert.match(memo, /"came"/, `by ${expression ?? "name alone"}`);
  }
});

test("bug class 18: an event that comes after the clock was set back resumes the wait before it", () => {
  const world = new World();
  world.sync("app", [{ slug: "fn" }]);
  const [id] = world.send("fn", { key: "a" });
  assert.ok(id !== undefined);
  world.ops(id, "step", [waits("w", "came", { lookback: "run" })]);
  world.at -= hour;
  world.send("came", { key: "a" });
  assert.match(JSON.stringify(world.memo(id, "w") ?? null), /"came"/);
});
