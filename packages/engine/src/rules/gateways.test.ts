// Requests that the server performs for a step: the rules of calls hold for them, but for the app's
// own limit.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertGates } from "../testing/gate-counts.ts";
import { erred, fetches, planned, ran } from "../testing/opcodes.ts";
import { World } from "../testing/world.ts";

function started(retries = 3, settings = {}, config: object = {}): { world: World; id: string } {
  const world = new World(settings);
  world.sync("app", [{ ...World.flow("fn", config), retries }]);
  const [id] = world.send("fn");
  assert.ok(id);
  return { world, id };
}

test("the request is handed out at once, and its result goes on to the function", () => {
  const { world, id } = started();
  world.ops(id, "step", [fetches("get")]);
  const job = world.call(id, "get");
  assert.deepEqual(
    [job.state.at, job.target, job.gateway?.kind, job.attempt, job.attemptsMax],
    ["leased", "get", "fetch", 0, 4],
  );
  assert.deepEqual(world.effects, [
    { type: "call", runId: id, jobId: "get", generation: job.generation },
  ]);
  world.ops(id, "get", [ran("get", { status_code: 200 })]);
  const step = world.run(id).steps.get("get");
  assert.deepEqual([step?.op, step?.status, step?.attempts], ["fetch", "completed", 1]);
  assert.deepEqual(world.jobs(id), ["step"]);
  assertGates(world);
});

test("failures use up the step's attempts, then user code may catch the last", () => {
  const { world, id } = started(1);
  world.ops(id, "step", [fetches("get")]);
  const { request } = world.call(id, "get").gateway ?? {};
  world.ops(id, "get", [erred("get")]);
  const delayed = world.call(id, "get");
  assert.ok(delayed.state.at === "delayed");
  assert.equal(delayed.attempt, 1);
  assert.equal(delayed.gateway?.request, request);
  world.wake(id, "get", delayed.state.dueAt);
  world.ops(id, "get", [erred("get")]);
  const step = world.run(id).steps.get("get");
  assert.deepEqual([step?.op, step?.status, step?.attempts], ["fetch", "failed", 2]);
  assert.deepEqual(world.jobs(id), ["step"]);
  assertGates(world);
});

test("Retry-After of a provider is waited for; what is final is not tried again", () => {
  const { world, id } = started();
  world.ops(id, "step", [fetches("get", { retries: 9 })]);
  assert.equal(world.call(id, "get").attemptsMax, 10);
  world.answer(id, "get", {
    kind: "opcodes",
    opcodes: [erred("get")],
    retryAfterMs: 7_000,
    requestVersion: null,
  });
  assert.deepEqual(world.call(id, "get").state, { at: "delayed", dueAt: world.at + 7_000 });
  world.wake(id, "get", world.at + 7_000);
  world.ops(id, "get", [erred("get", { noRetry: true })]);
  assert.equal(world.run(id).steps.get("get")?.status, "failed");
});

test("a lost request is performed again and counts no attempt; its late result is kept", () => {
  const { world, id } = started();
  world.ops(id, "step", [fetches("get")]);
  const first = world.call(id, "get");
  const { generation } = first;
  world.do({ type: "call.lost", runId: id, jobId: "get", generation });
  const second = world.call(id, "get");
  assert.deepEqual([second.generation > generation, second.attempt], [true, 0]);
  assert.deepEqual(second.gateway, first.gateway);
  const answer = { kind: "opcodes", retryAfterMs: null, requestVersion: null } as const;
  const opcodes = [ran("get", "late")];
  const sentAt = world.at;
  world.do({
    type: "call.answered",
    runId: id,
    jobId: "get",
    generation,
    sentAt,
    answer: { ...answer, opcodes },
  });
  assert.deepEqual(world.memo(id, "get"), { data: "late" });
  assert.equal(world.run(id).steps.get("get")?.op, "fetch");
  world.ops(id, "get", [ran("get", "late")]);
  assert.deepEqual(world.jobs(id), ["step"]);
  assertGates(world);
});

test("cancelling the run gives the request up", () => {
  const { world, id } = started();
  world.ops(id, "step", [fetches("get")]);
  const { generation } = world.call(id, "get");
  world.do({ type: "run.cancelled", runId: id, reason: "enough" });
  assert.ok(
    world.effects.some(
      (effect) =>
        effect.type === "abort" && effect.jobId === "get" && effect.generation === generation,
    ),
  );
  assert.deepEqual(world.jobs(id), []);
  assertGates(world);
});

test("requests do not count for the app, but for the server, whose limit makes them wait", () => {
  const { world, id } = started(3, { callsPerAppMax: 1, gatewayCallsMax: 2 });
  world.ops(id, "step", [fetches("a"), fetches("b"), fetches("c"), planned("d")]);
  const at = (job: string) => world.call(id, job).state.at;
  assert.deepEqual(["a", "b", "c", "d"].map(at), ["leased", "leased", "queued", "leased"]);
  assert.deepEqual(
    world.queue("gateway").map((job) => job.id),
    ["c"],
  );
  assertGates(world);
  world.ops(id, "a", [ran("a")]);
  assert.deepEqual(world.effects.at(-1), { type: "pull", gate: "gateway" });
  world.pull();
  assert.deepEqual([at("c"), at("d")], ["leased", "leased"]);
  assertGates(world);
});

test("the function's own concurrency counts them as its other calls", () => {
  const { world, id } = started(3, {}, { concurrency: 1 });
  world.ops(id, "step", [fetches("a"), fetches("b")]);
  assert.deepEqual(
    [world.call(id, "a").state.at, world.call(id, "b").state.at],
    ["leased", "queued"],
  );
  world.ops(id, "a", [ran("a")]);
  world.pull();
  assert.equal(world.call(id, "b").state.at, "leased");
  assertGates(world);
});

test("a step that turns from code into a request moves from the app's gate to the server's", () => {
  const { world, id } = started();
  world.ops(id, "step", [planned("a"), planned("b")]);
  world.ops(id, "a", [fetches("a")]);
  assert.equal(world.call(id, "a").gateway?.kind, "fetch");
  assertGates(world);
  world.ops(id, "a", [ran("a")]);
  assertGates(world);
});
