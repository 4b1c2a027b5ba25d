// Metadata, scores and experiments of the published SDK (protocol.md 5.8), read back by the queries that
// its own suites send (protocol.md 8.4).
import assert from "node:assert/strict";
import { eventually } from "../../support/poll.ts";
import type { Context, Kit, Step } from "../app/kit.ts";
import type { Flavour } from "../flavours.ts";
import { noted } from "../noted.ts";
import type { Scenario } from "../scenario.ts";

/** The only flavours whose SDK knows metadata. */
const only: readonly Flavour[] = ["js4", "js4-no-checkpoint"];

type Values = Readonly<Record<string, unknown>>;

interface Builder {
  run(id?: string): Builder;
  step(id?: string, index?: number): Builder;
  set(values: Values, kind?: string): Promise<void>;
}

interface Score {
  readonly name: string;
  readonly value: number | boolean;
  readonly runId?: string;
  readonly stepId?: string;
}

interface ExperimentRef {
  readonly experimentName: string;
  readonly variant: string;
}

interface Client {
  readonly metadata: Builder;
  readonly score: {
    (score: Score): Promise<void>;
    experiment(score: Score & { readonly experiment: ExperimentRef }): Promise<void>;
  };
}

interface Notes extends Step {
  metadata(id: string): Builder;
  score(id: string, score: Score): Promise<void>;
}

interface Experiment {
  readonly variants: Readonly<Record<string, () => Promise<unknown>>>;
  readonly select: unknown;
}

interface Group {
  experiment(id: string, options: Experiment): Promise<{ experimentRef: ExperimentRef }>;
}

function clientOf(kit: Kit): Client {
  return kit.client as Client; // proof: these flavours have it, with the middleware for it
}

function notesOf({ step }: Context): Notes {
  return step as Notes; // proof: the middleware of these flavours adds both
}

function groupOf(context: Context): Group {
  return (context as unknown as { group: Group }).group; // proof: this SDK's context has it
}

/** Inside and outside of steps, by every way that the SDK has. */
export const notedByFunctions: Scenario = {
  says: "metadata and scores of functions and steps are shown on their spans",
  only,
  define: (kit) => [
    kit.fn({ id: "noting" }, { event: "noting/go" }, async (context) => {
      const { step, runId } = context;
      const client = clientOf(kit);
      await step.run("charge", async () => {
        await client.metadata.set({ phase: "charging", cents: 5 }, "progress");
        await client.metadata.run().set({ by: "charge" }, "of-run");
        await client.score({ name: "quick", value: true });
        return "charged";
      });
      await client.metadata.step("charge", 0).set({ later: [1, null] }, "later");
      await client.metadata.run(runId).set({ outside: 1.5 }, "outside");
      await notesOf(context).metadata("note").set({ as: "a step" });
      await notesOf(context).score("rate", { name: "helpful", value: 0.5 });
      await notesOf(context).score("rate again", { name: "short", value: 1 });
      return "noted";
    }),
  ],
  check: async ({ api, runOf }) => {
    const run = await runOf("noting/go");
    assert.equal(run.output, "noted", JSON.stringify(run.output));
    const { noting, charge, ...others } = await noted(api, run.run_id);
    assert.deepEqual(noting, {
      "run inngest.score": { helpful: { value: 0.5 }, short: { value: 1 } },
      "run userland.default": { as: "a step" },
      "run userland.of-run": { by: "charge" },
      "run userland.outside": { outside: 1.5 },
    });
    assert.deepEqual(charge, {
      "step inngest.score": { quick: { value: true } },
      "step userland.later": { later: [1, null] },
      "step userland.progress": { phase: "charging", cents: 5 },
    });
    assert.deepEqual(others, { note: {}, rate: {}, "rate again": {} });
  },
};

/** Attempts that fail bring theirs, too. */
export const notedByFailures: Scenario = {
  says: "metadata of a failed attempt stays; a later attempt replaces what it sets",
  only,
  define: (kit) => [
    kit.fn({ id: "noting-fails", retries: 2 }, { event: "noting-fails/go" }, ({ step, attempt }) =>
      step.run("shaky", async () => {
        const { metadata } = clientOf(kit);
        await metadata.set({ attempt }, "last");
        if (attempt > 0) return "done";
        await metadata.set({ attempt }, "first");
        throw new Error("shaky");
      }),
    ),
  ],
  check: async ({ api, runOf }) => {
    const run = await runOf("noting-fails/go");
    assert.equal(run.output, "done");
    const { shaky } = await noted(api, run.run_id);
    assert.deepEqual(shaky, {
      "step userland.first": { attempt: 0 },
      "step userland.last": { attempt: 1 },
    });
  },
};

