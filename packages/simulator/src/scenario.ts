// What one simulation is made of, as plain JSON: the apps, what the outside world does, how the
// server is tuned, and what may go wrong. A scenario and nothing else decides what happens.
import type { BatchLimits } from "@pawl/server/loop/batch";
import type { TimerLimits } from "@pawl/server/loop/timers";
import type { CatchUp, Overlap } from "@pawl/engine/schedule-records";
import type { ProgramFlow } from "./app/flow.ts";
import type { Program } from "./app/program.ts";
import type { FaultPlan } from "./faults.ts";

export interface SentEvent {
  readonly name: string;
  readonly key: number;
  /** The sender's id: the idempotency key; null: none. */
  readonly externalId: string | null;
  /** How far its `ts` lies in the future when it is first sent, ms. */
  readonly delayMs: number;
}

/** Events that are sent in one request, and again until the server has taken them. */
export interface SendPlan {
  readonly atMs: number;
  readonly events: readonly SentEvent[];
}

export interface Tuning {
  readonly callsPerAppMax: number;
  readonly waitsPageSize: number;
  readonly retryIntervalMs: number | null;
  readonly callTimeoutMs: number;
  /** How long a commit takes, ms; 0: no virtual time at all. */
  readonly commitMs: number;
  readonly batch: Partial<BatchLimits>;
  readonly timers: Partial<TimerLimits>;
}

/** A schedule made at runtime, with an end, so that everything comes to rest. */
export interface SchedulePlan {
  readonly name: string;
  readonly atMs: number;
  readonly target: { readonly kind: "event" | "function"; readonly name: string };
  readonly key: number;
  /** By a cron line rather than as an interval. */
  readonly isCron: boolean;
  /** For a cron line a divisor of a minute. */
  readonly everyMs: number;
  readonly ticks: number;
  readonly jitterMs: number;
  readonly overlap: Overlap;
  readonly catchUp: CatchUp;
  readonly pauses: readonly { readonly atMs: number; readonly forMs: number }[];
}

export interface PausePlan {
  readonly atMs: number;
  readonly forMs: number;
  readonly slug: string;
}

/** From here on the apps are registered so; functions that are not named, as their programs say. */
export interface Redeploy {
  readonly atMs: number;
  /** Flow control by slug. */
  readonly flows: Readonly<Record<string, ProgramFlow>>;
  /** Slugs of functions that are gone. */
  readonly without: readonly string[];
}

export interface Scenario {
  readonly seed: number;
  readonly programs: readonly Program[];
  readonly sends: readonly SendPlan[];
  /** Signals that are sent, and again until the server has answered and somebody has got it. */
  readonly signals?: readonly { readonly atMs: number; readonly signal: string }[];
  /** Cancels the `pick`-th run (modulo their number) of those that were started by then. */
  readonly cancels: readonly { readonly atMs: number; readonly pick: number }[];
  /**
   * Starts again the `pick`-th run (modulo their number) of those that have ended by then; from its
   * `step`-th step, or (null) from the beginning. Absent: none.
   */
  readonly reruns?: readonly {
    readonly atMs: number;
    readonly pick: number;
    readonly step: number | null;
  }[];
  /** Removes, while others go on, what ended or arrived longer ago than this. */
  readonly retentions: readonly { readonly atMs: number; readonly ageMs: number }[];
  /** Missing in scenarios that were filed before there were any. */
  readonly schedules?: readonly SchedulePlan[];
  /** When the apps register without their cron lines, so that everything comes to rest. */
  readonly cronsUntilMs?: number;
  /** Times at which the apps register again, with a new configuration. */
  readonly resyncs: readonly number[];
  /** Functions that people pause, and let go on after a while. Absent: none. */
  readonly pauses?: readonly PausePlan[];
  /** Times at which the apps register with other limits, or without a function. Absent: none. */
  readonly redeploys?: readonly Redeploy[];
  readonly tuning: Tuning;
  readonly faults: FaultPlan;
  readonly faultsMax: number;
  readonly faultsUntilMs: number;
}
