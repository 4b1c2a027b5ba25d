// Explains runs of a test world from its state and changes, as a shell does from a store.
import { toJsonText } from "@pawl/protocol/json-text";
import type { CallTimes, Explanation, Reason } from "../explain/explanation.ts";
import { explainRun } from "../explain/explain.ts";
import { gateOfQueue } from "../gate.ts";
import type { World } from "./world.ts";

/** The explanation of a run now. */
export function explained(
  world: World,
  runId: string,
  callTimes: CallTimes | null = null,
): Explanation {
  const { run, jobs, steps, events } = world.run(runId);
  const ahead = new Map<string, number>();
  for (const job of jobs.values()) {
    if (job.kind !== "call" || job.state.at !== "queued") continue;
    const { gate } = job.state;
    const queue = world
      .queue(gateOfQueue(gate))
      .filter(({ state }) => state.at === "queued" && state.gate === gate);
    const place = queue.findIndex((call) => call.runId === runId && call.id === job.id);
    ahead.set(job.id, place);
  }
  const output = world.outputs.get(runId);
  return explainRun(world.state, {
    at: world.at,
    stored: { run, jobs: [...jobs.values()], steps: [...steps.values()], defers: [], events },
    attempts: world.changes.flatMap((change) =>
      change.type === "attempt.put" && change.attempt.runId === runId ? [change.attempt] : [],
    ),
    output: output === undefined ? null : toJsonText(output),
    ahead,
    callTimes,
  });
}

/** The reasons of a run now. */
export function reasonsOf(world: World, runId: string): readonly Reason[] {
  return explained(world, runId).reasons;
}
