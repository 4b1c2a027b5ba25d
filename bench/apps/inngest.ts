// The app of flavour `inngest`: the workloads' functions on the unchanged SDK `inngest` of npm, at
// its defaults (checkpointing on).
import { Inngest } from "inngest";
import { serve } from "inngest/node";
import { serveApp } from "./serve-app.ts";
import { eventNames, parallel, sequential, type StepValue } from "./steps.ts";

const quiet = { debug() {}, info() {}, warn() {}, error: console.error };
const client = new Inngest({ id: "bench", logger: quiet });

/** The number of steps that an event asks for. */
function stepsOf(data: unknown): number {
  const { steps } = data as { readonly steps: number }; // proof: workloads.ts sends it
  return steps;
}

const functions = [
  client.createFunction(
    { id: "sequential", triggers: [{ event: eventNames.sequential }] },
    ({ event, step }) =>
      sequential((id, work): Promise<StepValue> => step.run(id, work), stepsOf(event.data)),
  ),
  client.createFunction(
    { id: "parallel", triggers: [{ event: eventNames.parallel }] },
    ({ event, step }) =>
      parallel((id, work): Promise<StepValue> => step.run(id, work), stepsOf(event.data)),
  ),
  client.createFunction({ id: "sleeper", triggers: [{ event: eventNames.sleeper }] }, ({ step }) =>
    step.sleep("nap", "1h"),
  ),
];

serveApp(serve({ client, functions }), "/api/inngest");
