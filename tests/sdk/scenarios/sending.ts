// Events sent by functions and by clients.
import assert from "node:assert/strict";
import { eventually } from "../../support/poll.ts";
import type { Scenario } from "../scenario.ts";
import { sorted } from "./helpers.ts";

/** `step.sendEvent`. */
export const sending: Scenario = {
  says: "sendEvent sends once, returns ids, and starts functions of this and of other apps",
  define: ({ fn, note }) => [
    fn({ id: "sending" }, { event: "sending/go" }, async ({ step }) => {
      const one = await step.sendEvent("one", { name: "sending/sent", data: { n: 1 } });
      const two = await step.sendEvent("two", [
        { name: "sending/sent", data: { n: 2 } },
        { name: "partner/announced", data: { n: 3 } },
      ]);
      await step.sleep("replay", "1s");
      return [...one.ids, ...two.ids];
    }),
    fn({ id: "sent" }, { event: "sending/sent" }, ({ event }) => {
      note("sending", event.data["n"]);
      return event.data;
    }),
  ],
  check: async ({ api, outputOf, notes }) => {
    const ids = (await outputOf("sending/go")) as string[]; // proof: what the function returns
    assert.equal(new Set(ids).size, 3);
    const runs = await Promise.all(ids.map((id) => api.ended(id)));
    assert.deepEqual(
      runs.map(([run]) => run?.output),
      [{ n: 1 }, { n: 2 }, { heard: { n: 3 } }],
    );
    const numbers = await eventually("both were received", async () => {
      const seen = await notes("sending");
      return seen.length >= 2 && seen;
    });
    assert.deepEqual(sorted(numbers), ["1", "2"]);
  },
};

/** The app's client outside of functions. */
export const sendingOutside: Scenario = {
  says: "the client's send starts functions",
  define: ({ fn }) => [
    fn({ id: "sending-outside" }, { event: "sending-outside/go" }, () => "started"),
  ],
  check: async ({ api, app }) => {
    const { ids } = (await app.send("sending-outside/go")) as { ids: string[] }; // proof: what all SDKs return
    assert.equal((await api.ended(ids[0] ?? ""))[0]?.output, "started");
  },
};
