// Steps at the same time: joined, raced, in chains, and how many calls they take.
import assert from "node:assert/strict";
import { eventually } from "../../support/poll.ts";
import type { Context } from "../app/kit.ts";
import type { Flavour } from "../flavours.ts";
import type { Scenario } from "../scenario.ts";
import { barrier, sorted } from "./helpers.ts";

/**
 * One call finds the three steps and one runs each. Then: with execution version 2 a single call
 * once all are done; with versions 1 and 3 one after each that is done, but version 3 has only one
 * such call out at a time, so that results that arrive meanwhile share one.
 */
const calls: Readonly<Record<Flavour, readonly [least: number, most: number]>> = {
  js4: [5, 5],
  "js4-no-checkpoint": [5, 5],
  js3: [7, 7],
  pawl: [5, 7],
};

const everyone = barrier(3);

/** `Promise.all`. */
export const parallel: Scenario = {
  says: "parallel steps run once each, at the same time, with the calls that the protocol names",
  define: ({ fn, note }) => [
    fn({ id: "parallel" }, { event: "parallel/go" }, ({ step }) =>
      Promise.all(
        [1, 2, 3].map((n) =>
          step.run(`branch ${String(n)}`, async () => {
            note("parallel", n);
            // None ends before all have begun.
            await everyone();
            return n * 100;
          }),
        ),
      ),
    ),
  ],
  check: async ({ outputOf, notes, callCount, flavour }) => {
    assert.deepEqual(await outputOf("parallel/go"), [100, 200, 300]);
    assert.deepEqual(sorted(await notes("parallel")), ["1", "2", "3"]);
    const [least, most] = calls[flavour];
    const count = await callCount("parallel");
    assert.ok(count >= least && count <= most, `${String(count)} calls`);
  },
};

/** Steps of all kinds at once. */
export const parallelKinds: Scenario = {
  says: "steps of different kinds wait for each other",
  define: ({ fn, note }) => {
    const child = fn({ id: "kinds-child" }, { event: "kinds/child" }, () => "child");
    const main = fn({ id: "parallel-kinds" }, { event: "kinds/go" }, async ({ step }) => {
      const all = await Promise.all([
        step.run("run", () => {
          note("kinds");
          return "run";
        }),
        step.sleep("sleep", "1s").then(() => "slept"),
        step.waitForEvent("wait", { event: "kinds/never", timeout: "1s" }),
        step.invoke("invoke", { function: child, data: {} }),
      ]);
      return [...all, await step.run("after", () => "after")];
    });
    return [child, main];
  },
  check: async ({ outputOf, notes }) => {
    assert.deepEqual(await outputOf("kinds/go"), ["run", "slept", null, "child", "after"]);
    assert.equal((await notes("kinds")).length, 1);
  },
};

/** Branches of several steps. */
export const parallelChains: Scenario = {
  says: "chains of steps run side by side to their ends",
  define: ({ fn, note }) => [
    fn({ id: "parallel-chains" }, { event: "chains/go" }, async ({ step }) => {
      const chain = async (name: string, length: number): Promise<string> => {
        let text = "";
        for (let i = 0; i < length; i += 1) {
          text += await step.run(`${name} ${String(i)}`, () => {
            note("chains", `${name}${String(i)}`);
            return `${name}${String(i)}`;
          });
        }
        return text;
      };
      const chains = await Promise.all([chain("a", 3), chain("b", 1), chain("c", 2)]);
      return [...chains, await step.run("end", () => "end")];
    }),
  ],
  check: async ({ outputOf, notes }) => {
    assert.deepEqual(await outputOf("chains/go"), ["a0a1a2", "b0", "c0c1", "end"]);
    assert.deepEqual(sorted(await notes("chains")), ["a0", "a1", "a2", "b0", "c0", "c1"]);
  },
};

/**
 * The first one wins. `inngest` 4 does not end a run while a loser is open, it reports the loser
 * again instead; so what counts there is that the steps behind the race do not wait.
 */
export const racing: Scenario = {
  says: "a race goes on with the first step that is done, and the loser holds up no step",
  define: ({ fn, note, race }) => [
    fn({ id: "racing" }, { event: "racing/go" }, async (context) => {
      const { step } = context;
      const winner = await race(context, () => [
        step.waitForEvent("slow", { event: "racing/slow", timeout: "1h" }).then(() => "slow"),
        step.run("fast", () => "fast"),
      ]);
      const then = await step.run("then", () => `${winner} then`);
      return step.run("end", () => {
        note("racing", then);
        return then;
      });
    }),
  ],
  check: async ({ api, notes, flavour }) => {
    const go = await api.sendOne({ name: "racing/go" });
    await eventually("the steps behind it", async () => (await notes("racing")).length > 0);
    if (flavour.startsWith("js4")) await api.send({ name: "racing/slow" });
    assert.equal((await api.ended(go))[0]?.output, "fast then");
    assert.deepEqual(await notes("racing"), ["fast then"]);
  },
};

const pairs: Readonly<Record<Flavour, readonly [together: number, racing: number]>> = {
  // 1 finds both, 2 run, 1 finds the next two, 2 run, 1 ends; racing: a call after each step.
  js4: [7, 9],
  "js4-no-checkpoint": [7, 9],
  // Execution version 1 always calls after each step.
  js3: [9, 9],
  pawl: [9, 9],
};

/** Two groups of two steps (protocol.md 2.7). */
export const parallelCalls: Scenario = {
  says: "two groups of two steps take as many calls as the protocol counts",
  define: (kit) => {
    const { fn, race } = kit;
    const chains = ({ step }: Context): Promise<number>[] =>
      ["a", "b"].map(async (name) => {
        const first = await step.run(`${name} 1`, () => 1);
        return first + (await step.run(`${name} 2`, () => 1));
      });
    return [
      fn({ id: "pairs" }, { event: "pairs/together" }, (context) => Promise.all(chains(context))),
      fn({ id: "racing-pairs" }, { event: "pairs/racing" }, (context) =>
        race(context, () => [Promise.all(chains(context))]),
      ),
    ];
  },
  check: async ({ outputOf, callCount, flavour }) => {
    assert.deepEqual(await outputOf("pairs/together"), [2, 2]);
    assert.deepEqual(await outputOf("pairs/racing"), [2, 2]);
    const counts = [await callCount("pairs"), await callCount("racing-pairs")];
    // Our own SDK never has two such calls out at once, so results may share one.
    if (flavour === "pawl") assert.ok(counts.every((count) => count >= 5 && count <= 9));
    else assert.deepEqual(counts, pairs[flavour]);
  },
};
