// Sleeps below, at and above the limit; waits and invocations, which only have an end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { invokes, sleeps, waits } from "../testing/opcodes.ts";
import { start, statuses, worldWith } from "../testing/flow.ts";

const day = 86_400_000;

test("a sleep may be as long as the limit; a longer one fails the run, and does not end too early", () => {
  const world = worldWith({ fn: {} }, { waitMaxMs: 10 * day });
  const ids = [10 * day - 1, 10 * day, 10 * day + 1].map((forMs) => {
    const id = start(world, "fn");
    world.ops(id, "step", [sleeps("nap", forMs)]);
    return id;
  });
  assert.deepEqual(statuses(world, ids), ["running", "running", "failed"]);
  assert.deepEqual(world.outputs.get(ids[2] ?? ""), {
    error: {
      name: "PawlSleepTooLongError",
      code: "sleep_too_long",
      message:
        'Step "nap" sleeps for 1w3d1ms; the limit is 1w3d (setting waitMaxMs). Sleep in several steps.',
    },
  });
});

test("a year, leap or not, is no longer than the limit", () => {
  const world = worldWith({ fn: {} });
  const id = start(world, "fn");
  world.ops(id, "step", [sleeps("nap", 366 * day)]);
  assert.deepEqual(statuses(world, [id]), ["running"]);
  const far = start(world, "fn");
  world.ops(far, "step", [{ ...sleeps("nap", 0), until: { at: 8.64e15 } }]);
  assert.deepEqual(statuses(world, [far]), ["failed"]);
});

test("time-outs beyond the limit end there", () => {
  const world = worldWith({ fn: {}, child: {} }, { waitMaxMs: 10 * day });
  const id = start(world, "fn");
  const timeout = { forMs: 400 * day };
  world.ops(id, "step", [waits("w", "paid", { timeout }), invokes("i", "child", { timeout })]);
  for (const jobId of ["w", "i"]) {
    const job = world.job(id, jobId);
    assert.ok(job !== undefined && job.kind !== "call");
    assert.equal(job.dueAt, world.at + 10 * day);
  }
});
