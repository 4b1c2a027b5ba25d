// What a memory store holds: the records and the orders in which they are asked for. Stores that
// share one of these see the same database, as processes see one file. Only `apply.ts` writes it.
import type { Message } from "@pawl/engine/commands";
import type { DeferRecord } from "@pawl/engine/defer-records";
import type {
  AppRecord,
  AttemptRecord,
  EventRecord,
  GateRecord,
  Job,
  RetainedKind,
  RunRecord,
  StepRecord,
  WaitKey,
  WaitPathRecord,
  WaitRecord,
} from "@pawl/engine/records";
import type { BulkRecord } from "@pawl/engine/bulk-records";
import type { MetadataRecord } from "@pawl/engine/metadata-records";
import type { ScheduleRecord } from "@pawl/engine/schedule-records";
import type { UserSpan } from "@pawl/engine/user-spans";
import type { JsonText } from "@pawl/protocol/json-text";
import { compareArrivals, comparePositions, compareText } from "../position.ts";
import type { Arrival } from "../position.ts";
import { retainedKinds } from "../retained.ts";
import type { Candidate } from "../retained.ts";
import type { DueJob, DueSchedule } from "../store.ts";
import { SortedSet } from "./sorted-set.ts";

/** A run with all that is deleted with it. `run` is null while only its parts were written. */
export interface RunEntry {
  run: RunRecord | null;
  output: JsonText | null;
  readonly jobs: Map<string, Job>;
  readonly steps: Map<string, StepRecord>;
  readonly defers: Map<string, DeferRecord>;
  readonly attempts: Map<string, AttemptRecord>;
  readonly userSpans: Map<string, UserSpan>;
  readonly waits: Map<string, WaitRecord>;
  /** By `metadataId`. */
  readonly metadata: Map<string, MetadataRecord>;
  /** Where and as what it counts for retention; null while it goes on. */
  retained: { readonly kind: RetainedKind; readonly as: Candidate } | null;
}

/** Parts that go in pieces, when their run is out of sight. */
export type RetiredParts = Pick<
  RunEntry,
  "output" | "steps" | "defers" | "attempts" | "metadata" | "userSpans"
>;

/** Ended runs of one status, or events. */
export interface RetainedData {
  count: number;
  bytes: number;
  /** Oldest first; of events only those that no run refers to. */
  readonly oldest: SortedSet<Candidate>;
}

export interface EventEntry {
  readonly event: EventRecord;
  readonly keys: readonly WaitKey[];
}

/** A leased call and the epoch that holds it. */
export interface LeasedJob extends DueJob {
  readonly epoch: number;
}

/** An idempotency key and the run that holds it. */
export interface HeldKey {
  readonly key: string;
  readonly runId: string;
  readonly expiresAt: number;
}

/** A message in the mailbox of a shard. */
export interface PutOff {
  readonly shard: number;
  readonly message: Message;
}

/** A rate that was used. */
export type Rate = Extract<GateRecord, { kind: "rate" }>;

export interface MemoryData {
  /** Of the latest owner; 0 before the first. */
  epoch: number;
  readonly apps: Map<string, AppRecord>;
  readonly events: Map<string, EventEntry>;
  readonly eventOrder: SortedSet<Arrival>;
  readonly eventsByName: Map<string, SortedSet<Arrival>>;
  /** By `keyText`. */
  readonly eventsByKey: Map<string, SortedSet<Arrival>>;
  /** What retention may take, by kind. */
  readonly retained: ReadonlyMap<RetainedKind, RetainedData>;
  /** Runs that were written since they were last counted. */
  readonly uncounted: Set<string>;
  readonly runs: Map<string, RunEntry>;
  /** What is left of runs that were retired, by run. */
  readonly retired: Map<string, RetiredParts>;
  readonly runOrder: SortedSet<string>;
  readonly unfinished: SortedSet<string>;
  readonly runsByEvent: Map<string, SortedSet<string>>;
  readonly timers: SortedSet<DueJob>;
  readonly queues: Map<string, SortedSet<DueJob>>;
  readonly leased: SortedSet<LeasedJob>;
  /** By `keyText`. */
  readonly waitsByKey: Map<string, SortedSet<WaitRecord>>;
  /** By event and path. */
  readonly waitPaths: Map<string, WaitPathRecord>;
  readonly idempotency: Map<string, HeldKey>;
  readonly keysByEnd: SortedSet<HeldKey>;
  readonly gates: Map<string, GateRecord>;
  readonly ratesByEnd: SortedSet<Rate>;
  readonly schedules: Map<string, ScheduleRecord>;
  /** Without those that are due at no time. */
  readonly schedulesByTime: SortedSet<DueSchedule>;
  readonly bulks: Map<string, BulkRecord>;
  /** In order of arrival. */
  readonly mail: Map<string, PutOff>;
}

/** Orders jobs by time, then by position. */
export function compareDue(a: DueJob, b: DueJob): number {
  return a.dueAt - b.dueAt || comparePositions(a, b);
}

/** Orders idempotency keys by when they end, then by text. */
export function compareHeld(a: HeldKey, b: HeldKey): number {
  return a.expiresAt - b.expiresAt || compareText(a.key, b.key);
}

/** Orders rates by when they are as if never used, then by text. */
export function compareRates(a: Rate, b: Rate): number {
  return a.tat - b.tat || compareText(a.key, b.key);
}

/** Orders schedules by when they are due, then by id. */
export function compareSchedules(a: DueSchedule, b: DueSchedule): number {
  return a.dueAt - b.dueAt || compareText(a.scheduleId, b.scheduleId);
}

/** Orders what may go by age, then by id. */
function compareCandidates(a: Candidate, b: Candidate): number {
  return a.at - b.at || compareText(a.id, b.id);
}

/** One text for an event name and what is looked up under it; null: waits without a key. */
export function keyText(event: string, key: WaitKey | null): string {
  return JSON.stringify(key === null ? [event] : [event, key.path, key.hash]);
}

/** An empty database, owned by nobody. */
export function createMemoryData(): MemoryData {
  return {
    epoch: 0,
    apps: new Map(),
    events: new Map(),
    eventOrder: new SortedSet(compareArrivals),
    eventsByName: new Map(),
    eventsByKey: new Map(),
    retained: new Map(
      retainedKinds.map((kind) => [
        kind,
        { count: 0, bytes: 0, oldest: new SortedSet(compareCandidates) },
      ]),
    ),
    uncounted: new Set(),
    runs: new Map(),
    retired: new Map(),
    runOrder: new SortedSet(compareText),
    unfinished: new SortedSet(compareText),
    runsByEvent: new Map(),
    timers: new SortedSet(compareDue),
    queues: new Map(),
    leased: new SortedSet<LeasedJob>(comparePositions),
    waitsByKey: new Map(),
    waitPaths: new Map(),
    idempotency: new Map(),
    keysByEnd: new SortedSet(compareHeld),
    gates: new Map(),
    ratesByEnd: new SortedSet(compareRates),
    schedules: new Map(),
    schedulesByTime: new SortedSet(compareSchedules),
    bulks: new Map(),
    mail: new Map(),
  };
}
