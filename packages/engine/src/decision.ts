// What deciding a command yields: data only, nothing has happened yet.
import type { Change } from "./changes.ts";
import type { Message } from "./commands.ts";
import type { BulkRecord } from "./bulk-records.ts";
import type { Effect } from "./effects.ts";
import type { EngineCode } from "./codes.ts";
import type { SpansTaken } from "./span-commands.ts";
import type { RuntimeSchedule } from "./schedule-records.ts";

/** The answer for whoever sent the command. Expected outcomes are replies, never throws. */
export type Reply =
  | { readonly ok: true; readonly value: ReplyValue }
  | { readonly ok: false; readonly code: EngineCode; readonly message: string };

export type ReplyValue =
  | { readonly type: "done" }
  | { readonly type: "synced"; readonly appId: string; readonly modified: boolean }
  | { readonly type: "accepted"; readonly eventIds: readonly string[] }
  /** `isRepeat`: the run was there already, started for the same key. */
  | {
      readonly type: "started";
      readonly runId: string;
      readonly eventId: string;
      readonly isRepeat?: boolean;
    }
  /** The run that got the signal. */
  | { readonly type: "signalled"; readonly runId: string }
  /** The schedule as it is now; `created`: it is new. */
  | {
      readonly type: "scheduled";
      readonly schedule: RuntimeSchedule;
      readonly created: boolean;
    }
  | { readonly type: "bulk"; readonly bulk: BulkRecord }
  | ({ readonly type: "spans" } & SpansTaken)
  /** How many records were removed, and whether there may be more. */
  | {
      readonly type: "removed";
      readonly runs: number;
      readonly events: number;
      readonly keys: number;
      readonly rates: number;
      readonly hasMore: boolean;
    };

export interface Decision {
  readonly changes: readonly Change[];
  readonly effects: readonly Effect[];
  readonly messages: readonly Message[];
  readonly reply: Reply;
}
