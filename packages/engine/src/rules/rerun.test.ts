// Starting ended runs again: from the beginning, from a step, with other input.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sha1Hex } from "@pawl/protocol/sha1";
import { toJsonText } from "@pawl/protocol/json-text";
import type { FromStep } from "../commands.ts";
import type { Reply } from "../decision.ts";
import { only, register, start, worldWith } from "../testing/flow.ts";
import { completes, erred, invokes, other, planned, ran, sleeps } from "../testing/opcodes.ts";
import type { World } from "../testing/world.ts";

const newRun = { at: Date.UTC(2026, 5, 1) } as const;
/** Of the last run that was started again. */
let newRunId = "";

function rerun(world: World, runId: string, fromStep: FromStep | null = null, n = 1): Reply {
  world.at++;
  const seed = [n, 2, 3, 4] as const;
  const repeat = { ...newRun, seed };
  const reply = world.do({ type: "run.rerun", runId, newRun: repeat, fromStep, gate: null });
  if (reply.ok && reply.value.type === "started") newRunId = reply.value.runId;
  return reply;
}

function startedId(reply: Reply): string {
  assert.ok(reply.ok && reply.value.type === "started", JSON.stringify(reply));
  return reply.value.runId;
}

function code(reply: Reply): string {
  return reply.ok ? "" : reply.code;
}

/** A run with steps a, b, c, and its end. */
function endedRun(world: World): string {
  const run = start(world, "fn", { n: 1 });
  for (const id of ["a", "b", "c"]) world.ops(run, "step", [ran(id, id)]);
  world.complete(run, "end");
  return run;
}

test("an ended run is started again with its events, as a new run of the function as it is now", () => {
  const world = worldWith({ fn: {} });
  const run = endedRun(world);
  register(world, { fn: { retries: 1 } });
  const reply = rerun(world, run);
  assert.ok(reply.ok && reply.value.type === "started");
  assert.equal(reply.value.eventId, world.run(run).run.eventIds[0]);
  const again = world.run(newRunId);
  assert.equal(again.run.originalRunId, run);
  assert.equal(again.run.functionVersion, 2);
  assert.deepEqual(again.events, world.run(run).events);
  assert.equal(again.steps.size, 0);
  assert.equal(world.call(newRunId).target, "step");
  world.complete(newRunId, "other end");
  assert.deepEqual(world.outputs.get(run), { data: "end" });
  assert.deepEqual(world.outputs.get(newRunId), { data: "other end" });
});

test("the same command again starts nothing", () => {
  const world = worldWith({ fn: {} });
  const run = endedRun(world);
  rerun(world, run);
  const before = world.changes.length;
  assert.ok(rerun(world, run).ok);
  assert.equal(world.changes.length, before);
});

test("from a step: those before it are kept, it and those behind run again", () => {
  const world = worldWith({ fn: {} });
  const run = endedRun(world);
  assert.ok(rerun(world, run, { stepId: "b", input: null }).ok);
  assert.deepEqual([...world.run(newRunId).steps.keys()], ["a"]);
  assert.equal(world.call(newRunId).input, null);
  world.ops(newRunId, "step", [ran("b", "new")]);
  assert.deepEqual(world.memo(newRunId, "b"), { data: "new" });
});

test("from a step with other input: a call of that step alone brings it, through retries and losses", () => {
  const world = worldWith({ fn: {} }, { retryIntervalMs: 0 });
  const run = endedRun(world);
  assert.ok(rerun(world, run, { stepId: "b", input: toJsonText({ x: 1 }) }).ok);
  assert.deepEqual(world.jobs(newRunId), ["b"]);
  assert.equal(world.call(newRunId, "b").target, "b");
  assert.equal(world.call(newRunId, "b").input, '[{"x":1}]');
  world.ops(newRunId, "b", [erred("b")]);
  assert.equal(world.call(newRunId, "b").input, '[{"x":1}]');
  const { generation } = world.call(newRunId, "b");
  world.do({ type: "call.lost", runId: newRunId, jobId: "b", generation });
  assert.equal(world.call(newRunId, "b").input, '[{"x":1}]');
  world.ops(newRunId, "b", [ran("b", "edited")]);
  assert.deepEqual(world.jobs(newRunId), ["step"]);
  assert.deepEqual(world.memo(newRunId, "b"), { data: "edited" });
  world.ops(newRunId, "step", [ran("c"), completes("end")]);
  assert.equal(world.run(newRunId).run.status, "completed");
});

test("an array of input is the list of arguments", () => {
  const world = worldWith({ fn: {} });
  rerun(world, endedRun(world), { stepId: "a", input: toJsonText([1, [2]]) });
  assert.equal(world.call(newRunId, "a").input, "[1,[2]]");
});

