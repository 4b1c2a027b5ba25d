// Steps one after the other.
import assert from "node:assert/strict";
import type { Scenario } from "../scenario.ts";

/** Steps one after the other. */
export const sequence: Scenario = {
  says: "steps in sequence run once each, in order, and hand on what they returned",
  define: ({ fn, note }) => [
    fn({ id: "sequence" }, { event: "sequence/go" }, async ({ event, step }) => {
      const first = await step.run("first", () => {
        note("sequence", "first");
        return { n: Number(event.data["n"]) + 1 };
      });
      const second = await step.run("second", () => {
        note("sequence", "second");
        return first.n * 10;
      });
      const nothing = await step.run("nothing", () => {
        note("sequence", "nothing");
        return null;
      });
      return { first, second, nothing };
    }),
  ],
  check: async ({ outputOf, notes }) => {
    const output = await outputOf("sequence/go", { n: 4 });
    assert.deepEqual(output, { first: { n: 5 }, second: 50, nothing: null });
    assert.deepEqual(await notes("sequence"), ["first", "second", "nothing"]);
  },
};

/** The same id several times. */
export const repeatedIds: Scenario = {
  says: "steps that share an id are told apart by their order",
  define: ({ fn, note }) => [
    fn({ id: "repeated-ids" }, { event: "repeated-ids/go" }, async ({ step }) => {
      const values: number[] = [];
      for (let i = 0; i < 4; i += 1) {
        values.push(
          await step.run("same", () => {
            note("repeated-ids", i);
            return i * i;
          }),
        );
      }
      await step.sleep("between", "1s");
      values.push(await step.run("same", () => 99));
      return values;
    }),
  ],
  check: async ({ outputOf, notes }) => {
    assert.deepEqual(await outputOf("repeated-ids/go"), [0, 1, 4, 9, 99]);
    assert.deepEqual(await notes("repeated-ids"), [0, 1, 2, 3]);
  },
};

/** Arguments behind the code of a step. */
export const stepArguments: Scenario = {
  says: "arguments of step.run are handed to its code",
  define: ({ fn }) => [
    fn({ id: "step-arguments" }, { event: "step-arguments/go" }, ({ step }) =>
      step.run("add", (a: number, b: number) => a + b, 19, 23),
    ),
  ],
  check: async ({ outputOf }) => {
    assert.equal(await outputOf("step-arguments/go"), 42);
  },
};
