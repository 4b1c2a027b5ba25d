// The records that a store keeps: narrow, plain, immutable data. All times are integer ms since
// the epoch, all payloads JSON text. This file must not know how a store lays them out, nor how
// they come to change.
import type { GatewayKind } from "@pawl/protocol/gateway-wire";
import type { JsonText } from "@pawl/protocol/json-text";

export interface EventRecord {
  /** ULID given by the server at acceptance; ascending in order of arrival. */
  readonly id: string;
  readonly name: string;
  /** `id` as the sender gave it: the idempotency key per function for 24 h; null when absent. */
  readonly externalId: string | null;
  /** When it happened, by the sender; a time in the future delays the start of functions. */
  readonly ts: number;
  readonly receivedAt: number;
  readonly data: JsonText;
  readonly user: JsonText | null;
  readonly version: string | null;
  readonly meta: JsonText | null;
}

export interface EventTrigger {
  readonly kind: "event";
  /** An event name, or a pattern in which `*` stands for any run of characters. */
  readonly event: string;
  /** CEL over `event`; null starts the function for every event of the name. */
  readonly expression: string | null;
}

export interface CronTrigger {
  readonly kind: "cron";
  /** Five fields, or six with seconds, behind an optional `TZ=Area/City `; see `schedule/cron.ts`. */
  readonly cron: string;
  /** Each tick fires up to so much later; absent: none does. */
  readonly jitterMs?: number;
}

export type Trigger = EventTrigger | CronTrigger;

export interface FunctionRecord {
  /** UUID (version 5) of the slug; the id apps see as `ctx.fn_id`. */
  readonly id: string;
  /** `<appId>-<functionId>`: the id people and other functions use. */
  readonly slug: string;
  readonly name: string;
  readonly appId: string;
  /** Where the driver calls it; for HTTP the step URL as registered. */
  readonly url: string;
  readonly triggers: readonly Trigger[];
  /** Retries after the first attempt; attempts = retries + 1. */
  readonly retries: number;
  /** Goes up by one each time the registered configuration changes. */
  readonly version: number;
  /** The whole configuration as the app registered it. */
  readonly config: JsonText;
  /** When people paused it: first calls of its runs wait. Null: it runs. Kept across syncs. */
  readonly pausedAt: number | null;
  /** Limits of its runs that replace those of the settings; kept across syncs. Absent: none does. */
  readonly limits?: RunLimits;
  /** An HTTP endpoint: only requests start it; its calls go where the request went, not to `url`. */
  readonly endpoint?: true;
}

/** What one run may grow to, where it differs from the settings. */
export interface RunLimits {
  /** Instead of `stepsPerRunMax`. */
  readonly steps?: number;
  /** Instead of `runStateCharsMax`. */
  readonly stateChars?: number;
}

