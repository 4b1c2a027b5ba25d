// The commands of bulk actions: they come, go on, are stopped, are forgotten.
import type { BulkRecord } from "./bulk-records.ts";
import type { CommandBase } from "./command-base.ts";

/** People want something done to many runs. */
export interface BulkCreated extends CommandBase {
  readonly type: "bulk.created";
  readonly bulk: Pick<BulkRecord, "id" | "kind" | "selection">;
}

/** One page of a bulk action was found, or done. */
export interface BulkProgressed extends CommandBase {
  readonly type: "bulk.progressed";
  readonly bulkId: string;
  readonly progress:
    | {
        readonly step: "found";
        /** Behind which run it was looked: only there the page goes on. */
        readonly behind: string | null;
        readonly cursor: string;
        readonly examined: number;
        readonly runIds: readonly string[];
      }
    | {
        readonly step: "done";
        /** The last run of the page that was done. */
        readonly cursor: string;
        readonly done: number;
        readonly failed: number;
        readonly problem: string | null;
      }
    | { readonly step: "ended" };
}

/** People stop a bulk action: what is done stays done. */
export interface BulkStopped extends CommandBase {
  readonly type: "bulk.stopped";
  readonly bulkId: string;
}

/** A bulk action is forgotten. One that goes on is stopped by that. */
export interface BulkRemoved extends CommandBase {
  readonly type: "bulk.removed";
  readonly bulkId: string;
}

/** All of them. */
export type BulkCommand = BulkCreated | BulkProgressed | BulkStopped | BulkRemoved;
