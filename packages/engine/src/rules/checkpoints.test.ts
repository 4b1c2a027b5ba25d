// Async checkpoints with fencing (protocol.md 6.2, 12.2, 12.18).
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Opcode } from "@pawl/protocol/opcode";
import { completes, erred, ran, sleeps } from "../testing/opcodes.ts";
import { World } from "../testing/world.ts";

function started(): { world: World; id: string } {
  const world = new World();
  world.sync("app", [{ slug: "fn" }]);
  const [id] = world.send("fn");
  assert.ok(id);
  return { world, id };
}

function checkpoint(
  world: World,
  id: string,
  opcodes: readonly Opcode[],
  requestId: string | null,
) {
  return world.do({ type: "checkpoint.received", runId: id, jobId: "step", requestId, opcodes });
}

test("checkpointed steps are recorded while the call goes on", () => {
  const { world, id } = started();
  const request = world.requestId(id);
  assert.ok(checkpoint(world, id, [ran("a")], request).ok);
  assert.ok(checkpoint(world, id, [ran("b")], request).ok);
  assert.equal(world.requestId(id), request, "the dispatch stays the same");
  assert.deepEqual(world.effects, []);
  world.ops(id, "step", [sleeps("nap", 1_000)]);
  assert.deepEqual([...world.run(id).steps.keys()], ["a", "b"]);
});

test("the same checkpoint again is no error and records nothing twice", () => {
  const { world, id } = started();
  const request = world.requestId(id);
  checkpoint(world, id, [ran("a")], request);
  const before = world.changes.length;
  assert.ok(checkpoint(world, id, [ran("a")], request).ok);
  assert.equal(world.changes.length, before);
});

test("a stale dispatch is refused, but its steps are kept", () => {
  const { world, id } = started();
  const stale = world.requestId(id);
  world.do({ type: "call.lost", runId: id, jobId: "step", generation: 0 });
  const reply = checkpoint(world, id, [ran("a", "kept")], stale);
  assert.ok(!reply.ok && reply.code === "dispatch_stale");
  assert.deepEqual(world.memo(id, "a"), { data: "kept" });
});

test("a current checkpoint with another value for a recorded step is refused and the run called again", () => {
  const { world, id } = started();
  const stale = world.requestId(id);
  world.do({ type: "call.lost", runId: id, jobId: "step", generation: 0 });
  const current = world.requestId(id);
  checkpoint(world, id, [ran("a", "old")], stale);
  const reply = checkpoint(world, id, [ran("a", "new")], current);
  assert.ok(!reply.ok && reply.code === "dispatch_stale");
  assert.deepEqual(world.memo(id, "a"), { data: "old" });
  assert.equal(world.call(id).generation, 2, "a third dispatch starts from what is recorded");
  assert.deepEqual(
    world.effects,
    [
      { type: "abort", runId: id, jobId: "step", generation: 1 },
      { type: "call", runId: id, jobId: "step", generation: 2 },
    ],
    "nobody goes on with the second, which has lost its place at the gates",
  );
});

test("a checkpoint resets the attempts of its call", () => {
  const { world, id } = started();
  world.fail(id);
  const { state } = world.call(id);
  world.wake(id, "step", state.at === "delayed" ? state.dueAt : 0);
  assert.equal(world.call(id).attempt, 1);
  checkpoint(world, id, [ran("a")], world.requestId(id));
  assert.equal(world.call(id).attempt, 0);
});

test("only finished steps and the result may be checkpointed", () => {
  const { world, id } = started();
  for (const opcode of [sleeps("nap", 1), erred("a")]) {
    const reply = checkpoint(world, id, [ran("before"), opcode], world.requestId(id));
    assert.ok(!reply.ok && reply.code === "checkpoint_opcode_unsupported");
    assert.equal(world.memo(id, "before"), undefined, "nothing of a refused checkpoint is kept");
  }
});

test("a checkpoint may end the run; a later one hears that it ended", () => {
  const { world, id } = started();
  const request = world.requestId(id);
  assert.ok(checkpoint(world, id, [ran("a"), completes(5)], request).ok);
  assert.equal(world.run(id).run.status, "completed");
  const reply = checkpoint(world, id, [ran("b")], request);
  assert.ok(!reply.ok && reply.code === "run_ended");
});

test("an unknown run is named", () => {
  const { world } = started();
  const reply = checkpoint(world, "01NOSUCHRUN00000000000000X", [ran("a")], null);
  assert.ok(!reply.ok && reply.code === "run_not_found");
  assert.match(reply.ok ? "" : reply.message, /01NOSUCHRUN00000000000000X/);
});

test("a stale checkpoint that brings the only open step moves the run on", () => {
  const { world, id } = started();
  const stale = world.requestId(id);
  world.ops(id, "step", [sleeps("a", 60_000)]);
  checkpoint(world, id, [ran("a", "late")], stale);
  assert.deepEqual(world.jobs(id), ["step"]);
});
