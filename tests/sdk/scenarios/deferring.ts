// Functions that a run defers until its end (protocol.md 5.6).
import assert from "node:assert/strict";
import { eventually } from "../../support/poll.ts";
import type { Api, DeferInfo, RunInfo } from "../../support/api.ts";
import type { Deferring, Kit } from "../app/kit.ts";
import { checkpointing } from "../flavours.ts";
import { noted } from "../noted.ts";
import type { Scenario } from "../scenario.ts";

const only = ["js4", "js4-no-checkpoint"] as const;

function deferringOf({ deferring }: Kit): Deferring {
  assert.ok(deferring !== null, "the flavours of these scenarios can defer");
  return deferring;
}

/** What a run has deferred, once all that was sent has ended, with the runs by the id of the deferral. */
async function deferredBy(
  api: Api,
  runId: string,
): Promise<{ defers: readonly DeferInfo[]; runs: Record<string, RunInfo> }> {
  return eventually("all deferred functions ended", async () => {
    const defers = await api.defers(runId);
    const sent = defers.filter(({ status }) => status === "sent");
    if (defers.some(({ status }) => status === "scheduled")) return false;
    const runs: Record<string, RunInfo> = {};
    for (const { id, run_id, event_id } of sent) {
      if (run_id === null || event_id === null) return false;
      assert.equal((await api.runsOf(event_id)).length, 1, "each starts once");
      runs[id] = await api.run(run_id);
    }
    return Object.values(runs).every(({ ended_at }) => ended_at !== null) && { defers, runs };
  });
}

/** Beside steps and the result; one is taken back later, one at once. */
export const deferring: Scenario = {
  says: "deferred functions start once at the end of the run, aborted ones never",
  only,
  define: (kit) => {
    const { deferred, defer } = deferringOf(kit);
    const later = deferred({ id: "later" }, ({ event, parents, runId }) => {
      kit.note("deferring", runId);
      return { data: event.data, parents };
    });
    const main = kit.fn({ id: "deferring" }, { event: "deferring/go" }, async (context) => {
      const { step } = context;
      defer(context, "first", { function: later, data: { n: 1 } });
      const taken = defer(context, "taken back", { function: later, data: { n: 2 } });
      defer(context, "at once", { function: later, data: { n: 3 } }).abort();
      await step.run("a", () => kit.note("deferring steps", "a"));
      defer(context, "first", { function: later, data: { n: "again" } });
      await step.sleep("nap", "1s");
      taken.abort();
      await step.run("b", () => kit.note("deferring steps", "b"));
      defer(context, "last", { function: later });
      return "done";
    });
    return [later, main];
  },
  check: async ({ api, runOf, notes }) => {
    const run = await runOf("deferring/go");
    assert.deepEqual([run.status, run.output], ["Completed", "done"]);
    const { defers, runs } = await deferredBy(api, run.run_id);
    assert.deepEqual(
      defers.map(({ id, status, function: slug }) => [id, status, slug]),
      [
        ["first", "sent", "app-later"],
        ["taken back", "aborted", "app-later"],
        ["last", "sent", "app-later"],
      ],
    );
    const parents = [{ fnSlug: "app-deferring", runId: run.run_id }];
    assert.deepEqual(runs["first"]?.output, { data: { n: 1 }, parents });
    assert.deepEqual(runs["last"]?.output, { data: {}, parents });
    assert.equal((await notes("deferring")).length, 2);
    assert.deepEqual(await notes("deferring steps"), ["a", "b"]);
  },
};

/** `[DeferAdd, RunComplete]`. */
export const deferringInOneCall: Scenario = {
  says: "a function that only defers and returns is called once",
  only,
  define: (kit) => {
    const { deferred, defer } = deferringOf(kit);
    const later = deferred({ id: "one-call-later" }, ({ event }) => event.data);
    const main = kit.fn({ id: "one-call" }, { event: "deferring/one-call" }, (context) => {
      defer(context, "x", { function: later, data: { n: 1 } });
      return 1;
    });
    return [later, main];
  },
  check: async ({ api, runOf, callCount }) => {
    const run = await runOf("deferring/one-call");
    assert.equal(await callCount("one-call"), 1);
    const { runs } = await deferredBy(api, run.run_id);
    assert.deepEqual(runs["x"]?.output, { n: 1 });
  },
};

