// What people do to runs: start them again, from a step and with other input, and cancel them with
// the runs they invoked.
import assert from "node:assert/strict";
import type { Api, RunInfo } from "../../support/api.ts";
import { eventually } from "../../support/poll.ts";
import type { Scenario } from "../scenario.ts";

/** Starts an ended run again and waits for the end of the new one. */
async function again(api: Api, run: RunInfo, body: object): Promise<RunInfo> {
  const answer = await api.request("POST", `/v2/runs/${run.run_id}/rerun`, body);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  const { runId } = (answer.body as { data: { runId: string } }).data; // proof: the documented answer
  return eventually(`run ${runId} has ended`, async () => {
    const found = await api.run(runId);
    return found.ended_at !== null && found;
  });
}

/** `POST /v2/runs/{id}/rerun`. */
export const rerunning: Scenario = {
  says: "a run that is started again does all of it again, with the same event",
  define: ({ fn, note }) => [
    fn({ id: "again" }, { event: "again/go" }, async ({ step, event, runId }) => {
      await step.run("a", () => note("again", runId));
      await step.sleep("nap", "1s");
      return event.data["n"];
    }),
  ],
  check: async ({ api, runOf, notes }) => {
    const first = await runOf("again/go", { n: 5 });
    const second = await again(api, first, {});
    assert.deepEqual([second.status, second.output], ["Completed", 5]);
    assert.equal(second.event_id, first.event_id);
    assert.deepEqual(await notes("again"), [first.run_id, second.run_id]);
  },
};

/** The same with `fromStep`, and with its `input`. */
export const rerunningFromStep: Scenario = {
  says: "from a step: those before it are kept; it runs with the input that was edited",
  define: ({ fn, note }) => [
    fn({ id: "from-step" }, { event: "from-step/go" }, async ({ step }) => {
      const a = await step.run("a", () => {
        note("from-step", "a");
        return 1;
      });
      const b = await step.run(
        "b",
        (x: number, y: number) => {
          note("from-step", `b ${String(x)} ${String(y)}`);
          return x + y;
        },
        10,
        a,
      );
      const c = await step.run("c", () => {
        note("from-step", `c ${String(b)}`);
        return b * 2;
      });
      return { a, b, c };
    }),
  ],
  check: async ({ api, runOf, notes }) => {
    const first = await runOf("from-step/go");
    assert.deepEqual(first.output, { a: 1, b: 11, c: 22 });
    const same = await again(api, first, { fromStep: { stepId: "c" } });
    assert.deepEqual(same.output, { a: 1, b: 11, c: 22 });
    const edited = await again(api, first, { fromStep: { stepId: "b", input: [40, 2] } });
    assert.deepEqual(edited.output, { a: 1, b: 42, c: 84 });
    assert.deepEqual(await notes("from-step"), ["a", "b 10 1", "c 11", "c 11", "b 40 2", "c 42"]);
  },
};

/** Cancelling a run that has invoked another. */
export const cancellingWithChild: Scenario = {
  says: "a cancelled run takes what it invoked with it where the SDK can say so; else that goes on",
  define: ({ fn, note }) => {
    const child = fn({ id: "cancel-child" }, { event: "cancel-child/go" }, async (context) => {
      await context.step.run("begin", () => note("cancel-child", context.runId));
      await context.step.sleep("nap", "2s");
      return "child";
    });
    const invoke = (id: string, options: object): unknown =>
      fn({ id }, { event: `${id}/go` }, async ({ step }) => {
        await step.invoke("child", { function: child, ...options });
      });
    return [
      child,
      invoke("cancel-parent", {}),
      // Only our own SDK knows the option; others leave it out.
      invoke("cancel-keeps", { onCancel: "abandon" }),
    ];
  },
  check: async ({ api, flavour, notes }) => {
    const cancelled = async (name: string, count: number): Promise<string> => {
      const event = await api.sendOne({ name: `${name}/go` });
      await eventually("the child runs", async () => (await notes("cancel-child")).length >= count);
      const [parent] = await api.runsOf(event);
      assert.equal((await api.cancel(parent?.run_id ?? "")).status, 200);
      const child = String((await notes("cancel-child"))[count - 1]);
      const { status } = await eventually("the child has ended", async () => {
        const found = await api.run(child);
        return found.ended_at !== null && found;
      });
      return status;
    };
    const isOurs = flavour === "pawl";
    assert.equal(await cancelled("cancel-parent", 1), isOurs ? "Cancelled" : "Completed");
    assert.equal(await cancelled("cancel-keeps", 2), "Completed");
  },
};

/** Cancelling the run that another waits for. */
export const cancelledChild: Scenario = {
  says: "an invoker of a cancelled run goes on with an error that says which run and why",
  define: ({ fn, note }) => {
    const child = fn({ id: "lost-child" }, { event: "lost-child/go" }, async ({ step, runId }) => {
      await step.run("begin", () => note("lost-child", runId));
      await step.sleep("nap", "1h");
    });
    return [
      child,
      fn({ id: "lost-parent", retries: 0 }, { event: "lost-parent/go" }, ({ step }) =>
        step
          .invoke("child", { function: child })
          .catch((error: unknown) => (error instanceof Error ? error.message : String(error))),
      ),
    ];
  },
  check: async ({ api, notes }) => {
    const event = await api.sendOne({ name: "lost-parent/go" });
    const child = String(
      await eventually("the child runs", async () => (await notes("lost-child"))[0]),
    );
    assert.equal((await api.cancel(child)).status, 200);
    const [parent] = await api.ended(event);
    assert.equal(parent?.status, "Completed");
    assert.equal(
      parent.output,
      `Run ${child} of app-lost-child was cancelled: cancelled through the API`,
    );
  },
};

/** The app is told of the end of a call that nobody waits for. */
export const abortedCall: Scenario = {
  says: "code that runs while its run is cancelled sees its signal abort, and its answer is ignored",
  only: ["pawl"],
  define: ({ fn, note }) => [
    fn({ id: "aborted" }, { event: "aborted/go" }, async (context) => {
      const { signal } = context as unknown as { signal: AbortSignal }; // proof: this SDK has it
      await context.step.run("slow", async () => {
        note("aborted begin", context.runId);
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        note("aborted", signal.aborted);
        return "too late";
      });
      note("aborted went on");
    }),
  ],
  check: async ({ api, notes }) => {
    const event = await api.sendOne({ name: "aborted/go" });
    const runId = String(
      await eventually("the step runs", async () => (await notes("aborted begin"))[0]),
    );
    assert.equal((await api.cancel(runId)).status, 200);
    await eventually("the signal aborts", async () => (await notes("aborted")).length > 0);
    const [run] = await api.ended(event);
    assert.equal(run?.status, "Cancelled");
    const trace = await api.request("GET", `/v0/runs/${runId}/actions`);
    assert.deepEqual(trace.body, {});
    assert.deepEqual(await notes("aborted went on"), []);
  },
};
