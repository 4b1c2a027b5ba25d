// What ends runs early: cancelOn and timeouts.
import assert from "node:assert/strict";
import { eventually, pause } from "../../support/poll.ts";
import { statuses, type FlowScenario } from "./flow-scenario.ts";

/** Expressions over both events, and a time after which nobody listens. */
export const cancelIf: FlowScenario = {
  says: "cancelOn: an expression over both events, and a timeout",
  define: ({ fn }) => [
    fn(
      {
        id: "cancel-if",
        cancelOn: [
          {
            event: "flow/stop-if",
            if: "async.data.id == event.data.id && async.data.sure == true",
          },
          { event: "flow/stop-early", timeout: "1s" },
        ],
      },
      { event: "flow/cancel-if" },
      ({ step }) => step.sleep("nap", "4s"),
    ),
  ],
  check: async ({ api }) => {
    const ids: string[] = [];
    for (const id of [1, 2]) ids.push(await api.sendOne({ name: "flow/cancel-if", data: { id } }));
    await api.send([
      { name: "flow/stop-if", data: { id: 1, sure: false } },
      { name: "flow/stop-if", data: { id: 2, sure: true } },
    ]);
    await pause(1_500);
    await api.send({ name: "flow/stop-early", data: {} });
    const runs = await Promise.all(ids.map((id) => api.ended(id)));
    assert.deepEqual(statuses(runs.flat()), ["Completed", "Cancelled"]);
  },
};

/** A call that is under way. */
export const cancelRunning: FlowScenario = {
  says: "cancelOn: the answer of a call under way is ignored",
  define: ({ fn, note }) => [
    fn(
      { id: "cancel-running", cancelOn: [{ event: "flow/stop-running", match: "data.id" }] },
      { event: "flow/cancel-running" },
      async ({ step }) => {
        await step.run("long", async () => {
          note("long", "begun");
          await new Promise((resolve) => setTimeout(resolve, 1_500));
          note("long", "done");
        });
        await step.sleepUntil("nap", new Date(0));
        await step.run("next", () => note("long", "next"));
      },
    ),
  ],
  check: async ({ api, notes }) => {
    const event = await api.sendOne({ name: "flow/cancel-running", data: { id: 7 } });
    await eventually("it runs", async () => (await notes("long")).length > 0);
    await api.send({ name: "flow/stop-running", data: { id: 7 } });
    const [run] = await api.ended(event);
    assert.equal(run?.status, "Cancelled");
    await eventually("the step is done", async () => (await notes("long")).includes("done"));
    // Time for what must not happen.
    await pause(500);
    assert.deepEqual(await notes("long"), ["begun", "done"]);
    assert.equal((await api.run(run.run_id)).status, "Cancelled");
  },
};

/** As protocol.md 5.2 has it, with more time for the second step to begin. */
export const timeoutFinish: FlowScenario = {
  says: "timeouts: of three steps of 2 s the third is not run when 4 s are all there are",
  define: ({ fn, note }) => [
    fn(
      { id: "finish-in-time", timeouts: { start: "5s", finish: "4s" } },
      { event: "flow/finish-in-time" },
      async ({ step }) => {
        for (const part of ["one", "two", "three"]) {
          await step.run(part, async () => {
            note("in time", part);
            await new Promise((resolve) => setTimeout(resolve, 2_100));
          });
          // Ends the call also where SDKs run several steps in one.
          await step.sleepUntil(`behind ${part}`, new Date(0));
        }
      },
    ),
  ],
  check: async ({ runsOf, notes }) => {
    const [run] = await runsOf("finish-in-time", [{}]);
    assert.equal(run?.status, "Cancelled");
    assert.match(run.end_reason ?? "", /timeouts\.finish/);
    assert.deepEqual(await notes("in time"), ["one", "two"]);
  },
};

/** Nobody waits longer than that. */
export const timeoutStart: FlowScenario = {
  says: "timeouts: a run that does not get to start in time is cancelled",
  define: ({ fn, note }) => [
    fn(
      { id: "start-in-time", concurrency: 1, timeouts: { start: "1s" } },
      { event: "flow/start-in-time" },
      async () => {
        note("started");
        await new Promise((resolve) => setTimeout(resolve, 2_500));
      },
    ),
  ],
  check: async ({ api, notes }) => {
    const first = await api.sendOne({ name: "flow/start-in-time", data: {} });
    await eventually("the first runs", async () => (await notes("started")).length === 1);
    const second = await api.sendOne({ name: "flow/start-in-time", data: {} });
    const [late] = await api.ended(second);
    assert.equal(late?.status, "Cancelled");
    assert.match(late.end_reason ?? "", /timeouts\.start/);
    assert.deepEqual(statuses(await api.ended(first)), ["Completed"]);
    assert.equal((await notes("started")).length, 1);
  },
};
