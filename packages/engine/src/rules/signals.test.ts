// Signals: one waiter for a name, conflicts, time-outs, sending twice, limits.
import assert from "node:assert/strict";
import { test } from "node:test";
import { waitsForSignal } from "../testing/opcodes.ts";
import { World } from "../testing/world.ts";

function started(settings = {}): { world: World; ids: readonly [string, string] } {
  const world = new World(settings);
  world.sync("app", [{ slug: "fn" }]);
  const [one] = world.send("fn");
  const [two] = world.send("fn");
  assert.ok(one !== undefined && two !== undefined);
  return { world, ids: [one, two] };
}

test("a signal resumes the run that waits for it, with name and data", () => {
  const { world, ids } = started();
  world.ops(ids[0], "step", [waitsForSignal("w", "approve")]);
  assert.equal(world.signal("other"), "signal_not_found");
  assert.equal(world.signal("approve", { by: "ann" }), ids[0]);
  assert.deepEqual(world.memo(ids[0], "w"), { data: { signal: "approve", data: { by: "ann" } } });
  assert.equal(world.run(ids[0]).steps.get("w")?.op, "waitForSignal");
  assert.equal(world.signalCount(), 0);
  assert.deepEqual(world.jobs(ids[0]), ["step"]);
});

test("sent twice it resumes once; the second finds nobody, unless it is the first sent again", () => {
  const { world, ids } = started();
  world.ops(ids[0], "step", [waitsForSignal("w", "approve")]);
  assert.equal(world.signal("approve", 1, "send-1"), ids[0]);
  assert.equal(world.signal("approve", 2), "signal_not_found");
  world.ops(ids[1], "step", [waitsForSignal("w", "approve")]);
  assert.equal(world.signal("approve", 1, "send-1"), ids[0], "answered as before");
  assert.equal(world.memo(ids[1], "w"), undefined, "and nobody else gets it");
  assert.equal(world.signal("approve", 3, "send-2"), ids[1]);
});

test("a second wait for the name fails its run, as documented, and leaves the first alone", () => {
  const { world, ids } = started();
  world.ops(ids[0], "step", [waitsForSignal("w", "approve")]);
  world.ops(ids[1], "step", [waitsForSignal("w", "approve")]);
  assert.equal(world.run(ids[1]).run.status, "failed");
  assert.deepEqual(world.outputs.get(ids[1]), {
    error: {
      name: "Error",
      code: "signal_conflict",
      message: "Signal conflict; signal wait already exists for another run",
    },
  });
  assert.equal(world.signal("approve"), ids[0]);
});

test("replace takes the name over; the old wait goes on until its time is over", () => {
  const { world, ids } = started();
  world.ops(ids[0], "step", [waitsForSignal("w", "approve", { timeout: { forMs: 5_000 } })]);
  world.ops(ids[1], "step", [waitsForSignal("w", "approve", { onConflict: "replace" })]);
  assert.deepEqual(world.jobs(ids[0]), ["w"], "the first still waits");
  assert.equal(world.signal("approve"), ids[1]);
  assert.equal(world.signal("approve"), "signal_not_found");
  world.wake(ids[0], "w", world.at + 5_000);
  assert.equal(world.memo(ids[0], "w"), null);
});

test("the end of a wait that was replaced does not free the name", () => {
  const { world, ids } = started();
  world.ops(ids[0], "step", [waitsForSignal("w", "approve")]);
  world.ops(ids[1], "step", [waitsForSignal("w", "approve", { onConflict: "replace" })]);
  world.do({ type: "run.cancelled", runId: ids[0], reason: "test" });
  assert.equal(world.signal("approve"), ids[1]);
});

test("two steps of one run: one fails the run, or takes the name over", () => {
  const { world, ids } = started();
  const [one, two] = ids;
  world.ops(one, "step", [waitsForSignal("a", "s"), waitsForSignal("b", "s")]);
  assert.match(JSON.stringify(world.outputs.get(one)), /another step of this run waits for signal/);
  assert.equal(world.signalCount(), 0, "and the name is free");
  world.ops(two, "step", [
    waitsForSignal("a", "s", { timeout: { forMs: 1_000 } }),
    waitsForSignal("b", "s", { onConflict: "replace" }),
  ]);
  world.wake(two, "a", world.at + 1_000);
  assert.equal(world.memo(two, "a"), null);
  assert.equal(world.signal("s"), two);
  assert.notEqual(world.memo(two, "b"), undefined);
});

test("the name is free after the time-out, the end of the run, and a cancellation", () => {
  const { world, ids } = started();
  world.ops(ids[0], "step", [waitsForSignal("w", "s", { timeout: { forMs: 1_000 } })]);
  world.wake(ids[0], "w", world.at + 1_000);
  assert.equal(world.memo(ids[0], "w"), null);
  assert.equal(world.signalCount(), 0);
  world.ops(ids[0], "step", [waitsForSignal("w2", "s")]);
  world.do({ type: "run.cancelled", runId: ids[0], reason: "test" });
  assert.equal(world.signalCount(), 0);
  world.ops(ids[1], "step", [waitsForSignal("w", "s")]);
  assert.equal(world.signal("s"), ids[1]);
});

test("a signal at the very moment of the time-out finds nobody", () => {
  const { world, ids } = started();
  world.ops(ids[0], "step", [waitsForSignal("w", "s", { timeout: { forMs: 1_000 } })]);
  world.at += 1_000;
  assert.equal(world.signal("s"), "signal_not_found");
  world.ops(ids[1], "step", [waitsForSignal("now", "t", { timeout: { forMs: 0 } })]);
  assert.equal(world.memo(ids[1], "now"), null, "a wait without time is over at once");
});

test("limits of names and data are told with value and setting", () => {
  const { world, ids } = started({ signalNameCharsMax: 4, signalDataCharsMax: 10 });
  world.ops(ids[0], "step", [waitsForSignal("w", "too-long"), waitsForSignal("ok", "fits")]);
  assert.match(
    JSON.stringify(world.memo(ids[0], "w")),
    /signal_too_large.*limit is 4.*signalNameCharsMax/,
  );
  assert.equal(world.signal("too-long"), "signal_too_large");
  assert.equal(world.signal("fits", "x".repeat(9)), "signal_too_large");
  assert.equal(world.signal("fits", "x".repeat(8)), ids[0]);
});
