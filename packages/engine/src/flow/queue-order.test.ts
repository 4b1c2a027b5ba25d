// Calls leave a queue in order, also when those who pull them saw room that is gone by then.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gateOfQueue } from "../gate.ts";
import { assertGates } from "../testing/gate-counts.ts";
import { start, states, worldWith } from "../testing/flow.ts";

test("a call that finds its queue's gate full again stays in its place, whatever it has lost", () => {
  const user = { limit: 1, key: "event.data.key", scope: "env" };
  const all = { limit: 1, key: "'all'", scope: "env" };
  const world = worldWith({ fn: { concurrency: [user, all] }, twin: { concurrency: user } });
  const out = start(world, "fn", { key: "u1" });
  const older = start(world, "fn", { key: "u2" });
  const younger = start(world, "fn", { key: "u3" });
  const before = world.call(younger).state;
  assert.ok(before.at === "queued");
  assert.equal(
    world.run(younger).run.gates[1],
    gateOfQueue(before.gate),
    "behind the key of users",
  );
  start(world, "twin", { key: "u3" });
  // A shell saw room for both; when they are decided, it is taken.
  const admitted = { type: "call.admitted", jobId: "step" } as const;
  for (const runId of [older, younger]) world.do({ ...admitted, runId });
  assert.deepEqual(
    world.call(younger).state,
    before,
    "it keeps no place before the older one does",
  );
  world.complete(out);
  for (const runId of [older, younger]) world.do({ ...admitted, runId });
  assert.deepEqual(states(world, [older, younger]), ["leased", "queued"]);
  assertGates(world);
});
