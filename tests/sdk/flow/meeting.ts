// Where two options of a function meet, and what the published SDKs write for values of several kinds.
import assert from "node:assert/strict";
import { eventually } from "../../support/poll.ts";
import { statuses, type FlowScenario } from "./flow-scenario.ts";

/** The order of protocol.md 5.1: debounce comes before singleton. */
export const debouncedSingleton: FlowScenario = {
  says: "a debounced run asks for its singleton when its events have ceased, not when they came",
  define: ({ fn, note }) => [
    fn(
      { id: "calm-single", debounce: { period: "3s" }, singleton: { mode: "skip" } },
      { event: "flow/calm-single" },
      async ({ step }) => {
        await step.run("begin", () => note("calm-single"));
        await step.sleep("nap", "1s");
      },
    ),
  ],
  check: async ({ api, notes }) => {
    const first = await api.sendOne({ name: "flow/calm-single", data: {} });
    await eventually("the first began", async () => (await notes("calm-single")).length === 1);
    const second = await api.sendOne({ name: "flow/calm-single", data: {} });
    const runs = await Promise.all([first, second].map((id) => api.ended(id)));
    assert.deepEqual(statuses(runs.flat()), ["Completed", "Completed"]);
  },
};

/** What puts a start off does not end it. */
export const debouncedOwnTrigger: FlowScenario = {
  says: "a debounced function whose cancelOn names its trigger runs with the last event",
  define: ({ fn }) => [
    fn(
      {
        id: "calm-newest",
        debounce: { period: "2s" },
        cancelOn: [{ event: "flow/calm-newest", timeout: new Date("2100-01-01T00:00:00Z") }],
      },
      { event: "flow/calm-newest" },
      ({ event: { data } }) => data["n"],
    ),
  ],
  check: async ({ api }) => {
    const ids: string[] = [];
    for (const n of [1, 2]) ids.push(await api.sendOne({ name: "flow/calm-newest", data: { n } }));
    const [run] = await api.ended(ids[1] ?? "");
    assert.equal(run?.status, "Completed");
    assert.equal(run.output, 2);
  },
};

/** A moment after which nobody listens. */
export const cancelUntil: FlowScenario = {
  says: "cancelOn: a Date as timeout is a moment, and may be over",
  define: ({ fn, note }) => {
    const until = (id: string, timeout: Date): unknown =>
      fn(
        { id, cancelOn: [{ event: "flow/stop-until", timeout }] },
        { event: `flow/${id}` },
        async ({ step }) => {
          await step.run("begin", () => note(id));
          await step.sleep("nap", "3s");
        },
      );
    return [
      until("until-past", new Date("2020-01-01T00:00:00Z")),
      until("until-future", new Date("2100-01-01T00:00:00Z")),
    ];
  },
  check: async ({ api, notes }) => {
    const names = ["until-past", "until-future"];
    const ids = await api.send(names.map((name) => ({ name: `flow/${name}`, data: {} })));
    for (const name of names)
      await eventually(`${name} began`, async () => (await notes(name)).length === 1);
    await api.send({ name: "flow/stop-until", data: {} });
    const runs = await Promise.all(ids.map((id) => api.ended(id)));
    assert.deepEqual(statuses(runs.flat()), ["Completed", "Cancelled"]);
  },
};
