// What an explanation says: why a run is not running, as plain data for people and programs. Times
// are ms since the epoch. It must not know how the reasons are found.
import type { RunStatus } from "../records.ts";

export type ReasonKind =
  /** The run has ended. */
  | "ended"
  /** An app has a call of it. */
  | "running"
  /** A call went out with a process that is gone; it is handed out again. */
  | "lost"
  /** An attempt failed; the next one waits for its time. */
  | "backoff"
  /** The batch still takes events. */
  | "batch"
  /** The start is put off until events stop. */
  | "debounce"
  /** The start waits for its place in the throttle. */
  | "throttle"
  /** The event's `ts` lies in the future. */
  | "futureEvent"
  /** A call waits for its time, for none of the reasons above. */
  | "delayed"
  /** People paused the function. */
  | "paused"
  /** A gate is full. */
  | "queued"
  | "sleep"
  /** A step waits for an event. */
  | "event"
  /** A step waits for one of several events, or for all of them. */
  | "events"
  /** A step waits for a signal. */
  | "signal"
  /** A step waits for the end of another run. */
  | "invoke"
  /** The time limit that ends the run; nothing goes on by it. */
  | "deadline"
  /** The app could not be synced. */
  | "app"
  /** The function is not registered any more. */
  | "function"
  /** Nothing will ever wake the run: a fault of the server. */
  | "noWakeUp";

/** All kinds, for schemas. */
export const reasonKinds = [
  "ended",
  "running",
  "lost",
  "backoff",
  "batch",
  "debounce",
  "throttle",
  "futureEvent",
  "delayed",
  "paused",
  "queued",
  "sleep",
  "event",
  "events",
  "signal",
  "invoke",
  "deadline",
  "app",
  "function",
  "noWakeUp",
] as const satisfies readonly ReasonKind[];

export const gateKinds = ["key", "function", "app", "gateway", "pause"] as const;

/** The gate that a call waits before. */
export interface GateReason {
  /** `key`: one value of a concurrency key; `app`: setting `callsPerAppMax`; `gateway`: `gatewayCallsMax`. */
  readonly kind: (typeof gateKinds)[number];
  readonly name: string;
  /** Of a key: whom it counts. */
  readonly scope: "fn" | "env" | "account" | null;
  /** Of a key: its CEL, and what that comes to for this run, as JSON text. */
  readonly expression: string | null;
  readonly value: string | null;
  /** Null: none, since the limit was removed. */
  readonly limit: number | null;
  /** Places that are taken. */
  readonly taken: number;
  /** Runs that have them, a few at most. */
  readonly heldBy: readonly string[];
}

/** The place of a call in the queue before a gate. */
export interface QueuePlace {
  /** From 1, within the queue of its function. */
  readonly place: number;
  /** Calls in that queue. */
  readonly queued: number;
  /** Calls of other functions that may go first, as queues before one gate take turns. */
  readonly othersAhead: number;
  /** When it is likely to pass the gate: an estimate. Null: nothing is known to make one from. */
  readonly expectedAt: number | null;
  /** What the estimate is made from. */
  readonly expectedFrom: string | null;
}

export interface Reason {
  readonly kind: ReasonKind;
  /** The job it is about; null: the run as a whole. */
  readonly jobId: string | null;
  /** What people call the step; null for the function itself. */
  readonly step: string | null;
  /** What is the case. */
  readonly sentence: string;
  /** What people can do, or that there is nothing to do. */
  readonly next: string;
  /** Since when it is the case. */
  readonly sinceAt: number | null;
  /** When it ends by itself, at the latest. */
  readonly dueAt: number | null;
  /** Of calls, from 1. */
  readonly attempt: number | null;
  readonly attemptsMax: number | null;
  /** What the last attempt, the last sync or the run failed with. */
  readonly error: string | null;
  readonly gate: GateReason | null;
  readonly place: QueuePlace | null;
  /** The event that a step waits for. */
  readonly event: string | null;
  readonly expression: string | null;
  /** The signal that a step waits for. */
  readonly signal: string | null;
  /** The run that has to end first, and its function. */
  readonly childRunId: string | null;
  readonly functionSlug: string | null;
  /** Events that came so far, and how many the batch takes or the step waits for. */
  readonly events: number | null;
  readonly eventsMax: number | null;
}

export interface Explanation {
  readonly runId: string;
  readonly status: RunStatus;
  readonly functionId: string;
  /** Null: the function is not registered any more. */
  readonly functionSlug: string | null;
  /** When this was the case. */
  readonly at: number;
  /** At least one; what is wrong first, then what the run does and waits for. */
  readonly reasons: readonly Reason[];
  /** Jobs of the run that are not among the reasons, because it has too many. */
  readonly more: number;
}

/** How long calls of a function took lately. */
export interface CallTimes {
  readonly meanMs: number;
  /** Calls that the mean is made of. */
  readonly count: number;
}

type Said = Pick<Reason, "kind" | "sentence" | "next"> & Partial<Reason>;

/** A reason of which only what applies is given. */
export function reason(said: Said): Reason {
  return {
    jobId: null,
    step: null,
    sinceAt: null,
    dueAt: null,
    attempt: null,
    attemptsMax: null,
    error: null,
    gate: null,
    place: null,
    event: null,
    expression: null,
    signal: null,
    childRunId: null,
    functionSlug: null,
    events: null,
    eventsMax: null,
    ...said,
  };
}
