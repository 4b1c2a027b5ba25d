// Attempts: of steps, of functions, and the errors that change them.
import assert from "node:assert/strict";
import type { RunInfo } from "../../support/api.ts";
import type { Scenario } from "../scenario.ts";
import { messageOf, nothing, sorted } from "./helpers.ts";

function failureOf(run: RunInfo): string {
  return (run.output as Error).message; // proof: the output of a failed run is its error
}

/** Attempt counters of steps (protocol.md 5.3). */
export const retrying: Scenario = {
  says: "each step has its own attempts: a fails once, then b fails once",
  define: ({ fn, note }) => [
    fn({ id: "retrying", retries: 1 }, { event: "retrying/go" }, async ({ step, attempt }) => {
      for (const name of ["a", "b"]) {
        await step.run(name, () => {
          note(`retrying ${name}`, attempt);
          if (attempt === 0) throw new Error(`${name} fails once`);
          return name;
        });
      }
      return "done";
    }),
  ],
  check: async ({ outputOf, notes }) => {
    assert.equal(await outputOf("retrying/go"), "done");
    assert.deepEqual(await notes("retrying a"), [0, 1]);
    assert.deepEqual(await notes("retrying b"), [0, 1]);
  },
};

/** Attempts do not leak from a retried step into the next one. */
export const retryingThenFresh: Scenario = {
  says: "a step after a retried one starts with attempt 0",
  define: ({ fn, note }) => [
    fn({ id: "retrying-then-fresh", retries: 2 }, { event: "fresh/go" }, async (context) => {
      const { step } = context;
      await step.run("flaky", () => {
        if (context.attempt === 0) throw new Error("once");
      });
      await step.sleep("pause", "1s");
      await step.run("fresh", () => note("fresh", context.attempt));
      note("fresh end", context.maxAttempts);
      return "done";
    }),
  ],
  check: async ({ outputOf, notes }) => {
    assert.equal(await outputOf("fresh/go"), "done");
    assert.deepEqual(await notes("fresh"), [0]);
    assert.equal((await notes("fresh end")).at(-1), 3);
  },
};

/** All attempts fail and the code does not catch it. */
export const exhausted: Scenario = {
  says: "a step that fails in all attempts fails the run with its error",
  define: ({ fn, note }) => [
    fn({ id: "exhausted", retries: 1 }, { event: "exhausted/go" }, async ({ step, attempt }) => {
      await step.run("never", () => {
        note("exhausted", attempt);
        throw new TypeError(`attempt ${String(attempt)} fails`);
      });
    }),
  ],
  check: async ({ runOf, notes }) => {
    const run = await runOf("exhausted/go");
    assert.equal(run.status, "Failed");
    assert.match(failureOf(run), /attempt 1 fails/);
    assert.deepEqual(await notes("exhausted"), [0, 1]);
  },
};

/** `try { await step.run() } catch`. */
export const caught: Scenario = {
  says: "a failed step can be caught, and the run goes on",
  define: ({ fn, note }) => [
    fn({ id: "caught", retries: 1 }, { event: "caught/go" }, async ({ step, attempt }) => {
      let seen: unknown = null;
      try {
        await step.run("fails", () => {
          note("caught", attempt);
          throw new RangeError("out of range", { cause: new Error("the cause") });
        });
      } catch (error) {
        const { name, message, cause } = error as Error; // proof: SDKs throw errors
        seen = { name, message, cause: cause instanceof Error ? cause.message : cause };
      }
      const after = await step.run("after", () => "after");
      return { seen, after };
    }),
  ],
  check: async ({ outputOf, notes }) => {
    const output = (await outputOf("caught/go")) as { seen: Error; after: string }; // proof: what the function returns
    assert.equal(output.seen.message, "out of range");
    assert.equal(output.seen.name, "RangeError");
    assert.equal(output.after, "after");
    assert.deepEqual(await notes("caught"), [0, 1]);
  },
};

