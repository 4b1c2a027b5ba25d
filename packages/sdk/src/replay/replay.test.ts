// The replay as tables: recorded steps and function in, answer out. No server needed.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HandlerBase } from "../handler-context.ts";
import {
  FakeWorld,
  callFunction,
  devClient,
  idHash,
  opsOf,
  type CallOptions,
  parseAs,
} from "../test-kit.ts";

const world = new FakeWorld();
const client = devClient(world);

function define(handler: (context: HandlerBase) => unknown) {
  return client.createFunction({ id: "f" }, { event: "go" }, handler);
}

function call(handler: (context: HandlerBase) => unknown, options: CallOptions = {}) {
  return callFunction(client, define(handler), options);
}

const planOnly = { disable_immediate_execution: true };

const sequence = async ({ step }: HandlerBase) => {
  const a = await step.run("a", () => "A");
  await step.sleep("pause", "1h30m");
  const b = await step.run("b", (n: number) => a + n, 2);
  return { a, b };
};

const parallel = async ({ step }: HandlerBase) => {
  const [a, b] = await Promise.all([step.run("a", () => 1), step.run("b", () => 2)]);
  return step.run("sum", () => a + b);
};

const race = async ({ step }: HandlerBase) => {
  const first = await Promise.race([
    step.run("a", () => "a"),
    step.waitForEvent("w", { event: "e", timeout: "1d" }),
  ]);
  return step.run("after", () => first);
};

const branches = ({ step }: HandlerBase) =>
  Promise.all(
    ["x", "y"].map(async (id) => {
      await step.run(`${id}1`, () => id);
      return step.run(`${id}2`, () => id);
    }),
  );

const repeats = async ({ step }: HandlerBase) => {
  const values: number[] = [];
  for (let n = 0; n < 3; n += 1) values.push(await step.run("same", () => n));
  return values;
};

const lateStep = async ({ step }: HandlerBase) => {
  await new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));
  return step.run("late", () => 1);
};

type Row = readonly [
  what: string,
  handler: (context: HandlerBase) => unknown,
  options: CallOptions,
  ops: readonly string[],
];

const rows: readonly Row[] = [
  ["a single new step runs at once", sequence, {}, ["StepRun a"]],
  [
    "a single new step is only planned when told so",
    sequence,
    { ctx: planOnly },
    ["StepPlanned a"],
  ],
  [
    "a recorded step does not run again",
    sequence,
    { steps: { a: { data: "A" } } },
    ["Sleep pause"],
  ],
  [
    "a finished sleep lets the next step run",
    sequence,
    { steps: { a: { data: "A" }, pause: null } },
    ["StepRun b"],
  ],
  ["parallel steps are planned in order", parallel, {}, ["StepPlanned a", "StepPlanned b"]],
  ["the step asked for runs alone", parallel, { target: "b", ctx: planOnly }, ["StepRun b"]],
  [
    "after parallel steps the next one runs at once",
    parallel,
    { steps: { b: { data: 2 }, a: { data: 1 } } },
    ["StepRun sum"],
  ],
  ["a race marks its steps", race, {}, ["StepPlanned a race", "WaitForEvent w race"]],
  [
    "the winner of a race goes on while the loser is open",
    race,
    { steps: { a: { data: "a" } }, ctx: planOnly },
    ["WaitForEvent w race", "StepPlanned after race"],
  ],
  [
    "branches are marked, so that each goes on alone",
    branches,
    {},
    ["StepPlanned x1 race", "StepPlanned y1 race"],
  ],
  [
    "a branch goes on without the other",
    branches,
    { steps: { y1: { data: "y" } }, ctx: planOnly },
    ["StepPlanned x1 race", "StepPlanned y2 race"],
  ],
  [
    "repeats of an id are told apart",
    repeats,
    { steps: { same: { data: 0 } } },
    ["StepRun same:1"],
  ],
  ["steps behind other asynchronous work are met", lateStep, {}, ["StepRun late"]],
  [
    "a targeted step behind other asynchronous work is met",
    lateStep,
    { target: "late" },
    ["StepRun late"],
  ],
  [
    "a step that is gone is reported",
    parallel,
    { target: "gone", ctx: planOnly },
    ["StepNotFound"],
  ],
];

for (const [what, handler, options, ops] of rows) {
  test(what, async () => {
    const answer = await call(handler, options);
    assert.equal(answer.status, 206);
    assert.deepEqual(opsOf(answer.value), ops);
    assert.equal(answer.headers["x-inngest-req-version"], "3");
  });
}

test("the function's result ends the run", async () => {
  const steps = { a: { data: "A" }, pause: null, b: { data: "A2" } };
  const answer = await call(sequence, { steps });
  assert.deepEqual([answer.status, answer.value], [200, { a: "A", b: "A2" }]);
});

test("a result that JSON would lose is carried with its notes", async () => {
  const answer = await call(() => new Date(0));
  assert.equal(answer.status, 206);
  assert.deepEqual(answer.value, [
    {
      id: idHash("complete"),
      op: "RunComplete",
      data: "1970-01-01T00:00:00.000Z",
      types: { "": "date" },
    },
  ]);
});

