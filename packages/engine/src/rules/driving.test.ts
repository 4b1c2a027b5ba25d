// How runs are driven (protocol.md 2.7): given a state, when an answer comes, then these calls.
import assert from "node:assert/strict";
import { test } from "node:test";
import { completes, erred, failed, other, planned, ran, sleeps } from "../testing/opcodes.ts";
import { World } from "../testing/world.ts";

function started(version?: number): { world: World; id: string } {
  const world = new World();
  world.sync("app", [{ slug: "fn" }]);
  const [id] = world.send("fn");
  assert.ok(id);
  if (version !== undefined) world.ops(id, "step", [ran("warm")], version);
  return { world, id };
}

test("an event starts a run with one discovery call that is out at once", () => {
  const { world, id } = started();
  assert.deepEqual(world.jobs(id), ["step"]);
  assert.equal(world.call(id).state.at, "leased");
  assert.equal(world.run(id).run.status, "running");
  assert.deepEqual(world.effects, [{ type: "call", runId: id, jobId: "step", generation: 0 }]);
});

test("a step that ran is recorded once and the discovery goes out again with a new generation", () => {
  const { world, id } = started();
  const before = world.changes.length;
  world.ops(id, "step", [ran("a", 1)]);
  assert.deepEqual(world.memo(id, "a"), { data: 1 });
  assert.equal(world.call(id).generation, 1);
  assert.equal(world.call(id).attempt, 0);
  const types = world.changes.slice(before).map((c) => c.type);
  assert.deepEqual(
    types,
    ["run.put", "step.put", "job.put"],
    "the run record is written for its version",
  );
  const second = world.changes.length;
  world.ops(id, "step", [ran("b", 2)]);
  assert.deepEqual(
    world.changes.slice(second).map((c) => c.type),
    ["step.put", "job.put"],
  );
});

test("the result ends the run and leaves no job", () => {
  const { world, id } = started();
  world.complete(id, { ok: 1 });
  assert.equal(world.run(id).run.status, "completed");
  assert.deepEqual(world.jobs(id), []);
  assert.deepEqual(world.outputs.get(id), { data: { ok: 1 } });
});

test("[StepRun…, RunComplete] ends the run in one answer", () => {
  const { world, id } = started();
  world.ops(id, "step", [ran("a"), ran("b"), completes(7)]);
  assert.equal(world.run(id).run.status, "completed");
  assert.deepEqual([...world.run(id).steps.keys()], ["a", "b"]);
  assert.deepEqual(world.outputs.get(id), { data: 7 });
});

test("version 2 joins parallel steps: one discovery, after the last", () => {
  const { world, id } = started();
  world.ops(id, "step", [planned("a"), planned("b"), planned("c")]);
  assert.deepEqual(world.jobs(id), ["a", "b", "c"]);
  assert.equal(world.run(id).run.forcePlan, true);
  world.ops(id, "b", [ran("b")]);
  world.ops(id, "a", [ran("a")]);
  assert.deepEqual(world.jobs(id), ["c"]);
  world.ops(id, "c", [ran("c")]);
  assert.deepEqual(world.jobs(id), ["step"]);
  assert.equal(world.run(id).run.forcePlan, false, "immediate execution resumes");
  assert.deepEqual(
    [...world.run(id).steps.values()].map((s) => [s.id, s.seq]),
    [
      ["b", 0],
      ["a", 1],
      ["c", 2],
    ],
  );
});

test("version 1 discovers after every parallel step and keeps planning", () => {
  const { world, id } = started();
  world.ops(id, "step", [planned("a"), planned("b")], 1);
  world.ops(id, "a", [ran("a")]);
  assert.deepEqual(world.jobs(id), ["after:a", "b"]);
  world.ops(id, "b", [ran("b")]);
  assert.deepEqual(world.jobs(id), ["after:a", "after:b"]);
  world.ops(id, "after:a", [other("None", "x")]);
  world.complete(id, "done", "after:b");
  assert.equal(world.run(id).run.status, "completed");
  assert.equal(world.run(id).run.forcePlan, true);
});

test("race mode discovers after each step also in version 2", () => {
  const { world, id } = started();
  world.ops(id, "step", [planned("a", { race: true }), planned("b", { race: true })]);
  world.ops(id, "a", [ran("a")]);
  assert.deepEqual(world.jobs(id), ["after:a", "b"]);
  world.ops(id, "after:a", [planned("a2", { race: true })]);
  assert.deepEqual(world.jobs(id), ["a2", "b"]);
});

test("the loser of a race does not hold the run: it ends with the winner", () => {
  const { world, id } = started();
  world.ops(id, "step", [planned("fast", { race: true }), sleeps("slow", 3_600_000)]);
  world.ops(id, "fast", [ran("fast")]);
  world.complete(id, "won", "after:fast");
  assert.equal(world.run(id).run.status, "completed");
  assert.deepEqual(world.jobs(id), []);
});

