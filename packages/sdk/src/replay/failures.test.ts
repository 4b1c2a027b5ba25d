// Failures in a replay as tables: what a step or function throws in, answer out. No server needed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { NonRetriableError, RetryAfterError, StepError } from "../errors.ts";
import type { HandlerBase } from "../handler-context.ts";
import { FakeWorld, callFunction, devClient, opsOf, type CallOptions } from "../test-kit.ts";

const world = new FakeWorld();
const client = devClient(world);

function call(handler: (context: HandlerBase) => unknown, options: CallOptions = {}) {
  const fn = client.createFunction({ id: "f" }, { event: "go" }, handler);
  return callFunction(client, fn, options);
}

const failing =
  (error: unknown, retries?: number) =>
  ({ step }: HandlerBase) =>
    step.run(retries === undefined ? "a" : { id: "a", retries }, () => {
      throw error;
    });

type FailureRow = readonly [
  what: string,
  handler: (context: HandlerBase) => unknown,
  ctx: Readonly<Record<string, unknown>>,
  op: string,
  retryAfter: string | undefined,
];
const failures: readonly FailureRow[] = [
  ["may be tried again", failing(new Error("x")), {}, "StepError a", undefined],
  ["has no attempt left", failing(new Error("x")), { attempt: 3 }, "StepFailed a", undefined],
  ["is not retriable", failing(new NonRetriableError("x")), {}, "StepFailed a", undefined],
  ["has no retries of its own", failing(new Error("x"), 0), {}, "StepFailed a", undefined],
  [
    "has more retries than the function",
    failing(new Error("x"), 9),
    { attempt: 5 },
    "StepError a",
    undefined,
  ],
  [
    "says when to try again, in seconds",
    failing(new RetryAfterError("x", 30)),
    {},
    "StepError a",
    "30",
  ],
  [
    "says when to try again, as text",
    failing(new RetryAfterError("x", "2m")),
    {},
    "StepError a",
    "120",
  ],
  [
    "says when to try again, as a moment",
    ({ step }) =>
      step.run("a", () => {
        throw new RetryAfterError("x", new Date(world.now + 5_000));
      }),
    {},
    "StepError a",
    "5",
  ],
  [
    "returns what cannot be recorded",
    ({ step }) => step.run("a", () => () => 1),
    {},
    "StepFailed a",
    undefined,
  ],
  [
    "contains a step",
    ({ step }) =>
      step.run("a", async () => {
        await Promise.resolve();
        return step.run("inner", () => 1);
      }),
    {},
    "StepFailed a",
    undefined,
  ],
];
for (const [what, handler, ctx, op, retryAfter] of failures) {
  test(`a step that ${what}: ${op}`, async () => {
    const answer = await call(handler, { ctx });
    assert.deepEqual(opsOf(answer.value), [op]);
    assert.equal(answer.headers["retry-after"], retryAfter);
  });
}

const failedMemo = {
  error: {
    name: "TypeError",
    message: "no",
    stack: "TypeError: no\n  at x",
    cause: { name: "Error", message: "root" },
  },
};

test("a failed step throws StepError, which user code can catch", async () => {
  const handler = async ({ step }: HandlerBase) => {
    try {
      await step.run("a", () => 1);
    } catch (error) {
      assert.ok(error instanceof StepError);
      assert.ok(error.cause instanceof Error);
      return [error.name, error.message, error.stepId, error.stack, error.cause.message];
    }
    return null;
  };
  const answer = await call(handler, { steps: { a: failedMemo } });
  assert.deepEqual(answer.value, ["TypeError", "no", "a", "TypeError: no\n  at x", "root"]);
});

test("a failed step that nobody catches fails the function for good", async () => {
  const answer = await call(({ step }) => step.run("a", () => 1), { steps: { a: failedMemo } });
  assert.equal(answer.status, 400);
  assert.equal(answer.headers["x-inngest-no-retry"], "true");
});

test("errors outside of steps are retried, unless they say otherwise", async () => {
  const plain = await call(() => Promise.reject(new Error("x")));
  assert.deepEqual([plain.status, plain.headers["x-inngest-no-retry"]], [500, "false"]);
  const final = await call(() => Promise.reject(new NonRetriableError("x")));
  assert.deepEqual([final.status, final.headers["x-inngest-no-retry"]], [400, "true"]);
  const later = await call(() => Promise.reject(new RetryAfterError("x", 7)));
  assert.deepEqual([later.status, later.headers["retry-after"]], [500, "7"]);
});

test("a rejected branch that nobody waits for does not end the process", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): number => unhandled.push(reason);
  process.on("unhandledRejection", note);
  const handler = async ({ step }: HandlerBase) => {
    void step.run("a", () => 1);
    await step.sleep("s", 1);
    return "done";
  };
  const answer = await call(handler, { steps: { a: failedMemo, s: null } });
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", note);
  assert.equal(answer.value, "done");
  assert.deepEqual(unhandled, []);
});

test("wrong use of a step tool is refused for good, naming the mistake", async () => {
  for (const handler of [
    ({ step }: HandlerBase) => step.sleep("s", "soon"),
    ({ step }: HandlerBase) => step.run("", () => 1),
    ({ step }: HandlerBase) => step.run({ id: "a", retries: 21 }, () => 1),
  ]) {
    const answer = await call(handler);
    assert.equal((answer.value as { name: string }).name, "PawlError"); // proof: an error body
  }
});