export interface AppRecord {
  /** UUID (version 5) of the name. */
  readonly id: string;
  readonly name: string;
  /** The serve URL. */
  readonly url: string;
  /** `js:v4.24.0`, `py:v0.5.18`, `pawl-js:v0.1.0`, …; empty until the app registered. */
  readonly sdk: string;
  readonly framework: string | null;
  readonly platform: string | null;
  readonly appVersion: string | null;
  /** Checksum of the registration; the same checksum again changes nothing. */
  readonly checksum: string;
  /** Why the last sync failed; null when it succeeded. */
  readonly error: string | null;
  readonly functions: readonly FunctionRecord[];
  /** What people decided about functions that a later sync left out, at most 1,000; absent: nothing. */
  readonly away?: readonly Pick<FunctionRecord, "id" | "pausedAt" | "limits">[];
  /** Known by its endpoints only: never asked to sync. */
  readonly endpoints?: true;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** `skipped`: flow control let it not start; `endReason` says why. */
export type RunStatus = "queued" | "running" | "completed" | "failed" | "cancelled" | "skipped";

/** How a run can have ended. */
export type EndedStatus = Exclude<RunStatus, "queued" | "running">;

/** What retention keeps apart: ended runs by status, and events. */
export type RetainedKind = EndedStatus | "events";

/** What becomes of an invoked run when its invoker is cancelled: it is cancelled too, or goes on. */
export type OnCancel = "cancel" | "abandon";

/** Who waits for a run: the invoke step of another run. */
export interface RunParent {
  readonly runId: string;
  readonly jobId: string;
  /** `gone`: this invoker was cancelled, and the run goes on for others. */
  readonly onCancel: OnCancel | "gone";
}

export interface RunRecord {
  /** ULID. */
  readonly id: string;
  readonly functionId: string;
  readonly appId: string;
  readonly functionVersion: number;
  readonly status: RunStatus;
  /** Internal ids of the events that started it, at least one; several for a batch. */
  readonly eventIds: readonly string[];
  readonly eventName: string;
  readonly queuedAt: number;
  /** When the first call was answered; null before. */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /**
   * Execution version that the app answered with: -1 before its first answer; 0 and 1 discover
   * after every step, 2 when the parallel set is empty or, in race mode, after every step (protocol.md 2.4, 2.7); 3, spoken
   * by the `pawl` SDK, is 2 with never more than one discovery at once.
   */
  readonly requestVersion: number;
  /** `disable_immediate_execution`: parallel branches are open (protocol.md 2.7). */
  readonly forcePlan: boolean;
  /** Generation that the next new call job starts with, so that no dispatch id comes twice. */
  readonly generation: number;
  /** Discoveries in a row that brought nothing new; reset by progress. */
  readonly idleDiscoveries: number;
  readonly parent: RunParent | null;
  /** Further invokers of a run that several joined: a batch, or one that was put off. */
  readonly coParents: readonly RunParent[];
  /** The run that this one repeats; null for a first run. */
  readonly originalRunId: string | null;
  /** Why the run was cancelled or skipped; null otherwise. */
  readonly endReason: string | null;
  /** Gates of its concurrency keys (`gate.ts`), which its calls pass beside those of app and function. */
  readonly gates: readonly string[];
  /** What flow control keeps for it, by key, and lets go of at its end at the latest (`flow/holds.ts`). */
  readonly holds: readonly string[];
  /** How far its calls go ahead of others in a queue. */
  readonly priorityMs: number;
  /** ULID of the batch of events that it is; null for others. */
  readonly batchId: string | null;
  /** The schedule whose tick started it; null: none did. */
  readonly schedule: RunSchedule | null;
}

/** A schedule as the runs it started remember it, since it may be gone. */
export interface RunSchedule {
  readonly id: string;
  /** Its cron line, or `@every` and the interval. */
  readonly line: string;
}

export type StepOp =
  | "run"
  | "sleep"
  | "waitForEvent"
  | "invoke"
  | "waitForAny"
  | "waitForAll"
  | "waitForSignal"
  | GatewayKind;

/** A finished step. Written once, never changed. */
export interface StepRecord {
  /** Hashed id. */
  readonly id: string;
  /** Order of completion within the run, from 0. */
  readonly seq: number;
  readonly op: StepOp;
  readonly displayName: string;
  readonly userId: string | null;
  readonly userIndex: number;
  readonly stepType: string | null;
  readonly status: "completed" | "failed";
  /** Attempts it took, the successful or last one included. */
  readonly attempts: number;
  readonly queuedAt: number;
  readonly startedAt: number;
  readonly endedAt: number;
  /** What the `steps` map of a request holds for it (protocol.md 2.2), wrapper included. */
  readonly memo: JsonText;
  /** Step options for people who look at the run: arguments, expression, duration; null: none. */
  readonly opts: JsonText | null;
}

interface JobBase {
  readonly runId: string;
  /** Unique within the run: `step` for the discovery, the hashed id for a step, `after:<hash>`. */
  readonly id: string;
  readonly displayName: string;
  readonly userId: string | null;
  readonly userIndex: number;
  readonly stepType: string | null;
  readonly opts: JsonText | null;
  /** Member of the pending parallel set: discovery waits until the set is empty. */
  readonly parallel: boolean;
  /** In race mode a discovery follows as soon as this one is done. */
  readonly race: boolean;
  readonly queuedAt: number;
}

/**
 * Places that a call in a queue does not give back: those at the first `gates` of its run's gates
 * (`gate.ts`). Like a lease they hold for the process of the epoch.
 */
export interface KeptPlaces {
  readonly epoch: number;
  readonly gates: number;
}

/** Where a call stands. In a queue, lower `since` goes first: when it was ready, less its priority. */
export type CallState =
  /** Waits for its time: a future event, a backoff. */
  | { readonly at: "delayed"; readonly dueAt: number }
  /** Ready, but a gate is full; `gate` names the queue before it. `kept`: null until it lost a place. */
  | {
      readonly at: "queued";
      readonly gate: string;
      readonly since: number;
      readonly kept: KeptPlaces | null;
    }
  /** Given to a driver by the process of this epoch; lost when the lease runs out. */
  | { readonly at: "leased"; readonly epoch: number; readonly leaseUntil: number };

/** A request that the server performs in place of the app. Deleted with its job. */
export interface GatewayCall {
  readonly kind: GatewayKind;
  /** By `writeGatewayRequest`. Holds secrets: for the one who performs it, and nobody else. */
  readonly request: JsonText;
}

export interface CallJob extends JobBase {
  readonly kind: "call";
  /** `step` for a discovery, else the hashed id of the one step to run. */
  readonly target: string;
  /** Zero-based attempt. */
  readonly attempt: number;
  /** Attempts in all, for this job. */
  readonly attemptsMax: number;
  /** Part of the dispatch id; goes up whenever the job is handed out again. */
  readonly generation: number;
  /** Who is called: null for the app, else what the server itself performs for the step. */
  readonly gateway: GatewayCall | null;
  /** Results came in after it was sent (request version 3): call once more after its answer. */
  readonly again: boolean;
  /**
   * Edited arguments of the step that it targets, a JSON array: a run that was started again from
   * that step. Null: the step has its own.
   */
  readonly input: JsonText | null;
  readonly state: CallState;
}

export interface SleepJob extends JobBase {
  readonly kind: "sleep";
  readonly dueAt: number;
}

export interface WaitJob extends JobBase {
  readonly kind: "wait";
  /** When the wait times out. */
  readonly dueAt: number;
  readonly event: string;
  readonly expression: string | null;
}

/** One of the events that a job waits for. */
export interface WaitJobBranch {
  /** What the app calls it; unique within the job. */
  readonly name: string;
  readonly event: string;
  readonly expression: string | null;
  /** The event that came for it, as apps see it; null: none yet. */
  readonly received: JsonText | null;
}

/** Waits for the first of several events, or for one of each. */
export interface WaitManyJob extends JobBase {
  readonly kind: "waitMany";
  /** When the wait times out. */
  readonly dueAt: number;
  readonly mode: "any" | "all";
  readonly branches: readonly WaitJobBranch[];
}

/** Waits for a signal by its name; see `waits/signal.ts`. */
export interface SignalJob extends JobBase {
  readonly kind: "signal";
  /** When the wait times out. */
  readonly dueAt: number;
  readonly signal: string;
}

export interface InvokeJob extends JobBase {
  readonly kind: "invoke";
  /** When the parent stops waiting. */
  readonly dueAt: number;
  readonly functionSlug: string;
  readonly childRunId: string;
}

/** A time limit of the run. It brings nothing but the end, so it is no wake-up. */
export interface DeadlineJob extends JobBase {
  readonly kind: "deadline";
  readonly dueAt: number;
}

/** A job that ends with the result of a step. */
export type StepJob = SleepJob | WaitJob | WaitManyJob | SignalJob | InvokeJob;

/** Something an unfinished run waits for. The next wake-up: at least one that is no deadline. */
export type Job = CallJob | StepJob | DeadlineJob;

/** A path into an event and the hash of the value found there; see `waits/key.ts`. */
export interface WaitKey {
  /** Path below the incoming event, for example `data.userId`. */
  readonly path: string;
  readonly hash: string;
}

/** The index entry of a wait: everything that is needed to test an event without its run. */
export interface WaitRecord {
  readonly runId: string;
  /** The job that waits, or a name for what has none of its own: `branchId`, `cancel:<n>`. */
  readonly jobId: string;
  readonly event: string;
  /** Null when the expression has no usable equality: every event of the name is tested. */
  readonly key: WaitKey | null;
  readonly expression: string | null;
  /** The trigger event, pruned to the paths that the expression reads: `{"data":{"userId":1}}`. */
  readonly trigger: JsonText;
  readonly expiresAt: number;
}

/** Names one wait, and orders the waits under one key: by run, then by job. */
export interface WaitPosition {
  readonly runId: string;
  readonly jobId: string;
}

/**
 * Events of this name that came behind `since` are indexed by this path: waits have used it, or people
 * search by it. Of those of that very ms some may be. An empty path stands for waits without a key.
 */
export interface WaitPathRecord {
  readonly event: string;
  readonly path: string;
  readonly since: number;
  /** Waits have used it: each event is looked up under its value. */
  readonly waits: boolean;
}

/** A failed attempt, kept for people who look at the run. */
export interface AttemptRecord {
  readonly runId: string;
  /** `step` for the function itself, else the hashed step id. */
  readonly stepId: string;
  readonly displayName: string;
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly error: JsonText;
  /** When it is tried again; null when it is not. */
  readonly retryAt: number | null;
}

/** What flow control remembers beyond runs. Keys name function, rule and hashed value. */
export type GateRecord =
  /** A rate that was used (throttle, rate limit): theoretical arrival time of GCRA, ms, with fractions. */
  | { readonly kind: "rate"; readonly key: string; readonly tat: number }
  /** A run that has not started yet still takes events: an open batch, a debounced start. */
  | { readonly kind: "open"; readonly key: string; readonly runId: string }
  /** The one run of a singleton that may go on. */
  | { readonly kind: "holder"; readonly key: string; readonly runId: string }
  /** The one job that waits for a signal. */
  | {
      readonly kind: "signal";
      readonly key: string;
      readonly runId: string;
      readonly jobId: string;
    };
