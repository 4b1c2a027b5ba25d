// The app of flavour `pawl`: the workloads' functions on our own SDK, at its defaults.
import { Pawl } from "pawl";
import { serve } from "pawl/node";
import { serveApp } from "./serve-app.ts";
import { eventNames, parallel, sequential, woken } from "./steps.ts";

const client = new Pawl({ id: "bench" });

/** The number of steps that an event asks for. */
function stepsOf(data: unknown): number {
  const { steps } = data as { readonly steps: number }; // proof: workloads.ts sends it
  return steps;
}

const functions = [
  client.createFunction({ id: "sequential" }, { event: eventNames.sequential }, ({ event, step }) =>
    sequential((id, work) => step.run(id, work), stepsOf(event.data)),
  ),
  client.createFunction({ id: "parallel" }, { event: eventNames.parallel }, ({ event, step }) =>
    parallel((id, work) => step.run(id, work), stepsOf(event.data)),
  ),
  client.createFunction({ id: "sleeper" }, { event: eventNames.sleeper }, ({ step }) =>
    step.sleep("nap", "1h"),
  ),
  client.createFunction({ id: "waiter" }, { event: eventNames.waiter }, async ({ step }) => {
    const { wake } = eventNames;
    const event = await step.waitForEvent("w", { event: wake, match: "data.key", timeout: "30d" });
    return woken(event?.data["key"]);
  }),
  client.createFunction({ id: "chooser" }, { event: eventNames.chooser }, async ({ step }) => {
    const first = await step.waitForAny("w", {
      events: {
        wake: { event: eventNames.wake, match: "data.key" },
        never: { event: eventNames.never, match: "data.key" },
      },
      timeout: "30d",
    });
    return woken(first?.event.data["key"]);
  }),
];

serveApp(serve({ client, functions }), "/api/pawl");
