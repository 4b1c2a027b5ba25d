// How runs end, and what is told about it: failure handlers, internal events, cancelling.
import assert from "node:assert/strict";
import { eventually } from "../../support/poll.ts";
import type { Scenario } from "../scenario.ts";

/** `onFailure`. */
export const onFailure: Scenario = {
  says: "onFailure runs once with the error and the event that started the run",
  define: ({ fn, note, nonRetriable }) => [
    fn(
      {
        id: "on-failure",
        onFailure: async ({ error, event, step }) => {
          const data = event.data as { event: { data: unknown }; function_id: string }; // proof: protocol.md 4
          const extra = await step.run("tell", () => "told");
          note("on-failure", {
            message: error.message,
            original: data.event.data,
            of: data.function_id,
            extra,
          });
        },
      },
      { event: "on-failure/go" },
      () => {
        throw nonRetriable("bad luck");
      },
    ),
  ],
  check: async ({ runOf, notes }) => {
    assert.equal((await runOf("on-failure/go", { order: 9 })).status, "Failed");
    const seen = await eventually("onFailure has run", async () => {
      const all = await notes("on-failure");
      return all.length > 0 && all;
    });
    assert.deepEqual(seen, [
      { message: "bad luck", original: { order: 9 }, of: "app-on-failure", extra: "told" },
    ]);
  },
};

const watched = "event.data.function_id == 'app-watched'";

/** Events about runs. */
export const internalEvents: Scenario = {
  says: "functions are started by inngest/function.finished, .failed and .cancelled",
  define: ({ fn, note, nonRetriable }) => [
    fn({ id: "watched" }, { event: "watched/go" }, async ({ event, step, runId }) => {
      if (event.data["how"] === "fail") throw nonRetriable("as asked");
      if (event.data["how"] === "sleep") {
        await step.run("tell", () => note("watched", runId));
        await step.sleep("long", "1h");
      }
      return { ok: true };
    }),
    ...["finished", "failed", "cancelled"].map((kind) =>
      fn(
        { id: `watch-${kind}` },
        { event: `inngest/function.${kind}`, if: watched },
        ({ event }) => {
          const { run_id, function_id, result, error } = event.data;
          const { message } = (error ?? {}) as Partial<Error>; // proof: protocol.md 4
          note(`watch ${kind}`, { run_id, function_id, result, message });
        },
      ),
    ),
  ],
  check: async ({ api, runOf, notes }) => {
    const done = await runOf("watched/go", { how: "end" });
    const failed = await runOf("watched/go", { how: "fail" });
    const sleeps = await api.sendOne({ name: "watched/go", data: { how: "sleep" } });
    const runId = String(await eventually("it sleeps", async () => (await notes("watched"))[0]));
    assert.equal((await api.cancel(runId)).status, 200);
    const [cancelled] = await api.ended(sleeps);
    assert.equal(cancelled?.status, "Cancelled");

    const seen = async (kind: string, count: number): Promise<Map<unknown, unknown>> => {
      const all = await eventually(`${String(count)} events ${kind}`, async () => {
        const noted = (await notes(`watch ${kind}`)) as { run_id: string }[]; // proof: noted above
        return noted.length >= count && noted;
      });
      return new Map(all.map((each) => [each.run_id, each]));
    };
    const function_id = "app-watched";
    const failures = await seen("failed", 1);
    assert.equal(failures.size, 1);
    assert.deepEqual(failures.get(failed.run_id), {
      run_id: failed.run_id,
      function_id,
      result: undefined,
      message: "as asked",
    });
    const finished = await seen("finished", 2);
    assert.deepEqual(finished.get(done.run_id), {
      run_id: done.run_id,
      function_id,
      result: { ok: true },
      message: undefined,
    });
    assert.ok(finished.has(failed.run_id));
    assert.ok((await seen("cancelled", 1)).has(runId));
  },
};

/** `DELETE /v1/runs/{id}`. */
export const cancelling: Scenario = {
  says: "a run that is cancelled while a step runs goes no further",
  define: ({ fn, note }) => [
    fn({ id: "cancelling" }, { event: "cancelling/go" }, async ({ step, runId }) => {
      await step.run("slow", async () => {
        note("cancelling", runId);
        await new Promise((resolve) => {
          setTimeout(resolve, 800);
        });
        note("cancelling slow done");
      });
      await step.run("after", () => note("cancelling after"));
    }),
  ],
  check: async ({ api, notes }) => {
    const go = await api.sendOne({ name: "cancelling/go" });
    const runId = String(await eventually("it runs", async () => (await notes("cancelling"))[0]));
    assert.equal((await api.cancel(runId)).status, 200);
    assert.equal((await api.ended(go))[0]?.status, "Cancelled");
    await eventually(
      "the step is over",
      async () => (await notes("cancelling slow done")).length > 0,
    );
    const again = await api.cancel(runId);
    assert.ok(again.status < 500, `cancelled twice: ${String(again.status)}`);
    assert.deepEqual(await notes("cancelling after"), []);
    assert.equal((await api.run(runId)).status, "Cancelled");
  },
};
