// What is counted for each function since the start of the process, by day: runs, calls, steps
// (protocol.md 8.1, `/v1/prom/{env}`). Bounded: functions beyond the limit are counted as one, and
// days before yesterday are forgotten. It must not know how the counts are shown.
import type { Change } from "@pawl/engine/changes";
import type { EndedStatus } from "@pawl/engine/records";
import type { RunMoments } from "./run-moments.ts";

/** Functions with counts of their own, when nothing else is chosen. */
export const metricsFunctionsMaxDefault = 1_000;

/** What happened to a call. */
export type CallMoment = "sent" | "answered" | "failed";

/** Counts of one function on one day. */
export interface FunctionCounts {
  readonly runsEnded: Record<EndedStatus, number>;
  runsScheduled: number;
  runsStarted: number;
  callsStarted: number;
  callsAnswered: number;
  callsFailed: number;
  steps: number;
  failedAttempts: number;
  /** Of finished steps, as they are stored. */
  outputBytes: number;
}

/** Stands for all functions beyond the limit. */
export const otherFunctions = "";

const daysKept = 2;

export interface FunctionMeterParts {
  readonly functionsMax: number;
  readonly now: () => number;
  /** The function of a run that has not ended; null: nobody knows. */
  readonly functionOf: (runId: string) => string | null;
}

export class FunctionMeter {
  readonly #parts: FunctionMeterParts;
  readonly #days = new Map<string, Map<string, FunctionCounts>>();

  constructor(parts: FunctionMeterParts) {
    this.#parts = parts;
  }

  /** How many functions have counts of their own, each day. */
  get functionsMax(): number {
    return this.#parts.functionsMax;
  }

  /** By day in UTC as `2026-11-22`, then by function id or `otherFunctions`. */
  get days(): ReadonlyMap<string, ReadonlyMap<string, FunctionCounts>> {
    return this.#days;
  }

  /** Takes in what became of a call. */
  call(functionId: string, moment: CallMoment): void {
    const counts = this.#of(functionId);
    if (moment === "answered") counts.callsAnswered += 1;
    else if (moment === "failed") counts.callsFailed += 1;
    else counts.callsStarted += 1;
  }

  /** Takes in the changes of a commit that succeeded, and what they make of runs. */
  committed(changes: readonly Change[], runs: ReadonlyMap<string, RunMoments>): void {
    for (const { run, made, started } of runs.values()) {
      const counts = this.#of(run.functionId);
      if (made) counts.runsScheduled += 1;
      if (started) counts.runsStarted += 1;
      if (run.status !== "queued" && run.status !== "running") counts.runsEnded[run.status] += 1;
    }
    const functionOf = (runId: string): string =>
      runs.get(runId)?.run.functionId ?? this.#parts.functionOf(runId) ?? otherFunctions;
    for (const change of changes) {
      if (change.type === "step.put") {
        const counts = this.#of(functionOf(change.runId));
        counts.steps += 1;
        counts.outputBytes += Buffer.byteLength(change.step.memo);
      } else if (change.type === "attempt.put") {
        this.#of(functionOf(change.attempt.runId)).failedAttempts += 1;
      }
    }
  }

  #of(functionId: string): FunctionCounts {
    const day = this.#today();
    const ofDay = this.#days.get(day) ?? this.#newDay(day);
    const hasRoom = ofDay.size < this.#parts.functionsMax;
    const known = ofDay.get(functionId) ?? (hasRoom ? undefined : ofDay.get(otherFunctions));
    if (known !== undefined) return known;
    const counts = zero();
    ofDay.set(hasRoom ? functionId : otherFunctions, counts);
    return counts;
  }

  #today(): string {
    return new Date(this.#parts.now()).toISOString().slice(0, 10);
  }

  #newDay(day: string): Map<string, FunctionCounts> {
    const ofDay = new Map<string, FunctionCounts>();
    this.#days.set(day, ofDay);
    for (const old of [...this.#days.keys()].sort().slice(0, -daysKept)) {
      if (old !== day) this.#days.delete(old);
    }
    return ofDay;
  }
}

function zero(): FunctionCounts {
  return {
    runsEnded: { completed: 0, failed: 0, cancelled: 0, skipped: 0 },
    runsScheduled: 0,
    runsStarted: 0,
    callsStarted: 0,
    callsAnswered: 0,
    callsFailed: 0,
    steps: 0,
    failedAttempts: 0,
    outputBytes: 0,
  };
}
