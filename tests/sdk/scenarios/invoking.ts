// Functions that run other functions, in the same app and across apps.
import assert from "node:assert/strict";
import { eventually } from "../../support/poll.ts";
import { partnerAppId } from "../app/partner.ts";
import { partnerOf } from "../flavours.ts";
import type { Scenario } from "../scenario.ts";
import { nothing } from "./helpers.ts";

/** What a caught error looks like from outside. */
function told(error: unknown): { name: string; message: string } {
  const { name, message } = error as Error; // proof: SDKs throw errors
  return { name, message };
}

/** Functions of the same app. */
export const invoking: Scenario = {
  says: "invoke runs another function and returns its result; its error can be caught",
  define: (kit) => {
    const { fn } = kit;
    const square = fn({ id: "square" }, { event: "invoking/square" }, async ({ event, step }) => {
      const n = Number(event.data["n"]);
      return step.run("multiply", () => n * n);
    });
    const fails = fn({ id: "fails" }, { event: "invoking/fails" }, () => {
      throw kit.nonRetriable("it fails on purpose");
    });
    const main = fn({ id: "invoking" }, { event: "invoking/go" }, async ({ step }) => {
      const one = await step.invoke("one", { function: square, data: { n: 3 } });
      const several = await Promise.all(
        [4, 5, 6].map((n) =>
          step.invoke(`several ${String(n)}`, { function: square, data: { n } }),
        ),
      );
      const error = await step.invoke("fails", { function: fails, data: {} }).then(nothing, told);
      return { one, several, error };
    });
    return [square, fails, main];
  },
  check: async ({ outputOf }) => {
    const output = (await outputOf("invoking/go")) as Record<string, unknown>; // proof: what the function returns
    assert.equal(output["one"], 9);
    assert.deepEqual(output["several"], [16, 25, 36]);
    const error = output["error"] as { message: string }; // proof: what the function returns
    assert.match(error.message, /it fails on purpose/);
  },
};

/** A child that does not come back in time. */
export const invokingTooLong: Scenario = {
  says: "invoke throws when its time is over",
  define: ({ fn }) => {
    const slow = fn({ id: "slow" }, { event: "invoking-too-long/slow" }, async ({ step }) => {
      await step.sleep("long", "1h");
    });
    const main = fn(
      { id: "invoking-too-long" },
      { event: "invoking-too-long/go" },
      async ({ step }) =>
        step.invoke("slow", { function: slow, data: {}, timeout: "1s" }).then(nothing, told),
    );
    return [slow, main];
  },
  check: async ({ outputOf }) => {
    assert.deepEqual(await outputOf("invoking-too-long/go"), {
      name: "InngestInvokeTimeoutError",
      message: "Timed out waiting for invoked function to complete",
    });
  },
};

/** A function that no app has. */
export const invokingNobody: Scenario = {
  says: "invoke of an unknown function fails with its id",
  define: ({ fn, reference }) => [
    fn({ id: "invoking-nobody" }, { event: "invoking-nobody/go" }, async ({ step }) =>
      step.invoke("nobody", { function: reference("app", "nobody"), data: {} }).then(nothing, told),
    ),
  ],
  check: async ({ outputOf }) => {
    const { message } = (await outputOf("invoking-nobody/go")) as Error; // proof: an error as told above
    assert.equal(message, "could not find function with ID: app-nobody");
  },
};

/** Two apps, two SDKs. */
export const invokingPartner: Scenario = {
  says: "invoke reaches functions of another app with another SDK",
  define: ({ fn, reference }) => [
    fn({ id: "invoking-partner" }, { event: "invoking-partner/go" }, async ({ step }) => {
      const results = await Promise.all(
        [1, 2].map((n) =>
          step.invoke(`double ${String(n)}`, {
            function: reference(partnerAppId, "double"),
            data: { n },
          }),
        ),
      );
      const error = await step
        .invoke("fail", { function: reference(partnerAppId, "fail"), data: {} })
        .then(nothing, told);
      return { results, message: error?.message };
    }),
  ],
  check: async ({ outputOf, flavour }) => {
    const by = partnerOf[flavour];
    assert.deepEqual(await outputOf("invoking-partner/go"), {
      results: [
        { doubled: 2, by },
        { doubled: 4, by },
      ],
      message: "the partner cannot",
    });
  },
};

/** The child is cancelled from outside. */
export const invokingCancelled: Scenario = {
  says: "invoke throws when the invoked run is cancelled",
  define: ({ fn, note }) => {
    const waits = fn(
      { id: "waits" },
      { event: "invoking-cancelled/waits" },
      async ({ step, runId }) => {
        await step.run("tell", () => note("invoking-cancelled", runId));
        await step.sleep("long", "1h");
      },
    );
    const main = fn(
      { id: "invoking-cancelled", retries: 0 },
      { event: "invoking-cancelled/go" },
      async ({ step }) => step.invoke("waits", { function: waits, data: {} }).then(nothing, told),
    );
    return [waits, main];
  },
  check: async ({ api, notes }) => {
    const go = await api.sendOne({ name: "invoking-cancelled/go" });
    const childRunId = await eventually(
      "the child runs",
      async () => (await notes("invoking-cancelled"))[0],
    );
    assert.equal((await api.cancel(String(childRunId))).status, 200);
    const [run] = await api.ended(go);
    assert.equal(run?.status, "Completed");
    assert.match((run.output as Error).message, /cancel/i); // proof: an error as told above
  },
};