test("input for a step that the function has no more fails the run, however the app says so", () => {
  for (const answer of [
    (world: World) => world.ops(newRunId, "a", [other("StepNotFound", "a")]),
    (world: World) => world.complete(newRunId, 1, "a"),
  ]) {
    const world = worldWith({ fn: {} });
    rerun(world, endedRun(world), { stepId: "a", input: toJsonText(1) });
    answer(world);
    assert.equal(world.run(newRunId).run.status, "failed");
    assert.match(JSON.stringify(world.outputs.get(newRunId)), /step_gone/);
  }
});

test("a step is found by its hashed id and by the id that its author wrote", () => {
  const world = worldWith({ fn: {} });
  const run = start(world, "fn");
  world.ops(run, "step", [{ ...ran("x"), id: sha1Hex("pay:1"), userId: "pay", userIndex: 1 }]);
  world.complete(run);
  assert.ok(rerun(world, run, { stepId: "pay:1", input: null }, 2).ok);
  assert.ok(rerun(world, run, { stepId: sha1Hex("pay:1"), input: null }, 3).ok);
  assert.equal(code(rerun(world, run, { stepId: "pay", input: null })), "step_not_found");
});

test("what cannot be started again is refused with a reason", () => {
  const world = worldWith({ fn: {}, callee: {} });
  assert.equal(code(rerun(world, "NONE")), "run_not_found");
  const run = start(world, "fn");
  assert.equal(code(rerun(world, run)), "run_not_ended");
  world.ops(run, "step", [sleeps("nap", 1_000)]);
  world.wake(run, "nap", world.at + 1_000);
  world.ops(run, "step", [invokes("call", "nobody")]);
  world.complete(run);
  for (const [n, stepId] of ["nap", "call"].entries()) {
    assert.ok(rerun(world, run, { stepId, input: null }, n + 2).ok);
    const reply = rerun(world, run, { stepId, input: toJsonText(1) });
    assert.equal(code(reply), "step_input_unsupported");
  }
  register(world, { callee: {} });
  assert.equal(code(rerun(world, run)), "function_not_found");
});

test("flow control: limits, pauses and throttles hold; nothing drops it", () => {
  const world = worldWith({
    busy: { concurrency: 1 },
    slow: { throttle: { limit: 1, period: "10s" } },
    rare: { rateLimit: { limit: 1, period: "1h" } },
    waits: { debounce: { period: "5s" } },
    id: { idempotency: "event.data.k" },
  });
  const state = (slug: string, n: number): string => {
    const run = only(world.send(slug, { k: 1 }));
    if (world.call(run).state.at === "delayed") world.wake(run, "step", world.at + 5_000);
    world.complete(run);
    if (slug === "busy") start(world, slug);
    return world.call(startedId(rerun(world, run, null, n + 2))).state.at;
  };
  assert.deepEqual(
    ["busy", "slow", "rare", "waits", "id"].map((slug, n) => `${slug} ${state(slug, n)}`),
    ["busy queued", "slow delayed", "rare leased", "waits leased", "id leased"],
  );
  world.do({ type: "function.paused", functionId: "id-rare" });
  const run = world.runIds().find((id) => world.run(id).run.eventName === "rare") ?? "";
  assert.equal(world.call(startedId(rerun(world, run, null, 9))).state.at, "queued");
});

test("singleton: a run that goes on keeps it from starting, or is cancelled, as the function says", () => {
  for (const [mode, expected] of [
    ["skip", "run_skipped"],
    ["cancel", ""],
  ] as const) {
    const world = worldWith({ fn: { singleton: { mode } } });
    const run = start(world, "fn");
    world.complete(run);
    const holder = start(world, "fn");
    assert.equal(code(rerun(world, run)), expected);
    assert.equal(world.run(holder).run.status, mode === "skip" ? "running" : "cancelled");
  }
});

test("batches are repeated whole, skipped runs start, events that cancel still do", () => {
  const world = worldWith({
    many: { batchEvents: { maxSize: 2, timeout: "5s" } },
    one: { singleton: { mode: "skip" }, cancel: [{ event: "stop" }] },
  });
  const batch = only(world.send("many", { n: 1 }));
  world.send("many", { n: 2 });
  world.complete(batch);
  const again = world.run(startedId(rerun(world, batch, null, 2)));
  assert.equal(again.events.length, 2);
  assert.equal(again.run.batchId, world.run(batch).run.batchId);
  const first = start(world, "one");
  const skipped = start(world, "one");
  assert.equal(world.run(skipped).run.status, "skipped");
  world.complete(first);
  const late = startedId(rerun(world, skipped, null, 3));
  world.send("stop");
  assert.equal(world.run(late).run.status, "cancelled");
});

test("parallel steps that were finished before are kept, others are planned again", () => {
  const world = worldWith({ fn: {} });
  const run = start(world, "fn");
  world.ops(run, "step", [planned("a"), planned("b")]);
  world.ops(run, "b", [ran("b")]);
  world.ops(run, "a", [ran("a")]);
  world.complete(run);
  rerun(world, run, { stepId: "a", input: null });
  assert.deepEqual([...world.run(newRunId).steps.keys()], ["b"]);
});
