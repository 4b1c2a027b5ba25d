// What the engine may read while it decides: memory only, no promises. Everything a command needs
// was loaded before; asking for what was not loaded is a broken promise of the shell and throws.
import type { Found, Need } from "../needs.ts";
import type { DeferRecord } from "../defer-records.ts";
import type {
  AppRecord,
  EventRecord,
  EventTrigger,
  FunctionRecord,
  GateRecord,
  Job,
  RunRecord,
  StepRecord,
  WaitKey,
  WaitPathRecord,
  WaitPosition,
  WaitRecord,
} from "../records.ts";
import type { MetadataView } from "./metadata-layer.ts";
import type { BulkRecord } from "../bulk-records.ts";
import type { ScheduleRecord } from "../schedule-records.ts";
import type { Settings } from "../settings.ts";
import type { OwnedShards } from "../shard.ts";
import type { UserSpanTally } from "../user-spans.ts";

export interface RunView {
  readonly run: RunRecord;
  readonly jobs: ReadonlyMap<string, Job>;
  /** By hashed id, in order of completion. */
  readonly steps: ReadonlyMap<string, StepRecord>;
  /** By hashed id, in order of arrival. */
  readonly defers: ReadonlyMap<string, DeferRecord>;
  readonly events: readonly EventRecord[];
  /** Sum of the memos' lengths. */
  readonly stateChars: number;
  /** Null: it was not loaded. */
  readonly metadata: MetadataView | null;
}

export interface GateView {
  /** Calls out that count here. */
  readonly inFlight: number;
  /** Calls in all queues before it. */
  readonly queued: number;
}

/** The queue before a gate that has waited longest for a turn. */
export interface LongestWait {
  readonly queue: string;
  /** Places that calls took at the gate while none of the queue left it. */
  readonly passed: number;
}

/** A function and the trigger by which an event may start it. */
export interface Triggered {
  readonly fn: FunctionRecord;
  readonly trigger: EventTrigger;
}

export interface StateView {
  readonly settings: Settings;
  /** The shards of this process: what begins elsewhere is sent there. Null: all. */
  readonly owned: OwnedShards;
  app(appId: string): AppRecord | undefined;
  apps(): Iterable<AppRecord>;
  functionById(id: string): FunctionRecord | undefined;
  functionBySlug(slug: string): FunctionRecord | undefined;
  /** Functions with a trigger for the name, wildcards included, in order of registration. */
  triggeredBy(eventName: string): readonly Triggered[];
  gate(key: string): GateView;
  /**
   * Calls in each queue before a gate, by name of the queue, in the order in which it is their turn:
   * the one that waits longest first. Empty ones are left out.
   */
  queues(gate: string): ReadonlyMap<string, number>;
  /** Whose turn has been away for longest at a gate; null: no call waits there. */
  longestWait(gate: string): LongestWait | null;
  /** Calls that wait before other gates and keep a place at this one, by function; none with 0. */
  keepers(gate: string): ReadonlyMap<string, number>;
  /** Calls of a function that wait in queues. */
  backlog(functionId: string): number;
  /** Names of the gates that have calls out or waiting. */
  gateKeys(): Iterable<string>;
  /** What flow control remembers under a key. */
  gateRecord(key: string): GateRecord | undefined;
  /** Undefined: there is no such schedule. */
  schedule(scheduleId: string): ScheduleRecord | undefined;
  /** How many schedules there are that were made at runtime. */
  readonly runtimeSchedules: number;
  /** Undefined: there is no such bulk action. */
  bulk(bulkId: string): BulkRecord | undefined;
  /** How many spans of user code a run has, and which. */
  userSpans(runId: string): UserSpanTally;
  waitPaths(event: string): ReadonlyMap<string, WaitPathRecord>;
  /** Undefined: there is no such run. */
  run(runId: string): RunView | undefined;
  eventExists(eventId: string): boolean;
  /** The run that holds the key at `at`; undefined when it is free. */
  idempotency(key: string, at: number): string | undefined;
  /** At most `limit` waits in order of position, and behind which one to go on; null: that was all. */
  waits(
    event: string,
    key: WaitKey | null,
    after: WaitPosition | null,
    limit: number,
  ): { readonly waits: readonly WaitRecord[]; readonly next: WaitPosition | null };
  pastEvents(need: Extract<Need, { kind: "pastEvents" }>): readonly EventRecord[];
  expired(need: Extract<Need, { kind: "expired" }>): Extract<Found, { runIds: readonly string[] }>;
  expiredKeys(need: Extract<Need, { kind: "expiredKeys" | "expiredRates" }>): readonly string[];
}
