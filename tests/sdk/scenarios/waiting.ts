// Waiting for events.
import assert from "node:assert/strict";
import { eventually } from "../../support/poll.ts";
import { published } from "../flavours.ts";
import type { Scenario } from "../scenario.ts";

/** `if` over both events. */
export const waitingIf: Scenario = {
  says: "waitForEvent takes the first event for which its expression holds",
  define: ({ fn }) => [
    fn({ id: "waiting-if" }, { event: "waiting-if/go" }, async ({ event, step }) => {
      await step.run("before", () => "waits only after a step");
      const reply = await step.waitForEvent("reply", {
        event: "waiting-if/reply",
        if: "async.data.user == event.data.user && async.data.n > 1",
        timeout: "1m",
      });
      return { user: event.data["user"], name: reply?.name, data: reply?.data };
    }),
  ],
  check: async ({ api }) => {
    const go = await api.sendOne({ name: "waiting-if/go", data: { user: "ann" } });
    const reply = (user: string, n: number) => ({ name: "waiting-if/reply", data: { user, n } });
    const replies = [reply("bob", 5), reply("ann", 1), reply("ann", 7)];
    const run = await api.endedBySending(go, replies);
    assert.deepEqual(run.output, {
      user: "ann",
      name: "waiting-if/reply",
      data: { user: "ann", n: 7 },
    });
  },
};

/** The short form of an equality. */
export const waitingMatch: Scenario = {
  says: "waitForEvent with match compares one path in both events",
  define: ({ fn }) => [
    fn({ id: "waiting-match" }, { event: "waiting-match/go" }, async ({ step }) => {
      const reply = await step.waitForEvent("reply", {
        event: "waiting-match/reply",
        match: "data.order.id",
        timeout: "1m",
      });
      return reply?.data["from"] ?? null;
    }),
  ],
  check: async ({ api }) => {
    const go = await api.sendOne({ name: "waiting-match/go", data: { order: { id: 7 } } });
    const reply = (id: unknown) => ({
      name: "waiting-match/reply",
      data: { order: { id }, from: id },
    });
    const run = await api.endedBySending(go, [reply(8), reply("7"), reply(7)]);
    assert.equal(run.output, 7);
  },
};

/** Nothing comes. */
export const waitingInVain: Scenario = {
  says: "waitForEvent returns null when its time is over",
  define: ({ fn }) => [
    fn({ id: "waiting-in-vain" }, { event: "waiting-in-vain/go" }, async ({ step }) => {
      const reply = await step.waitForEvent("reply", {
        event: "waiting-in-vain/never",
        timeout: "1s",
      });
      return { reply, after: await step.run("after", () => "went on") };
    }),
  ],
  check: async ({ outputOf }) => {
    assert.deepEqual(await outputOf("waiting-in-vain/go"), { reply: null, after: "went on" });
  },
};

/** The event comes before the wait: these SDKs do not ask for a look back. */
export const waitingTooLate: Scenario = {
  says: "an event that came before the wait does not end it",
  only: published,
  define: ({ fn, note }) => [
    fn({ id: "waiting-too-late" }, { event: "waiting-too-late/go" }, async ({ step }) => {
      await step.run("ready", () => note("waiting-too-late"));
      await step.waitForEvent("sent", { event: "waiting-too-late/sent", timeout: "1m" });
      return step.waitForEvent("reply", { event: "waiting-too-late/reply", timeout: "1s" });
    }),
  ],
  check: async ({ api, notes }) => {
    const go = await api.sendOne({ name: "waiting-too-late/go" });
    await eventually("the step is done", async () => (await notes("waiting-too-late")).length > 0);
    await api.send({ name: "waiting-too-late/reply" });
    const run = await api.endedBySending(go, [{ name: "waiting-too-late/sent" }]);
    assert.equal(run.status, "Completed");
    assert.equal(run.output, null);
  },
};
