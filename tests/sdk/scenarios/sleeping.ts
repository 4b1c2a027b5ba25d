// Sleeping for a time and until a moment.
import assert from "node:assert/strict";
import type { Scenario } from "../scenario.ts";

// Apps and server read the same clock, timers fire up to a millisecond early.
const toleranceMs = 20;

/** Durations. */
export const sleeping: Scenario = {
  says: "a run sleeps for as long as it said, and a step before is not run again",
  define: ({ fn, note }) => [
    fn({ id: "sleeping" }, { event: "sleeping/go" }, async ({ step }) => {
      const from = await step.run("before", () => {
        note("sleeping", "before");
        return Date.now();
      });
      await step.sleep("one second", "1s");
      const half = await step.run("between", () => Date.now());
      await step.sleep("as number", 1_000);
      return [half - from, (await step.run("after", () => Date.now())) - half];
    }),
  ],
  check: async ({ outputOf, notes }) => {
    const [first = 0, second = 0] = (await outputOf("sleeping/go")) as number[]; // proof: what the function returns
    assert.ok(first >= 1_000 - toleranceMs, `slept ${String(first)} ms`);
    assert.ok(second >= 1_000 - toleranceMs, `slept ${String(second)} ms`);
    assert.deepEqual(await notes("sleeping"), ["before"]);
  },
};

/** Moments. */
export const sleepingUntil: Scenario = {
  says: "sleepUntil ends at its moment, at once when that is past",
  define: ({ fn }) => [
    fn({ id: "sleeping-until" }, { event: "sleeping-until/go" }, async ({ event, step }) => {
      const moment = String(event.data["at"]);
      await step.sleepUntil("past", new Date(0));
      const early = await step.run("early", () => Date.now());
      await step.sleepUntil("as text", moment);
      await step.sleepUntil("as date", new Date(moment));
      const late = await step.run("late", () => Date.now());
      return { early, late };
    }),
  ],
  check: async ({ outputOf }) => {
    const at = Date.now() + 2_000;
    const output = await outputOf("sleeping-until/go", { at: new Date(at).toISOString() });
    const { early, late } = output as { early: number; late: number }; // proof: what the function returns
    assert.ok(late >= at - toleranceMs, `woke ${String(at - late)} ms early`);
    assert.ok(early < late);
  },
};