/** Errors outside of steps. */
export const functionErrors: Scenario = {
  says: "an error outside of steps retries the function, with its steps kept",
  define: ({ fn, note }) => [
    fn({ id: "function-errors", retries: 2 }, { event: "fn-errors/go" }, async (context) => {
      const kept = await context.step.run("kept", () => {
        note("fn-errors step");
        return "kept";
      });
      note("fn-errors", context.attempt);
      if (context.attempt < 2) throw new Error(`attempt ${String(context.attempt)}`);
      return kept;
    }),
    fn({ id: "function-fails", retries: 1 }, { event: "fn-fails/go" }, ({ attempt }) => {
      throw new Error(`attempt ${String(attempt)} fails`);
    }),
  ],
  check: async ({ outputOf, runOf, notes }) => {
    assert.equal(await outputOf("fn-errors/go"), "kept");
    assert.equal((await notes("fn-errors step")).length, 1);
    const attempts = (await notes("fn-errors")).filter((n, i, all) => n !== all[i - 1]);
    assert.deepEqual(attempts, [0, 1, 2]);
    const failed = await runOf("fn-fails/go");
    assert.equal(failed.status, "Failed");
    assert.equal(failureOf(failed), "attempt 1 fails");
  },
};

/** `NonRetriableError`. */
export const nonRetriable: Scenario = {
  says: "a non-retriable error ends its step or its function at once",
  define: ({ fn, note, nonRetriable: error }) => [
    fn({ id: "non-retriable", retries: 3 }, { event: "non-retriable/go" }, async ({ step }) => {
      const message = await step
        .run("fails", () => {
          note("non-retriable");
          throw error("never again");
        })
        .then(nothing, messageOf);
      return { message };
    }),
    fn({ id: "non-retriable-fn", retries: 3 }, { event: "non-retriable/fn" }, () => {
      note("non-retriable fn");
      throw error("not again either");
    }),
  ],
  check: async ({ outputOf, runOf, notes }) => {
    assert.deepEqual(await outputOf("non-retriable/go"), { message: "never again" });
    assert.equal((await notes("non-retriable")).length, 1);
    const failed = await runOf("non-retriable/fn");
    assert.equal(failed.status, "Failed");
    assert.equal(failureOf(failed), "not again either");
    assert.equal((await notes("non-retriable fn")).length, 1);
  },
};

/** `RetryAfterError`. The server's own interval is one second here. */
export const retryAfter: Scenario = {
  says: "a retry-after error is retried when it said, in steps and in functions",
  define: ({ fn, note, retryAfter: error }) => [
    fn({ id: "retry-after", retries: 1 }, { event: "retry-after/go" }, ({ step, attempt }) =>
      step.run("later", () => {
        note("retry-after", Date.now());
        if (attempt === 0) throw error("in three seconds", 3);
        return "done";
      }),
    ),
    fn({ id: "retry-after-fn", retries: 1 }, { event: "retry-after/fn" }, ({ attempt }) => {
      note("retry-after fn", Date.now());
      if (attempt === 0) throw error("in three seconds", 3);
      return "done";
    }),
  ],
  check: async ({ outputOf, notes }) => {
    const outputs = await Promise.all([outputOf("retry-after/go"), outputOf("retry-after/fn")]);
    assert.deepEqual(outputs, ["done", "done"]);
    for (const key of ["retry-after", "retry-after fn"]) {
      const [first = 0, second = 0] = (await notes(key)).map(Number);
      // The SDKs round the moment to a second.
      assert.ok(second - first >= 1_900, `${key}: retried after ${String(second - first)} ms`);
    }
  },
};

/** Steps at the same time, one of which has to be retried. */
export const parallelRetry: Scenario = {
  says: "a parallel step is retried alone",
  define: ({ fn, note }) => [
    fn({ id: "parallel-retry", retries: 1 }, { event: "parallel-retry/go" }, (context) =>
      Promise.all([
        context.step.run("good", () => {
          note("parallel-retry", "good");
          return "good";
        }),
        context.step.run("flaky", () => {
          note("parallel-retry", `flaky ${String(context.attempt)}`);
          if (context.attempt === 0) throw new Error("once");
          return "flaky";
        }),
      ]),
    ),
  ],
  check: async ({ outputOf, notes }) => {
    assert.deepEqual(await outputOf("parallel-retry/go"), ["good", "flaky"]);
    assert.deepEqual(sorted(await notes("parallel-retry")), ["flaky 0", "flaky 1", "good"]);
  },
};
