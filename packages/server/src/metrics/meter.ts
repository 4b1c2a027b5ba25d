// What the server counts about itself while it works: commits, and what was in them. It sees
// changes after they are committed and never holds anybody up. It must not know how the counts
// are shown.
import type { Change } from "@pawl/engine/changes";
import type { RunStatus } from "@pawl/engine/records";
import type { GatewayKind } from "@pawl/protocol/gateway-wire";
import type { Store } from "@pawl/store/store";
import type { GatewayOutcome } from "../gateway/gateway-driver.ts";
import type { FunctionMeter } from "./function-meter.ts";
import { Histogram } from "./histogram.ts";
import { RunMomentReader } from "./run-moments.ts";

export type EndStatus = Exclude<RunStatus, "queued" | "running">;

const commitSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const commitChanges = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384];

/** Counts since the start of the process. */
export class Meter {
  readonly functions: FunctionMeter;
  readonly #runs = new RunMomentReader();
  readonly commitSeconds = new Histogram(commitSeconds);
  readonly commitChanges = new Histogram(commitChanges);
  readonly runsEnded: Record<EndStatus, number> = {
    completed: 0,
    failed: 0,
    cancelled: 0,
    skipped: 0,
  };
  commitFailures = 0;
  events = 0;
  runsStarted = 0;
  steps = 0;
  failedAttempts = 0;

  readonly gatewayRequests: Record<GatewayKind, Record<GatewayOutcome, number>> = {
    fetch: { answered: 0, failed: 0, aborted: 0 },
    infer: { answered: 0, failed: 0, aborted: 0 },
  };

  constructor(functions: FunctionMeter) {
    this.functions = functions;
  }

  /** A request that the server performed for a step is over. */
  gatewayRequest(kind: GatewayKind, outcome: GatewayOutcome): void {
    this.gatewayRequests[kind][outcome] += 1;
  }

  /** Takes in the changes of a commit that succeeded. */
  committed(changes: readonly Change[], seconds: number): void {
    this.commitSeconds.observe(seconds);
    this.commitChanges.observe(changes.length);
    const runs = this.#runs.read(changes);
    this.functions.committed(changes, runs);
    for (const change of changes) {
      switch (change.type) {
        case "event.put":
          this.events += 1;
          break;
        case "step.put":
          this.steps += 1;
          break;
        case "attempt.put":
          this.failedAttempts += 1;
          break;
        default:
      }
    }
    for (const { run, made } of runs.values()) {
      if (made) this.runsStarted += 1;
      if (run.status !== "queued" && run.status !== "running") this.runsEnded[run.status] += 1;
    }
  }
}

/** The same store, with its commits measured. `elapsedMs` is a clock that never steps back. */
export function meteredStore(store: Store, meter: Meter, elapsedMs: () => number): Store {
  return {
    open: () => store.open(),
    load: (needs) => store.load(needs),
    commit: async (changes, fence) => {
      const start = elapsedMs();
      try {
        await store.commit(changes, fence);
      } catch (error) {
        meter.commitFailures += 1;
        throw error;
      }
      meter.committed(changes, (elapsedMs() - start) / 1_000);
    },
    due: (query) => store.due(query),
    list: (query) => store.list(query),
    watch: (listener) => store.watch(listener),
    close: () => store.close(),
  };
}
