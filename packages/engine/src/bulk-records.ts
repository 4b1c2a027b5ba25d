// The records of what people do to many runs at once. Plain data, times in ms since the epoch; it must
// not know how a bulk action goes on.
import type { RunStatus } from "./records.ts";

/** Which runs people mean. Null: any. Times as `RunRecord.queuedAt`, in ms; `until` is exclusive. */
export interface RunSelection {
  readonly functionIds: readonly string[] | null;
  readonly appIds: readonly string[] | null;
  readonly statuses: readonly RunStatus[];
  readonly from: number | null;
  readonly until: number | null;
  /** CEL over `event`, `output` and `error`; null lets every run pass. */
  readonly expression: string | null;
}

/** What is done to many runs. */
export type BulkKind = "cancel" | "rerun";

/** Something done to many runs, a few at a time: what, and how far it has come. */
export interface BulkRecord {
  /** ULID. */
  readonly id: string;
  readonly kind: BulkKind;
  readonly selection: RunSelection;
  readonly createdAt: number;
  /** `stopped`: by people, before it was through. */
  readonly state: "active" | "completed" | "stopped";
  readonly endedAt: number | null;
  /** Runs up to this one were looked at, in order of their ids; null: none yet. */
  readonly cursor: string | null;
  /** Runs that are being acted on: after a crash, these are acted on again, which changes nothing. */
  readonly underWay: readonly string[];
  /** Runs looked at, those that passed the expression, and what became of them. */
  readonly examined: number;
  readonly matched: number;
  readonly done: number;
  readonly failed: number;
  /** Why the last run that failed did; null: none did. */
  readonly problem: string | null;
}
