// Cron lines as functions register them.
import assert from "node:assert/strict";
import { eventually } from "../../support/poll.ts";
import type { Trigger } from "../app/kit.ts";
import type { FlowScenario } from "./flow-scenario.ts";

function ticking(what: string, id: string, trigger: Trigger): FlowScenario {
  return {
    says: `schedules: ${what}`,
    define: ({ fn, note }) => [
      fn({ id }, trigger, ({ event: { name, ts } }) => note(id, { name, ts })),
    ],
    check: async ({ notes }) => {
      await eventually("it ticked twice", async () => (await notes(id)).length >= 2);
      const seen = (await notes(id)) as { name: string; ts: number }[]; // proof: noted above
      assert.deepEqual(new Set(seen.map(({ name }) => name)), new Set(["inngest/scheduled.timer"]));
      const { length } = seen;
      assert.equal(new Set(seen.map(({ ts }) => ts)).size, length, "a tick came twice");
    },
  };
}

/** Cron lines with seconds. */
export const everySecond = ticking("six fields, every other second", "every-second", {
  cron: "*/2 * * * * *",
});
/** In a zone. */
export const inZone = ticking("a time zone and jitter", "in-zone", {
  cron: "TZ=Asia/Kolkata */3 * * * * *",
  jitter: "1s",
});
