// Signals: waiting for them, sending them, conflicts.
import assert from "node:assert/strict";
import { eventually } from "../../support/poll.ts";
import type { Api } from "../../support/api.ts";
import type { Scenario } from "../scenario.ts";

/** Sends until somebody waits for the signal; returns the id of the run that got it. */
async function signal(api: Api, name: string, data: unknown): Promise<string> {
  return eventually(`somebody waits for signal ${name}`, async () => {
    const { status, body } = await api.request("POST", "/v1/signals", { signal: name, data });
    // proof: the documented answer
    return status === 200 && (body as { data: { run_id: string } }).data.run_id;
  });
}

/** Both ends in functions. */
export const signalling: Scenario = {
  says: "a signal sent by a step resumes the run that waits for it, and tells which",
  define: ({ fn }) => [
    fn({ id: "signal-waits" }, { event: "signalling/wait" }, async ({ event, step }) => {
      const name = String(event.data["signal"]);
      const got = await step.waitForSignal("approved", {
        signal: name,
        timeout: "1m",
        onConflict: "fail",
      });
      return { got, after: await step.run("after", () => "went on") };
    }),
    fn({ id: "signal-sends" }, { event: "signalling/send" }, async ({ event, step }) => {
      const name = String(event.data["signal"]);
      const sent = await step.sendSignal("approve", { signal: name, data: { by: "ann" } });
      await step.sleep("replay", "1s");
      const inVain = await step.sendSignal("again", { signal: name, data: {} });
      return { runId: sent.runId, inVain: inVain.runId ?? null };
    }),
  ],
  check: async ({ api, outputOf }) => {
    const waiting = await api.sendOne({ name: "signalling/wait", data: { signal: "deal/1" } });
    const runId = await eventually("the run waits", async () => {
      const [run] = await api.runsOf(waiting);
      const trace = await api.request("GET", `/v1/runs/${run?.run_id ?? ""}/trace`);
      return JSON.stringify(trace.body).includes("WAIT_FOR_SIGNAL") && run?.run_id;
    });
    const sent = await outputOf("signalling/send", { signal: "deal/1" });
    assert.deepEqual(sent, { runId, inVain: null });
    const [run] = await api.ended(waiting);
    assert.deepEqual(run?.output, {
      got: { signal: "deal/1", data: { by: "ann" } },
      after: "went on",
    });
  },
};

/** Nobody sends it. */
export const signalInVain: Scenario = {
  says: "waitForSignal returns null when its time is over, and the name is free again",
  define: ({ fn }) => [
    fn({ id: "signal-in-vain" }, { event: "signal-in-vain/go" }, ({ step }) =>
      step.waitForSignal("w", { signal: "in-vain", timeout: "1s", onConflict: "fail" }),
    ),
  ],
  check: async ({ api, outputOf }) => {
    assert.equal(await outputOf("signal-in-vain/go"), null);
    const late = await api.request("POST", "/v1/signals", { signal: "in-vain" });
    assert.equal(late.status, 404);
    assert.equal(await outputOf("signal-in-vain/go"), null, "a second run may wait for it");
  },
};

/** Two runs wait for one name. */
export const signalConflict: Scenario = {
  says: "a second wait for a signal fails its run, or takes the name over",
  define: ({ fn }) => [
    fn({ id: "signal-conflict", retries: 0 }, { event: "signal-conflict/go" }, ({ event, step }) =>
      step.waitForSignal("w", {
        signal: "contested",
        timeout: event.data["replace"] === true ? "1m" : "4s",
        onConflict: event.data["replace"] === true ? "replace" : "fail",
      }),
    ),
  ],
  check: async ({ api, runOf }) => {
    const first = await api.sendOne({ name: "signal-conflict/go" });
    await eventually("the first waits", async () => {
      const [run] = await api.runsOf(first);
      const trace = await api.request("GET", `/v1/runs/${run?.run_id ?? ""}/trace`);
      return JSON.stringify(trace.body).includes("WAIT_FOR_SIGNAL");
    });
    const second = await runOf("signal-conflict/go");
    assert.equal(second.status, "Failed");
    assert.match(
      JSON.stringify(second.output),
      /Signal conflict; signal wait already exists for another run/,
    );
    const third = await api.sendOne({ name: "signal-conflict/go", data: { replace: true } });
    const [firstRun] = await api.runsOf(first);
    const resumed = await eventually("the third waits", async () => {
      const [run] = await api.runsOf(third);
      const trace = await api.request("GET", `/v1/runs/${run?.run_id ?? ""}/trace`);
      return JSON.stringify(trace.body).includes("WAIT_FOR_SIGNAL") && run?.run_id;
    });
    assert.equal(await signal(api, "contested", 1), resumed);
    const [ended] = await api.ended(third);
    assert.deepEqual(ended?.output, { signal: "contested", data: 1 });
    const [old] = await api.ended(first);
    assert.deepEqual(
      [old?.run_id, old?.output],
      [firstRun?.run_id, null],
      "the old wait timed out",
    );
  },
};
