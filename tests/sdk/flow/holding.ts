// What holds runs back: functions that people pause, and queues that are full.
import assert from "node:assert/strict";
import { eventually } from "../../support/poll.ts";
import type { Api } from "../../support/api.ts";
import { sorted } from "../scenarios/helpers.ts";
import { statuses, type FlowScenario } from "./flow-scenario.ts";

/** `--backlog-max` of the server on which these scenarios run. */
export const backlogMax = 10;

async function change(api: Api, id: string, verb: "pause" | "resume"): Promise<void> {
  const { status } = await api.request("POST", `/v1/functions/${id}/${verb}`);
  assert.equal(status, 200);
}

/** Sends events and waits until each has a run. */
async function sendToHeld(api: Api, name: string, count: number): Promise<string[]> {
  const events = Array.from({ length: count }, (_, n) => ({ name, data: { n } }));
  const ids = await api.send(events);
  for (const id of ids) await eventually("its run", async () => (await api.runsOf(id)).length > 0);
  return ids;
}

const pausing: FlowScenario = {
  says: "pause holds the runs of a function, and resume lets all of them go",
  define: ({ fn, note }) => [
    fn({ id: "held" }, { event: "flow/held" }, ({ event: { data } }) => note("held", data["n"])),
  ],
  check: async ({ api, notes, runsOf }) => {
    await change(api, "flow-held", "pause");
    const ids = await sendToHeld(api, "flow/held", 3);
    // Meanwhile others run.
    await runsOf("passing", [{}]);
    assert.deepEqual(await notes("held"), []);
    await change(api, "flow-held", "resume");
    const runs = await Promise.all(ids.map((id) => api.ended(id)));
    assert.deepEqual(statuses(runs.flat()), Array(3).fill("Completed"));
    assert.deepEqual(sorted(await notes("held")), ["0", "1", "2"]);
  },
};

const backlog: FlowScenario = {
  says: "a full backlog skips further runs and says why",
  define: ({ fn }) => [
    fn({ id: "piled" }, { event: "flow/piled" }, () => "ran"),
    fn({ id: "passing" }, { event: "flow/passing" }, () => "ran"),
  ],
  check: async ({ api }) => {
    await change(api, "flow-piled", "pause");
    const ids = await sendToHeld(api, "flow/piled", backlogMax + 3);
    await change(api, "flow-piled", "resume");
    const runs = (await Promise.all(ids.map((id) => api.ended(id)))).flat();
    const skipped = runs.filter(({ status }) => status === "Skipped");
    assert.equal(skipped.length, 3);
    assert.equal(runs.length - skipped.length, backlogMax);
    for (const run of skipped) assert.match(run.end_reason ?? "", /backlog: 10 .*backlogMax 10/);
  },
};

/** Both. */
export const holding: readonly FlowScenario[] = [pausing, backlog];
