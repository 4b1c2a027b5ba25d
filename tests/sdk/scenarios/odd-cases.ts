// Cases off the usual path.
import assert from "node:assert/strict";
import { eventually } from "../../support/poll.ts";
import { published } from "../flavours.ts";
import type { Scenario } from "../scenario.ts";
import { messageOf, nothing } from "./helpers.ts";

/** One request, many runs. */
export const manyAtOnce: Scenario = {
  says: "a hundred events in one request start a hundred runs",
  define: ({ fn }) => [
    fn({ id: "many" }, { event: "many/go" }, ({ event, step }) =>
      step.run("double", () => Number(event.data["n"]) * 2),
    ),
  ],
  check: async ({ api }) => {
    const numbers = Array.from({ length: 100 }, (_, n) => n);
    const ids = await api.send(numbers.map((n) => ({ name: "many/go", data: { n } })));
    const outputs: unknown[] = [];
    for (const id of ids) outputs.push((await api.ended(id))[0]?.output);
    assert.deepEqual(
      outputs,
      numbers.map((n) => n * 2),
    );
  },
};

/** After `Promise.all` one call may run several steps again (protocol.md 2.7). */
export const afterParallelism: Scenario = {
  says: "steps behind parallel ones are run immediately again",
  define: ({ fn }) => [
    fn({ id: "after-parallelism" }, { event: "after-parallelism/go" }, async ({ step }) => {
      const [a, b] = await Promise.all([step.run("a", () => 1), step.run("b", () => 2)]);
      let sum = a + b;
      for (let i = 0; i < 5; i += 1) sum += await step.run(`then ${String(i)}`, () => i);
      return sum;
    }),
  ],
  check: async ({ outputOf, callCount, flavour }) => {
    assert.equal(await outputOf("after-parallelism/go"), 13);
    const calls = await callCount("after-parallelism");
    const expected = {
      // 1 finds both, 2 run them, 1 runs the rest.
      js4: [4],
      // The same, but each of the five takes a call, and the end takes one.
      "js4-no-checkpoint": [9],
      // Execution version 1 plans each step from now on: 1 and 2 as above, 2 after them, 5 times 2.
      js3: [15],
      pawl: [4, 5],
    }[flavour];
    assert.ok(expected.includes(calls), `${String(calls)} calls`);
  },
};

/** A step that is there in one call and gone in the next. */
export const vanishing: Scenario = {
  says: "a parallel step that disappears does not hold the run",
  define: ({ fn }) => {
    let calls = 0;
    return [
      fn({ id: "vanishing", retries: 1 }, { event: "vanishing/go" }, async ({ step }) => {
        calls += 1;
        const steps = [step.run("stays", () => "stays")];
        if (calls === 1) steps.push(step.run("vanishes", () => "vanishes"));
        return Promise.all(steps);
      }),
    ];
  },
  check: async ({ outputOf }) => {
    assert.deepEqual(await outputOf("vanishing/go"), ["stays"]);
  },
};

/** Nothing is something. */
export const emptyValues: Scenario = {
  says: "undefined becomes null where JSON has nothing else",
  only: published,
  define: ({ fn }) => [
    fn({ id: "empty-values" }, { event: "empty-values/go" }, async ({ step }) => {
      const values = [
        await step.run("undefined", () => undefined),
        await step.run("null", () => null),
        await step.run("empty", () => ""),
        await step.run("zero", () => 0),
        await step.run("wrapped data", () => ({ data: 1 })),
        await step.run("wrapped error", () => ({ error: { message: "just data" } })),
      ];
      await step.sleep("replay", "1s");
      return values;
    }),
    fn({ id: "no-output" }, { event: "empty-values/no-output" }, () => {}),
  ],
  check: async ({ outputOf }) => {
    assert.deepEqual(await outputOf("empty-values/go"), [
      null,
      null,
      "",
      0,
      { data: 1 },
      { error: { message: "just data" } },
    ]);
    assert.equal(await outputOf("empty-values/no-output"), null);
  },
};

/** The child's attempts are the child's. */
export const failingChild: Scenario = {
  says: "an invoked function retries itself, and its parent does not invoke it again",
  define: ({ fn, note }) => {
    const child = fn({ id: "child", retries: 1 }, { event: "failing-child/child" }, (context) => {
      note("failing-child", context.attempt);
      throw new Error(`attempt ${String(context.attempt)}`);
    });
    const middle = fn({ id: "middle", retries: 1 }, { event: "failing-child/middle" }, (context) =>
      context.step.invoke("child", { function: child, data: {} }),
    );
    const main = fn({ id: "failing-child" }, { event: "failing-child/go" }, ({ step }) =>
      step.invoke("middle", { function: middle, data: {} }).then(nothing, messageOf),
    );
    return [child, middle, main];
  },
  check: async ({ outputOf, notes }) => {
    assert.match(String(await outputOf("failing-child/go")), /attempt 1/);
    assert.deepEqual(await notes("failing-child"), [0, 1]);
  },
};

/** An expression that is none. */
export const badExpression: Scenario = {
  says: "a wait whose expression cannot be read fails its run with that",
  define: ({ fn }) => [
    fn({ id: "bad-expression", retries: 0 }, { event: "bad-expression/go" }, async ({ step }) => {
      await step.waitForEvent("wait", {
        event: "bad-expression/never",
        if: "async.data.user ==== (",
        timeout: "1m",
      });
    }),
  ],
  check: async ({ runOf }) => {
    const run = await runOf("bad-expression/go");
    assert.equal(run.status, "Failed");
    const { name, message } = run.output as Error; // proof: the output of a failed run
    assert.equal(name, "InvalidExpression");
    assert.match(message, /expression/i);
  },
};

/** Names that only the server may use. */
export const reservedName: Scenario = {
  says: "events with reserved names are refused",
  define: () => [],
  check: async ({ api }) => {
    const { status, body } = await api.request("POST", "/e/test", [
      { name: "reserved/fine" },
      { name: "inngest/function.finished", data: {} },
    ]);
    assert.equal(status, 400);
    assert.equal((body as { ids: string[] }).ids.length, 1); // proof: protocol.md 4
  },
};

/** A parent that is cancelled while its child sleeps. */
export const cancelledParent: Scenario = {
  says: "cancelling the parent lets nothing of it run on, whatever its child does",
  define: ({ fn, note }) => {
    const child = fn({ id: "slow-child" }, { event: "parent/child" }, async ({ step }) => {
      await step.run("tell", () => note("cancelled-parent child"));
      await step.waitForEvent("end", { event: "parent/child-may-end", timeout: "1m" });
    });
    const main = fn({ id: "cancelled-parent" }, { event: "parent/go" }, async ({ step }) => {
      await step.invoke("child", { function: child, data: {} });
      await step.run("after", () => note("cancelled-parent after"));
    });
    return [child, main];
  },
  check: async ({ api, notes }) => {
    const go = await api.sendOne({ name: "parent/go" });
    await eventually("it runs", async () => (await notes("cancelled-parent child")).length > 0);
    const [run] = await api.runsOf(go);
    assert.equal((await api.cancel(run?.run_id ?? "")).status, 200);
    const ended = await api.endedBySending(go, [{ name: "parent/child-may-end" }]);
    assert.equal(ended.status, "Cancelled");
    assert.deepEqual(await notes("cancelled-parent after"), []);
  },
};
