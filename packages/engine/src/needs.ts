// What must be in memory before a command can be decided: questions to a store and their answers,
// as data. `requirements.ts` says which command needs what.
import type { RetentionBound } from "./commands.ts";
import type { DeferRecord } from "./defer-records.ts";
import type {
  EventRecord,
  GateRecord,
  Job,
  RunRecord,
  StepRecord,
  WaitKey,
  WaitPosition,
  WaitRecord,
} from "./records.ts";
import type { BulkRecord } from "./bulk-records.ts";
import type { MetadataRecord } from "./metadata-records.ts";
import type { ScheduleRecord } from "./schedule-records.ts";
import type { UserSpanTally } from "./user-spans.ts";

export type Need =
  | { readonly kind: "run"; readonly runId: string }
  /** All metadata of a run, which is needed as well, before it. */
  | { readonly kind: "metadata"; readonly runId: string }
  /** Whether an event with this internal id was accepted before. */
  | { readonly kind: "event"; readonly eventId: string }
  | { readonly kind: "idempotency"; readonly key: string }
  /** Whether a message still lies in its mailbox. */
  | { readonly kind: "mail"; readonly mailId: string }
  /** What flow control remembers under a key. */
  | { readonly kind: "gate"; readonly key: string }
  | { readonly kind: "schedule"; readonly scheduleId: string }
  | { readonly kind: "bulk"; readonly bulkId: string }
  /** How many spans of user code a run has, and which. */
  | { readonly kind: "userSpans"; readonly runId: string }
  /** The first `limit` waits under one key, behind `after`, in order of position. */
  | {
      readonly kind: "waits";
      readonly event: string;
      readonly key: WaitKey | null;
      readonly after: WaitPosition | null;
      readonly limit: number;
    }
  /**
   * Events of a name received in [from, to], oldest first. With a key only those indexed under it
   * (`event.put` with that key); without, all of the name.
   */
  | {
      readonly kind: "pastEvents";
      readonly event: string;
      readonly key: WaitKey | null;
      readonly from: number;
      readonly to: number;
      readonly limit: number;
    }
  /**
   * What is beyond the bounds: ended runs without a living parent in need of them, and events that
   * no run refers to. See `RetentionBound` for which, and `RetentionDue` for how many.
   */
  | {
      readonly kind: "expired";
      readonly bounds: readonly RetentionBound[];
      readonly limit: number;
      readonly limitBytes: number;
    }
  /** Idempotency keys that no longer hold at `at`, those that ended first ahead. */
  | { readonly kind: "expiredKeys"; readonly at: number; readonly limit: number }
  /** Keys of rates that are as if never used at `at`, those that ended first ahead. */
  | { readonly kind: "expiredRates"; readonly at: number; readonly limit: number };

/** A run with all that deciding about it takes. */
export interface StoredRun {
  readonly run: RunRecord;
  readonly jobs: readonly Job[];
  /** In order of `seq`. */
  readonly steps: readonly StepRecord[];
  /** In order of `seq`. */
  readonly defers: readonly DeferRecord[];
  /** The events that started it, in the order of `run.eventIds`. */
  readonly events: readonly EventRecord[];
}

/** The answer to a need. Null or empty: there is none. */
export type Found =
  | { readonly need: Extract<Need, { kind: "run" }>; readonly run: StoredRun | null }
  | {
      readonly need: Extract<Need, { kind: "metadata" }>;
      /** In any order. */
      readonly metadata: readonly MetadataRecord[];
    }
  | { readonly need: Extract<Need, { kind: "event" }>; readonly exists: boolean }
  | { readonly need: Extract<Need, { kind: "mail" }>; readonly lies: boolean }
  | {
      readonly need: Extract<Need, { kind: "idempotency" }>;
      readonly runId: string | null;
      readonly expiresAt: number;
    }
  | { readonly need: Extract<Need, { kind: "gate" }>; readonly gate: GateRecord | null }
  | {
      readonly need: Extract<Need, { kind: "schedule" }>;
      readonly schedule: ScheduleRecord | null;
    }
  | { readonly need: Extract<Need, { kind: "bulk" }>; readonly bulk: BulkRecord | null }
  | { readonly need: Extract<Need, { kind: "userSpans" }>; readonly tally: UserSpanTally }
  | { readonly need: Extract<Need, { kind: "waits" }>; readonly waits: readonly WaitRecord[] }
  | {
      readonly need: Extract<Need, { kind: "pastEvents" }>;
      readonly events: readonly EventRecord[];
    }
  | {
      readonly need: Extract<Need, { kind: "expired" }>;
      readonly runIds: readonly string[];
      /** Runs that are larger than a step. */
      readonly largeRunIds: readonly string[];
      readonly eventIds: readonly string[];
      /** A retired run that still has parts; null: none has. */
      readonly retiredId: string | null;
      /** The limit was reached: there may be more. */
      readonly hasMore: boolean;
    }
  | { readonly need: Extract<Need, { kind: "expiredKeys" }>; readonly keys: readonly string[] }
  | { readonly need: Extract<Need, { kind: "expiredRates" }>; readonly keys: readonly string[] };

/** A text that is the same for equal needs. */
export function needId(need: Need): string {
  return JSON.stringify(need);
}
