// Logger, middleware, long runs.
import assert from "node:assert/strict";
import { checkpointing } from "../flavours.ts";
import type { Scenario } from "../scenario.ts";

/** The logger of a function. */
export const logging: Scenario = {
  says: "each line of the logger appears once, however often the function is called",
  define: ({ fn }) => [
    fn({ id: "logging" }, { event: "logging/go" }, async ({ step, logger }) => {
      logger.info("line 1 of the function");
      await step.run("one", () => logger.info("line 2 of the function"));
      logger.info("line 3 of the function");
      await step.sleep("pause", "1s");
      await step.run("two", () => logger.info("line 4 of the function"));
      logger.info("line 5 of the function");
    }),
  ],
  check: async ({ outputOf, notes }) => {
    await outputOf("logging/go");
    const lines = (await notes("log")).filter((line) => String(line).endsWith("of the function"));
    assert.deepEqual(
      lines,
      [1, 2, 3, 4, 5].map((n) => `line ${String(n)} of the function`),
    );
  },
};

/** Middleware of the client. */
export const middleware: Scenario = {
  says: "middleware adds to the context and sees each step once",
  define: ({ fn }) => [
    fn({ id: "middleware" }, { event: "middleware/go" }, async ({ step, fromMiddleware }) => {
      await step.run("one", () => 1);
      await step.run("two", () => 2);
      return fromMiddleware;
    }),
  ],
  check: async ({ outputOf, notes, flavour }) => {
    assert.equal(await outputOf("middleware/go"), "added");
    const prefix = flavour === "js3" ? "app-" : "";
    assert.deepEqual(await notes(`middleware ${prefix}middleware`), ["one", "two"]);
  },
};

const steps = 300;

/** Many steps. */
export const longRun: Scenario = {
  says: "300 steps in sequence: few calls with checkpointing, one a step without",
  define: ({ fn, note }) => [
    fn({ id: "long-run" }, { event: "long-run/go" }, async ({ step }) => {
      let sum = 0;
      for (let i = 0; i < steps; i += 1) {
        sum += await step.run(`step ${String(i)}`, () => {
          note("long-run", i);
          return i;
        });
      }
      return sum;
    }),
  ],
  check: async ({ api, notes, callCount, flavour }) => {
    const run = await api.runOf({ name: "long-run/go" }, { withinMs: 60_000 });
    assert.equal(run.status, "Completed");
    assert.equal(run.output, (steps * (steps - 1)) / 2);
    assert.deepEqual(
      await notes("long-run"),
      Array.from({ length: steps }, (_, i) => i),
    );
    const calls = await callCount("long-run");
    if (checkpointing.includes(flavour)) assert.ok(calls <= 3, `${String(calls)} calls`);
    else assert.equal(calls, steps + 1);
  },
};
