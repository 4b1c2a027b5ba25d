// Checkpoints: finished steps are saved before user code goes on, and nothing is lost or doubled
// when they cannot be. No server; its answers are played.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CheckpointOptions } from "../functions/options.ts";
import type { HandlerBase } from "../handler-context.ts";
import { FakeWorld, callFunction, devClient, opsOf, parseAs } from "../test-kit.ts";

const ctx = { fn_id: "00000000-0000-0000-0000-000000000001", qi_id: "qi" };

const threeSteps = async ({ step }: HandlerBase) => {
  await step.run("a", () => 1);
  await step.run("b", () => 2);
  await step.run("c", () => 3);
  return "done";
};

function setUp(
  handler: (context: HandlerBase) => unknown,
  checkpointing?: boolean | CheckpointOptions,
) {
  const world = new FakeWorld();
  const client = devClient(world);
  const options = { id: "f", ...(checkpointing === undefined ? {} : { checkpointing }) };
  const fn = client.createFunction(options, { event: "go" }, handler);
  return {
    world,
    call: (more: object = {}) => callFunction(client, fn, { ctx: { ...ctx, ...more } }),
  };
}

function savedSteps(world: FakeWorld): string[][] {
  return world.sent.map((request) => opsOf(parseAs<{ steps: unknown }>(request.body).steps));
}

test("each step is saved before the next one starts", async () => {
  const { world, call } = setUp(threeSteps);
  const answer = await call();
  assert.deepEqual(savedSteps(world), [["StepRun a"], ["StepRun b"], ["StepRun c"]]);
  assert.deepEqual([answer.status, answer.value], [200, "done"]);
  const [first] = world.sent;
  assert.equal(first?.url, "http://localhost:8288/v1/checkpoint/01JD0000000000000000000000/async");
  const body = parseAs<Record<string, unknown>>(first?.body);
  assert.deepEqual(
    [body["run_id"], body["fn_id"], body["qi_id"]],
    ["01JD0000000000000000000000", ctx.fn_id, "qi"],
  );
});

test("buffered steps travel together, the rest with the answer", async () => {
  const { world, call } = setUp(threeSteps, { bufferedSteps: 2 });
  const answer = await call();
  assert.deepEqual(savedSteps(world), [["StepRun a", "StepRun b"]]);
  assert.deepEqual(opsOf(answer.value), ["StepRun c", "RunComplete"]);
});

test("an open step ends the call", async () => {
  const { world, call } = setUp(async ({ step }) => {
    await step.run("a", () => 1);
    await step.sleep("s", "1h");
  });
  assert.deepEqual(opsOf((await call()).value), ["Sleep s"]);
  assert.deepEqual(savedSteps(world), [["StepRun a"]]);
});

for (const [what, options, more] of [
  ["switched off", false, {}],
  ["a repeated call", undefined, { attempt: 1 }],
  ["a server that wants none", undefined, { fn_id: "" }],
] as const) {
  test(`${what}: the first step is the answer`, async () => {
    const { world, call } = setUp(threeSteps, options);
    assert.deepEqual(opsOf((await call(more)).value), ["StepRun a"]);
    assert.equal(world.sent.length, 0);
  });
}

test("409: user code stops where it is, and the answer asks for nothing", async () => {
  const ran: string[] = [];
  const { world, call } = setUp(async ({ step }) => {
    for (const id of ["a", "b", "c"]) await step.run(id, () => ran.push(id));
  });
  world.answer = (_, index) => new Response("{}", { status: index === 0 ? 200 : 409 });
  const answer = await call();
  assert.deepEqual(ran, ["a", "b"]);
  assert.deepEqual([answer.status, answer.headers["x-inngest-no-retry"]], [400, "true"]);
});

test("a server that stays away: five more tries, then the step is the answer", async () => {
  const { world, call } = setUp(threeSteps);
  world.answer = () => {
    throw new Error("refused");
  };
  const answer = await call();
  assert.equal(world.sent.length, 6);
  assert.deepEqual(world.slept, [100, 200, 400, 800, 1_600]);
  assert.deepEqual(opsOf(answer.value), ["StepRun a"]);
});

test("a server that comes back: the step is saved once and user code goes on", async () => {
  const { world, call } = setUp(threeSteps);
  world.answer = (_, index) => new Response("{}", { status: index < 2 ? 503 : 200 });
  const answer = await call();
  assert.equal(answer.value, "done");
  assert.equal(world.sent.length, 5);
});

test("a call that has lasted long enough asks to be called again", async () => {
  const { world, call } = setUp(async ({ step }) => {
    await step.run("slow", () => {
      world.now += 11_000;
    });
    return "not reached";
  });
  assert.deepEqual(opsOf((await call()).value), ["DiscoveryRequest"]);
  assert.deepEqual(savedSteps(world), [["StepRun slow"]]);
});

test("a function that throws saves its steps first", async () => {
  const { world, call } = setUp(
    async ({ step }) => {
      await step.run("a", () => 1);
      throw new Error("x");
    },
    { bufferedSteps: 10 },
  );
  assert.equal((await call()).status, 500);
  assert.deepEqual(savedSteps(world), [["StepRun a"]]);
});
