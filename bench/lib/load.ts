// Closed-loop load: so many runs in flight, a new one for each that ended. It must not know what
// the runs do.
import type { EndedRun } from "./feed.ts";
import type { System } from "./system.ts";

/** Which events to send, one for each run. */
export interface Load {
  readonly event: (index: number) => string;
  readonly runs: number;
  readonly inFlight: number;
}

/** What became of a load. Times in ms. */
export interface LoadOutcome {
  readonly wallMs: number;
  /** One for each run, from its event being sent to its end being known. */
  readonly latencies: readonly number[];
  readonly lastRunId: string;
}

const patienceMs = 300_000;

/**
 * Runs the load; rejects when a run does not complete. With several in flight a run's latency
 * starts when the server took its event in, to the ms, since the feed does not name events.
 */
export function runLoad(system: System, load: Load): Promise<LoadOutcome> {
  const { promise, resolve, reject } = Promise.withResolvers<LoadOutcome>();
  const latencies: number[] = [];
  const begin = performance.now();
  let sent = 0;
  let sentAt = begin;
  const timer = setInterval(() => {
    const { failure } = system.feed;
    if (failure !== null) reject(failure);
    if (performance.now() - begin > patienceMs)
      reject(new Error(`${latencies.length} of ${load.runs} runs ended within five minutes`));
  }, 200);
  const send = (): void => {
    if (sent === load.runs) return;
    sentAt = performance.now();
    system.client.send(load.event(sent++)).catch(reject);
  };
  const onEnd = ({ status, queuedAt, runId }: EndedRun): void => {
    if (status !== "completed") return void explain(system, runId, status).then(reject, reject);
    latencies.push(load.inFlight === 1 ? performance.now() - sentAt : Date.now() - queuedAt);
    if (latencies.length < load.runs) return send();
    resolve({ wallMs: performance.now() - begin, latencies, lastRunId: runId });
  };
  system.feed.listener = { onEnd, onWaiting: () => undefined };
  for (let lane = 0; lane < load.inFlight; lane++) send();
  return promise.finally(() => {
    clearInterval(timer);
    system.feed.mute();
  });
}

async function explain(system: System, runId: string, status: string): Promise<Error> {
  const run = await system.client.get(`/v1/runs/${runId}`);
  return new Error(`run ${runId} is ${status}: ${JSON.stringify(run).slice(0, 1_000)}`);
}

/** Sends `count` requests with at most `inFlight` at a time. */
export async function sendAll(
  system: System,
  count: number,
  inFlight: number,
  body: (index: number) => string,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await system.client.send(body(next++));
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, lane));
}