test("the loser of a race does not hold up the steps behind the race", () => {
  const { world, id } = started();
  const race = { race: true };
  const loser = { ...sleeps("slow", 3_600_000), ...race };
  world.ops(id, "step", [planned("fast", race), loser]);
  world.ops(id, "fast", [ran("fast")]);
  world.ops(id, "after:fast", [planned("b"), planned("c"), loser]);
  world.ops(id, "b", [ran("b")]);
  assert.deepEqual(world.jobs(id), ["c", "slow"], "those behind it still wait for each other");
  world.ops(id, "c", [ran("c")]);
  assert.deepEqual(world.jobs(id), ["slow", "step"]);
  world.complete(id, "done");
  assert.equal(world.run(id).run.status, "completed");
});

test("version 3 discovers after each step of a race, one discovery at a time", () => {
  const { world, id } = started();
  const race = { race: true };
  world.ops(id, "step", [planned("a", race), planned("b", race), planned("c", race)], 3);
  world.ops(id, "a", [ran("a")]);
  assert.deepEqual(world.jobs(id), ["b", "c", "step"]);
  world.ops(id, "b", [ran("b")]);
  world.ops(id, "c", [ran("c")]);
  assert.deepEqual(world.jobs(id), ["step"], "results that come while it is out join the next one");
  const { generation } = world.call(id);
  world.ops(id, "step", [planned("a2", race)]);
  assert.deepEqual(world.jobs(id), ["a2", "step"]);
  assert.equal(world.call(id).generation, generation + 1);
  world.ops(id, "step", [other("None", "x")]);
  assert.deepEqual(world.jobs(id), ["a2"], "nothing new: the open step will wake it");
  world.ops(id, "a2", [planned("ignored"), ran("a2", 1, race)]);
  assert.deepEqual(world.jobs(id), ["step"]);
});

test("version 3: results that came while a discovery was out are seen although its answer was empty", () => {
  const { world, id } = started();
  const race = { race: true };
  world.ops(id, "step", [planned("a", race), planned("b", race), sleeps("long", 60_000)], 3);
  world.ops(id, "a", [ran("a")]);
  world.ops(id, "b", [ran("b")]);
  const { generation } = world.call(id);
  world.ops(id, "step", [other("None", "x")]);
  assert.equal(world.call(id).generation, generation + 1);
});

test("a step that disappears between plan and call does not wedge the run", () => {
  const { world, id } = started();
  world.ops(id, "step", [planned("a"), planned("gone")]);
  world.ops(id, "a", [ran("a")]);
  world.ops(id, "gone", [other("StepNotFound", "gone")]);
  assert.deepEqual(world.jobs(id), ["step"]);
});

test("other steps that turn up while one is targeted are ignored", () => {
  const { world, id } = started();
  world.ops(id, "step", [planned("a"), planned("b")]);
  world.ops(id, "a", [planned("c"), ran("a")]);
  assert.deepEqual(world.jobs(id), ["b"]);
});

test("a retry of a targeted step keeps its target and counts its own attempts", () => {
  const { world, id } = started();
  world.ops(id, "step", [planned("a"), planned("b")]);
  const { generation } = world.call(id, "a");
  world.ops(id, "a", [erred("a")]);
  const retry = world.call(id, "a");
  assert.equal(retry.target, "a");
  assert.equal(retry.attempt, 1);
  assert.equal(retry.generation, generation + 1);
  assert.ok(retry.state.at === "delayed");
  world.wake(id, "a", retry.state.dueAt);
  world.ops(id, "a", [ran("a")]);
  assert.equal(world.run(id).steps.get("a")?.attempts, 2);
});

test("a function that answers without anything new fails in the end instead of looping", () => {
  const { world, id } = started(2);
  for (let i = 0; i < 10; i++) world.ops(id, "step", [other("None", "x")]);
  assert.equal(world.run(id).run.status, "running");
  world.ops(id, "step", [other("None", "x")]);
  assert.equal(world.run(id).run.status, "failed");
  assert.match(JSON.stringify(world.outputs.get(id)), /no_progress/);
});

test("an app that asks to be called again is called again", () => {
  const { world, id } = started();
  world.ops(id, "step", [ran("a"), other("DiscoveryRequest", "d")]);
  assert.deepEqual(world.jobs(id), ["step"]);
  assert.equal(world.call(id).state.at, "leased");
});

test("a step that failed for good is recorded, so that user code can catch it", () => {
  const { world, id } = started();
  world.ops(id, "step", [failed("a")]);
  assert.deepEqual(world.memo(id, "a"), { error: { name: "Error", message: "a failed" } });
  assert.deepEqual(world.jobs(id), ["step"]);
});

test("an opcode that this server does not perform fails its step with a sentence", () => {
  const { world, id } = started();
  world.ops(id, "step", [{ ...planned("ai"), op: "Unsupported", wireOp: "WaitForSignal" }]);
  assert.match(JSON.stringify(world.memo(id, "ai")), /opcode_unsupported.*WaitForSignal/);
});

