// Concurrency: how many calls are in flight at once, by function, by keys and shared by functions.
import assert from "node:assert/strict";
import type { FunctionOptions } from "../app/kit.ts";
import { barrier } from "../scenarios/helpers.ts";
import { busyWork } from "./busy.ts";
import { statuses, type FlowScenario } from "./flow-scenario.ts";

/** A limit for the whole function. */
export const withoutKey: FlowScenario = {
  says: "concurrency without a key bounds the function",
  define: ({ fn, note }) => {
    const work = busyWork(note, 150);
    return [
      fn({ id: "unkeyed", concurrency: { limit: 2 } }, { event: "flow/unkeyed" }, ({ step }) =>
        step.run("work", () => work("unkeyed")),
      ),
    ];
  },
  check: async ({ runsOf, notes }) => {
    const runs = await runsOf(
      "unkeyed",
      [1, 2, 3, 4, 5, 6].map((n) => ({ n })),
    );
    assert.deepEqual(new Set(statuses(runs)), new Set(["Completed"]));
    assert.equal(Math.max(...(await notes("unkeyed at once")).map(Number)), 2);
  },
};

/** No limit at all. */
export const limitZero: FlowScenario = {
  says: "a concurrency limit of 0 is none",
  define: ({ fn }) => {
    const meet = barrier(4);
    return [fn({ id: "unbounded", concurrency: 0 }, { event: "flow/unbounded" }, () => meet())];
  },
  check: async ({ runsOf }) => {
    // They end only if all four are called at once.
    assert.equal(
      (
        await runsOf(
          "unbounded",
          [1, 2, 3, 4].map((n) => ({ n })),
        )
      ).length,
      4,
    );
  },
};

/** Two limits, each with a key. */
export const twoKeys: FlowScenario = {
  says: "two concurrency keys hold both, and a busy one does not block others",
  define: ({ fn, note }) => {
    const work = busyWork(note, 150);
    return [
      fn(
        {
          id: "two-keys",
          concurrency: [
            { limit: 1, key: "event.data.user" },
            { limit: 2, key: "event.data.team" },
          ],
        },
        { event: "flow/two-keys" },
        ({ event: { data }, step }) =>
          step.run("work", async () => {
            const { team, user } = data;
            await Promise.all([work(`team ${String(team)}`), work(`user ${String(user)}`)]);
            note("two keys", user);
          }),
      ),
    ];
  },
  check: async ({ runsOf, notes }) => {
    const users = ["a", "a", "a", "b", "b", "c", "z"];
    await runsOf(
      "two-keys",
      users.map((user) => ({ user, team: user === "z" ? "other" : "big" })),
    );
    assert.equal(Math.max(...(await notes("team big at once")).map(Number)), 2);
    for (const user of ["a", "b", "c", "z"])
      assert.deepEqual(new Set(await notes(`user ${user} at once`)), new Set([1]));
    // It came last, but shares nothing with those who wait.
    const order = await notes("two keys");
    assert.ok(order.indexOf("z") < order.lastIndexOf("a"), order.join());
  },
};

function shared(scope: "env" | "account"): FlowScenario {
  return {
    says: `a concurrency limit of scope ${scope} is shared by functions`,
    define: ({ fn, note }) => {
      const work = busyWork(note, 100);
      const one = (id: string, options: Partial<FunctionOptions>): unknown =>
        fn({ ...options, id: `${scope}-${id}` }, { event: `flow/${scope}` }, ({ step }) =>
          step.run("work", () => work(scope)),
        );
      const concurrency = [{ limit: 1, key: `'${scope} mail'`, scope }];
      return [one("one", { concurrency }), one("two", { concurrency })];
    },
    check: async ({ api, notes }) => {
      const ids = await Promise.all(
        [1, 2, 3].map(() => api.sendOne({ name: `flow/${scope}`, data: {} })),
      );
      await Promise.all(ids.map((id) => api.ended(id, 2)));
      assert.deepEqual(await notes(`${scope} at once`), Array(6).fill(1));
    },
  };
}

/** In an environment. */
export const sharedByEnvironment = shared("env");
/** Everywhere. */
export const sharedByAccount = shared("account");