/** The variant that was chosen, and the score of a run by another one when it has ended. */
export const experiments: Scenario = {
  says: "an experiment tells its variant; a run that has ended is scored by another",
  only,
  define: (kit) => [
    kit.fn({ id: "experiment" }, { event: "experiment/go" }, async (context) => {
      const { experiment } = await import("inngest");
      const { step } = context;
      const variants = {
        a: () => step.run("prompt a", () => "A"),
        b: () => step.run("prompt b", () => "B"),
      };
      const select = experiment.fixed("b");
      const { experimentRef } = await groupOf(context).experiment("prompt", { variants, select });
      return experimentRef;
    }),
    kit.fn({ id: "judge" }, { event: "experiment/judge" }, async ({ event, step }) => {
      const runId = String(event.data["runId"]);
      const experiment = event.data["experiment"] as ExperimentRef; // proof: sent by the check
      return step.run("judge", async () => {
        await clientOf(kit).score.experiment({ name: "good", value: 0.25, runId, experiment });
        await clientOf(kit).score({ name: "kept", value: true, runId, stepId: "prompt b" });
        return "judged";
      });
    }),
  ],
  check: async ({ api, runOf }) => {
    const run = await runOf("experiment/go");
    const experiment = { experimentName: "prompt", variant: "b" };
    assert.deepEqual(run.output, experiment);
    const judged = await runOf("experiment/judge", { runId: run.run_id, experiment });
    assert.equal(judged.output, "judged", JSON.stringify(judged.output));
    const all = await noted(api, run.run_id);
    const chosen = all["prompt"]?.["step inngest.experiment"];
    assert.deepEqual([chosen?.["name"], chosen?.["variant"]], ["prompt", "b"]);
    assert.deepEqual(chosen?.["available_variants"], ["a", "b"]);
    assert.deepEqual(all["prompt b"], { "step inngest.score": { kept: { value: true } } });
    assert.deepEqual(all["experiment"], {
      "run inngest.experiment": { name: "prompt", variant: "b" },
      "run inngest.score": { good: { value: 0.25 } },
    });
  },
};

const usage: Values = {
  operation_name: "chat",
  request_model: "gpt-5.4-nano",
  response_model: "gpt-5.4-nano-2026-03-17",
  provider: "openai",
  input_tokens: 2_000,
  output_tokens: 400,
  latency_ms: 31,
};

interface Execution {
  readonly executingStep?: { readonly id: string };
  readonly instance: {
    addMetadata(step: string, kind: string, scope: string, op: string, values: Values): boolean;
  };
}

/** What the SDK finds in spans of `gen_ai`, it adds in this very way. */
export const modelCosts: Scenario = {
  says: "inngest.ai of a step gets the model's cost, and nothing else",
  only,
  define: (kit) => [
    kit.fn({ id: "model-costs" }, { event: "model-costs/go" }, ({ step }) =>
      step.run("ask", async () => {
        // Only here: other flavours load this file as well, and cannot share a process with this SDK.
        const { getAsyncCtx } = await import("inngest/experimental");
        const context = await getAsyncCtx();
        // proof: as the SDK has it inside of a step
        const inside = context as unknown as { readonly execution: Execution };
        const { executingStep, instance } = inside.execution;
        return instance.addMetadata(executingStep?.id ?? "", "inngest.ai", "step", "set", usage);
      }),
    ),
  ],
  check: async ({ api, runOf }) => {
    const run = await runOf("model-costs/go");
    assert.equal(run.output, true, JSON.stringify(run.output));
    const { ask } = await noted(api, run.run_id);
    // 2,000 tokens at 0.20 USD and 400 at 1.25 USD for a million.
    assert.deepEqual(ask, { "step inngest.ai": { ...usage, estimated_cost: 0.0009 } });
  },
};

/** People score what is under way, too. */
export const notedByPeople: Scenario = {
  says: "metadata by request reaches a run that sleeps, and a step that waits",
  define: ({ fn }) => [
    fn({ id: "noted-asleep" }, { event: "noted-asleep/go" }, async ({ step }) => {
      await step.waitForEvent("nap", { event: "noted-asleep/wake", timeout: "1m" });
      return step.run("awake", () => "awake");
    }),
  ],
  check: async ({ api }) => {
    const eventId = await api.sendOne({ name: "noted-asleep/go" });
    const runId = await eventually("the run waits", async () => {
      const [run] = await api.runsOf(eventId);
      const body = {
        target: { step_id: "nap" },
        metadata: [{ kind: "k", op: "add", values: { n: 1 } }],
      };
      const path = `/v1/runs/${run?.run_id ?? ""}/metadata`;
      return (await api.request("POST", path, body)).status === 200 && run?.run_id;
    });
    const scores = [{ name: "patient", value: 3 }];
    const scored = await api.request("POST", `/v2/runs/${runId}/scores`, { scores });
    assert.equal(scored.status, 200);
    await api.endedBySending(eventId, [{ name: "noted-asleep/wake" }]);
    const all = await noted(api, runId);
    assert.deepEqual(all["nap"], { "step k": { n: 1 } });
    assert.deepEqual(all["noted-asleep"], { "run inngest.score": { patient: { value: 3 } } });
  },
};