test("steps beyond the limit end the run with an error that names the limit", () => {
  const world = new World({ stepsPerRunMax: 2 });
  world.sync("app", [{ slug: "fn" }]);
  const [id] = world.send("fn");
  assert.ok(id);
  world.ops(id, "step", [ran("a"), ran("b"), ran("c")]);
  assert.equal(world.run(id).run.status, "failed");
  assert.match(JSON.stringify(world.outputs.get(id)), /exceeded the step limit of 2 steps/);
});

test("a function's own limits replace those of the settings, for runs under way and across syncs", () => {
  const world = new World();
  world.sync("app", [{ slug: "fn" }]);
  const functionId = "id-fn";
  const limit = (limit: "steps" | "stateChars", value: number | null) =>
    world.do({ type: "function.limited", functionId, limit, value });
  const ids = [1, 2, 3].map(() => world.send("fn")[0] ?? "");
  limit("steps", 2);
  limit("stateChars", 100);
  world.sync("app", [{ slug: "fn", retries: 7 }]);
  world.ops(ids[0] ?? "", "step", [ran("a"), ran("b"), ran("c")]);
  world.ops(ids[1] ?? "", "step", [ran("a", "x".repeat(200))]);
  limit("steps", null);
  world.ops(ids[2] ?? "", "step", [ran("a"), ran("b"), ran("c")]);
  assert.match(JSON.stringify(world.outputs.get(ids[0] ?? "")), /limit of 2 steps/);
  assert.match(JSON.stringify(world.outputs.get(ids[1] ?? "")), /limit of 100 characters/);
  assert.equal(world.run(ids[2] ?? "").run.status, "running");
  assert.deepEqual(world.state.functionById(functionId)?.limits, { stateChars: 100 });
  const reply = world.do({ type: "function.limited", functionId: "x", limit: "steps", value: 1 });
  assert.equal(reply.ok ? null : reply.code, "function_not_found");
});

test("a step's output beyond the limit fails that step; the state beyond the limit fails the run", () => {
  const world = new World({ stepOutputCharsMax: 50, runStateCharsMax: 1_000 });
  world.sync("app", [{ slug: "fn" }]);
  const [id] = world.send("fn");
  assert.ok(id);
  world.ops(id, "step", [ran("big", "x".repeat(60))]);
  assert.match(JSON.stringify(world.memo(id, "big")), /output_too_large/);
  assert.equal(world.run(id).steps.get("big")?.status, "failed");
  for (let i = 0; i < 30 && world.run(id).run.status === "running"; i++)
    world.ops(id, "step", [ran(`s${i}`, "y".repeat(30))]);
  assert.equal(world.run(id).run.status, "failed");
  assert.match(JSON.stringify(world.outputs.get(id)), /state_overflow/);
});

test("a targeted call that answers with a result has missed its step: a discovery brings the true one", () => {
  const { world, id } = started();
  world.ops(id, "step", [planned("a"), planned("gone")]);
  world.ops(id, "a", [ran("a")]);
  world.complete(id, [], "gone");
  assert.equal(world.run(id).run.status, "running");
  assert.deepEqual(world.jobs(id), ["step"]);
  world.complete(id, "true result");
  assert.deepEqual(world.outputs.get(id), { data: "true result" });
});

test("a parallel set of which many calls find nothing is planned again and does not end the run", () => {
  const { world, id } = started();
  const names = Array.from({ length: 30 }, (_, i) => `s${i}`);
  const plan = names.map((name) => planned(name));
  world.ops(id, "step", plan);
  for (const name of names) world.ops(id, name, [other("StepNotFound", name)]);
  assert.deepEqual(world.jobs(id), ["step"]);
  world.ops(id, "step", plan);
  for (const name of names) world.ops(id, name, [ran(name)]);
  world.complete(id, "done");
  assert.equal(world.run(id).run.status, "completed");
});

test("a step that is planned and vanishes again and again ends the run", () => {
  const { world, id } = started();
  for (let i = 0; i < 30 && world.run(id).run.status === "running"; i++) {
    world.ops(id, "step", [planned("ghost"), sleeps(`day${i}`, 86_400_000)]);
    world.ops(id, "ghost", [other("StepNotFound", "ghost")]);
    world.wake(id, `day${i}`, world.at + 86_400_000);
  }
  assert.equal(world.run(id).run.status, "running", "other steps make progress meanwhile");
  for (let i = 0; i < 30 && world.run(id).run.status === "running"; i++) {
    if (world.job(id, "ghost") === undefined) world.ops(id, "step", [planned("ghost")]);
    else world.ops(id, "ghost", [other("StepNotFound", "ghost")]);
  }
  assert.match(JSON.stringify(world.outputs.get(id)), /no_progress/);
});
