// Loads what an explanation of a run is made from, and has the engine explain it. It decides
// nothing, and must not know HTTP nor the command line.
import { explainRun, jobsToExplain } from "@pawl/engine/explain/explain";
import type { Explanation } from "@pawl/engine/explain/explanation";
import type { Job } from "@pawl/engine/records";
import type { Sources } from "./sources.ts";

/** Why a run is not running, at `at`; null when there is no such run. */
export async function loadExplanation(
  sources: Sources,
  runId: string,
  at: number,
): Promise<Explanation | null> {
  const { hot, store } = sources;
  const [found] = await store.load([{ kind: "run", runId }]);
  const stored = found !== undefined && "run" in found ? found.run : null;
  if (stored === null) return null;
  const [attempts, output, places] = await Promise.all([
    store.list<"attempts">({ type: "attempts", runId }),
    store.list<"output">({ type: "output", runId }),
    Promise.all(jobsToExplain(stored.jobs).map((job) => placeOf(store, job))),
  ]);
  return explainRun(hot, {
    at,
    stored,
    attempts,
    output,
    ahead: new Map(places.flatMap((place) => (place === null ? [] : [place]))),
    callTimes: sources.callTimes(stored.run.functionId),
  });
}

/** How many calls go before a queued one, by job id; null for other jobs. */
async function placeOf(
  store: Sources["store"],
  job: Job,
): Promise<readonly [jobId: string, ahead: number] | null> {
  if (job.kind !== "call" || job.state.at !== "queued") return null;
  const { runId, id: jobId } = job;
  const { gate, since } = job.state;
  return [jobId, await store.list<"queueAhead">({ type: "queueAhead", gate, since, runId, jobId })];
}