test("the recorded order decides who wins a race again", async () => {
  const handler = ({ step }: HandlerBase) =>
    Promise.race([
      // Reached later than the other, as far as promises go, yet it finished first.
      (async () => {
        const value = await step.run("a", () => "a");
        await Promise.resolve();
        await Promise.resolve();
        return value;
      })(),
      step.run("b", () => "b"),
    ]);
  const memos = { a: { data: "a" }, b: { data: "b" } };
  assert.equal((await call(handler, { steps: memos })).value, "a");
  assert.equal((await call(handler, { steps: { b: memos.b, a: memos.a } })).value, "b");
});

test("values are equal on first run and replay, and never the objects that user code holds", async () => {
  const seen: unknown[] = [];
  const original = { at: new Date(9), tags: new Set(["x"]), nothing: undefined };
  const handler = async ({ step }: HandlerBase) => {
    seen.push(await step.run("a", () => original));
    await step.sleep("s", 1);
  };
  world.answer = () => new Response("{}");
  const first = await call(handler, { ctx: { fn_id: "uuid" } });
  assert.deepEqual(opsOf(first.value), ["Sleep s"]);
  const saved = parseAs<{ steps: [{ data: unknown; types: unknown }] }>(world.sent.at(-1)?.body);
  const [{ data, types }] = saved.steps;
  await call(handler, { steps: { a: { data, types } } });
  assert.equal(seen.length, 2);
  assert.deepStrictEqual(seen[0], original);
  assert.deepStrictEqual(seen[1], original);
  assert.notEqual(seen[0], original);
});

test("arguments are forwarded and shown; edited input replaces them", async () => {
  const handler = ({ step }: HandlerBase) => step.run("a", (x: number, y: number) => x + y, 1, 2);
  const first = await call(handler);
  const [op] = first.value as [{ data: number; opts: { input: number[] } }]; // proof: one StepRun
  assert.deepEqual([op.data, op.opts.input], [3, [1, 2]]);
  const edited = await call(handler, { steps: { a: { input: [10, 20] } }, target: "a" });
  assert.equal((edited.value as [{ data: number }])[0].data, 30); // proof: one StepRun
});

test("waits, invocations and their results", async () => {
  const handler = async ({ step }: HandlerBase) => {
    const event = await step.waitForEvent("w", { event: "paid", match: "data.id", timeout: "2h" });
    return step.invoke("i", {
      function: { appId: "other", id: "fn" },
      data: { when: new Date(0), event: event?.name },
      timeout: 5_000,
    });
  };
  const wait = await call(handler);
  const [waitOp] = wait.value as [{ opts: unknown }]; // proof: one WaitForEvent
  assert.deepEqual(waitOp.opts, {
    event: "paid",
    timeout: "2h",
    if: "event.data.id == async.data.id",
    lookback: "run",
  });
  const matched = { name: "paid", id: "e2", ts: 2, data: { id: 1 }, user: {} };
  const invoke = await call(handler, { steps: { w: matched } });
  const [invokeOp] = invoke.value as [{ opts: unknown }]; // proof: one InvokeFunction
  assert.deepEqual(invokeOp.opts, {
    function_id: "other-fn",
    payload: {
      data: { when: "1970-01-01T00:00:00.000Z", event: "paid" },
      meta: { types: { "/when": "date" } },
    },
    timeout: "5s",
    onCancel: "cancel",
  });
  const done = await call(handler, { steps: { w: null, i: { data: [1] } } });
  assert.deepEqual([done.status, done.value], [200, [1]]);
});

test("an invocation says what becomes of its run when this one is cancelled", async () => {
  const target = { function: { appId: "other", id: "fn" } };
  const answer = await call(({ step }) => step.invoke("i", { ...target, onCancel: "abandon" }));
  const [op] = answer.value as [{ opts: { onCancel: unknown } }]; // proof: one InvokeFunction
  assert.equal(op.opts.onCancel, "abandon");
  const wrong: string = "ignore";
  const onCancel = wrong as "cancel"; // proof: what apps without types can write
  const refused = await call(({ step }) => step.invoke("i", { ...target, onCancel }));
  assert.match(JSON.stringify(refused.value), /onCancel of step .+ must be/);
});

test("events bring their values back", async () => {
  const event = {
    id: "e",
    name: "go",
    ts: 1,
    data: { at: "1970-01-01T00:00:00.007Z" },
    meta: { types: { "/at": "date" } },
  };
  const answer = await call((context) => (context.event.data["at"] as Date).getTime(), { event }); // proof: a date by its note
  assert.equal(answer.value, 7);
});

test("the logger is silent while steps are replayed", async () => {
  const lines: unknown[] = [];
  const talking = {
    connection: {
      ...client.connection,
      logger: { ...client.connection.logger, info: (line: unknown) => lines.push(line) },
    },
  };
  const fn = define(async ({ step, logger }) => {
    logger.info("start");
    await step.run("a", () => logger.info("in a"));
    logger.info("after a");
    await step.sleep("s", 1);
    logger.info("end");
  });
  await callFunction(talking, fn);
  assert.deepEqual(lines.splice(0), ["start", "in a"]);
  await callFunction(talking, fn, { steps: { a: { data: null } } });
  assert.deepEqual(lines.splice(0), ["after a"]);
  await callFunction(talking, fn, { steps: { a: { data: null }, s: null } });
  assert.deepEqual(lines.splice(0), ["end"]);
});