/** Between parallel steps, where calls target one step each. */
export const deferringInParallel: Scenario = {
  says: "deferrals beside parallel steps cost no call and no step",
  only,
  define: (kit) => {
    const { deferred, defer } = deferringOf(kit);
    const later = deferred({ id: "parallel-later" }, ({ event }) => event.data);
    const main = kit.fn(
      { id: "deferring-parallel" },
      { event: "deferring/parallel" },
      async (context) => {
        const { step } = context;
        const branch = async (id: string): Promise<string> => {
          const value = await step.run(id, () => id);
          defer(context, `after ${id}`, { function: later, data: { id } });
          return value;
        };
        const both = await Promise.all([branch("a"), branch("b")]);
        await step.run("c", () => "c");
        return both;
      },
    );
    return [later, main];
  },
  check: async ({ api, runOf, callCount, flavour }) => {
    const run = await runOf("deferring/parallel");
    assert.deepEqual(run.output, ["a", "b"]);
    const { defers, runs } = await deferredBy(api, run.run_id);
    assert.deepEqual(defers.map(({ id }) => id).toSorted(), ["after a", "after b"]);
    assert.deepEqual(runs["after a"]?.output, { id: "a" });
    // Plan, a, b, and from there on all in one call or one for c and one for the end.
    assert.equal(await callCount("deferring-parallel"), checkpointing.includes(flavour) ? 4 : 5);
  },
};

/** The parent's failure comes beside the deferral. */
export const deferringFailures: Scenario = {
  says: "what a run deferred starts although it failed, at its last attempt only",
  only,
  define: (kit) => {
    const { deferred, defer } = deferringOf(kit);
    const later = deferred({ id: "failing-later" }, ({ event }) => event.data);
    const atOnce = kit.fn({ id: "deferring-fails" }, { event: "deferring/fails" }, (context) => {
      defer(context, "x", { function: later, data: { n: 1 } });
      throw kit.nonRetriable("on purpose");
    });
    const retried = kit.fn(
      { id: "deferring-retried", retries: 1 },
      { event: "deferring/retried" },
      (context) => {
        defer(context, "x", { function: later, data: { attempt: context.attempt } });
        throw new Error("on purpose");
      },
    );
    return [later, atOnce, retried];
  },
  check: async ({ api, runOf, callCount }) => {
    const [atOnce, retried] = await Promise.all([
      runOf("deferring/fails"),
      runOf("deferring/retried"),
    ]);
    for (const run of [atOnce, retried]) {
      assert.equal(run.status, "Failed");
      assert.match(JSON.stringify(run.output), /on purpose/);
    }
    assert.deepEqual(
      [await callCount("deferring-fails"), await callCount("deferring-retried")],
      [1, 2],
    );
    assert.deepEqual((await deferredBy(api, atOnce.run_id)).runs["x"]?.output, { n: 1 });
    const { runs } = await deferredBy(api, retried.run_id);
    assert.deepEqual(runs["x"]?.output, { attempt: 0 }, "the first of an id counts");
  },
};

/** What the parent may not do does not touch it. */
export const deferringTooMuch: Scenario = {
  says: "the 21st deferral of a run is rejected with the reason, and the run goes on",
  only,
  define: (kit) => {
    const { deferred, defer } = deferringOf(kit);
    const later = deferred({ id: "many-later" }, () => null);
    const main = kit.fn({ id: "deferring-many" }, { event: "deferring/many" }, async (context) => {
      for (let n = 0; n < 21; n += 1) defer(context, `d${String(n)}`, { function: later });
      return context.step.run("a", () => "fine");
    });
    return [later, main];
  },
  check: async ({ api, runOf }) => {
    const run = await runOf("deferring/many");
    assert.equal(run.output, "fine");
    const { defers, runs } = await deferredBy(api, run.run_id);
    assert.equal(Object.keys(runs).length, 20);
    const last = defers.find(({ id }) => id === "d20");
    assert.equal(last?.status, "rejected");
    assert.match(last?.reason ?? "", /20.*defersPerRunMax/);
  },
};

/** A scorer is told which run it is about; without a score it stores none. */
export const scorers: Scenario = {
  says: "a scorer runs after the run that it scores, and its score is metadata of that run",
  only,
  define: (kit) => {
    const { scorer, defer } = deferringOf(kit);
    const judge = scorer({ id: "answer-judge" }, ({ parents, event }) => {
      kit.note("scorers", { about: parents[0]?.runId, data: event.data });
      return { name: "right", value: event.data["answer"] === 42 };
    });
    const main = kit.fn({ id: "scored" }, { event: "deferring/scored" }, async (context) => {
      defer(context, "answer-judge", { function: judge, data: { answer: 42 } });
      return context.step.run("answer", () => 42);
    });
    return [judge, main];
  },
  check: async ({ api, runOf, notes }) => {
    const run = await runOf("deferring/scored");
    const { runs } = await deferredBy(api, run.run_id);
    assert.equal(runs["answer-judge"]?.status, "Completed");
    const { scored } = await noted(api, run.run_id);
    assert.deepEqual(scored, { "run inngest.score": { right: { value: true } } });
    const seen = await notes("scorers");
    assert.deepEqual(seen.at(-1), { about: run.run_id, data: { answer: 42 } });
  },
};
