// What gathers events: debounce and batching.
import assert from "node:assert/strict";
import { eventually } from "../../support/poll.ts";
import type { FlowScenario } from "./flow-scenario.ts";

/** By key and by the events' own time. */
export const debounceKeyed: FlowScenario = {
  says: "debounce: by key, and with the last event by its own time",
  define: ({ fn }) => [
    fn(
      { id: "last-keyed", debounce: { period: "2s", key: "event.data.user" } },
      { event: "flow/last-keyed" },
      ({ event: { data } }) => data["n"],
    ),
  ],
  check: async ({ api }) => {
    const name = "flow/last-keyed";
    const ts = Date.now();
    const [, newest = "", , other = ""] = await api.send([
      { name, ts: ts - 2_000, data: { user: "a", n: 1 } },
      { name, ts: ts - 1_000, data: { user: "a", n: 2 } },
      { name, ts: ts - 60_000, data: { user: "a", n: 3 } },
      { name, ts: ts - 3_000, data: { user: "b", n: 4 } },
    ]);
    assert.deepEqual(
      (await api.ended(newest)).map(({ output }) => output),
      [2],
    );
    assert.deepEqual(
      (await api.ended(other)).map(({ output }) => output),
      [4],
    );
  },
};

/** Not for ever. */
export const debounceTimeout: FlowScenario = {
  says: "debounce: a timeout ends it though events keep coming",
  define: ({ fn, note }) => [
    fn(
      { id: "last-at-last", debounce: { period: "10s", timeout: "2s" } },
      { event: "flow/last-at-last" },
      () => note("at last"),
    ),
  ],
  check: async ({ api, notes }) => {
    // Each event comes long before the period of the one before is over.
    await eventually(
      "it ran",
      async () => {
        await api.send({ name: "flow/last-at-last", data: {} });
        return (await notes("at last")).length > 0;
      },
      { everyMs: 300, withinMs: 15_000 },
    );
  },
};

/** Batches by key, and events that belong to none. */
export const batchKeyed: FlowScenario = {
  says: "batching: by key, by size and by time; `if` keeps events out",
  define: ({ fn }) => [
    fn(
      {
        id: "batch-keyed",
        batchEvents: {
          maxSize: 2,
          timeout: "2s",
          key: "event.data.user",
          if: "event.data.gather == true",
        },
      },
      { event: "flow/batch-keyed" },
      ({ events }) => events.map(({ data }) => data["n"]),
    ),
  ],
  check: async ({ runsOf }) => {
    const runs = await runsOf("batch-keyed", [
      { user: "a", gather: true, n: 1 },
      { user: "b", gather: true, n: 2 },
      { user: "a", gather: false, n: 3 },
      { user: "a", gather: true, n: 4 },
      { user: "a", gather: true, n: 5 },
    ]);
    assert.deepEqual(
      runs.map(({ output }) => output),
      [[1, 4], [2], [3], [1, 4], [5]],
    );
  },
};

/** Invocations among the events. */
export const batchInvoked: FlowScenario = {
  says: "batching: invocations join, and all invokers get the result",
  define: ({ fn }) => {
    const batch = fn(
      { id: "batch-invoked", batchEvents: { maxSize: 3, timeout: "60s" } },
      { event: "flow/batch-invoked" },
      ({ events }) => events.map(({ data }) => Number(data["n"])).toSorted((a, b) => a - b),
    );
    const invoker = fn(
      { id: "batch-invoker" },
      { event: "flow/batch-invoker" },
      ({ event: { data }, step }) => step.invoke("join", { function: batch, data }),
    );
    return [batch, invoker];
  },
  check: async ({ runsOf }) => {
    const runs = await runsOf(
      "batch-invoker",
      [1, 2, 3].map((n) => ({ n })),
    );
    assert.deepEqual(
      runs.map(({ output }) => output),
      [1, 2, 3].map(() => [1, 2, 3]),
    );
  },
};
