// The closed union of record writes. A store persists these and nothing else; the hot state
// applies the very same values. Order within a batch matters: later writes to a key win.
import type { JsonText } from "@pawl/protocol/json-text";
import type { DeferRecord } from "./defer-records.ts";
import type {
  AppRecord,
  AttemptRecord,
  EventRecord,
  GateRecord,
  Job,
  RunRecord,
  StepRecord,
  WaitKey,
  WaitPathRecord,
  WaitRecord,
} from "./records.ts";
import type { BulkRecord } from "./bulk-records.ts";
import type { MetadataPlace, MetadataRecord } from "./metadata-records.ts";
import type { ScheduleRecord } from "./schedule-records.ts";
import type { Message } from "./commands.ts";
import type { UserSpan } from "./user-spans.ts";

export type Change =
  | { readonly type: "app.put"; readonly app: AppRecord }
  | { readonly type: "app.delete"; readonly appId: string }
  /** `keys`: the event's values at the paths by which its name is indexed. */
  | { readonly type: "event.put"; readonly event: EventRecord; readonly keys: readonly WaitKey[] }
  | { readonly type: "event.delete"; readonly eventId: string }
  | { readonly type: "run.put"; readonly run: RunRecord }
  /**
   * Removes the run with all that belongs to it: steps, defers, attempts, output, jobs, waits,
   * metadata, spans of user code.
   */
  | { readonly type: "run.delete"; readonly runId: string }
  /**
   * As `run.delete`, but all parts except jobs and waits stay behind, out of sight of every question, until
   * `parts.delete` took the last of them. The id is never written to again.
   */
  | { readonly type: "run.retire"; readonly runId: string }
  /**
   * Removes parts of a retired run: as many as have at most `records` rows and `bytes` of payload
   * together, yet always one. With the last of them the run is forgotten.
   */
  | {
      readonly type: "parts.delete";
      readonly runId: string;
      readonly records: number;
      readonly bytes: number;
    }
  /** `output` is `{"data": …}` or `{"error": …}`, written once, when the run ends. */
  | { readonly type: "output.put"; readonly runId: string; readonly output: JsonText }
  | { readonly type: "step.put"; readonly runId: string; readonly step: StepRecord }
  | { readonly type: "defer.put"; readonly runId: string; readonly defer: DeferRecord }
  | { readonly type: "attempt.put"; readonly attempt: AttemptRecord }
  | { readonly type: "metadata.put"; readonly metadata: MetadataRecord }
  | {
      readonly type: "metadata.delete";
      readonly runId: string;
      readonly place: MetadataPlace;
    }
  /** Spans of user code that the run does not have yet. It weighs more by them, ended or not. */
  | { readonly type: "userSpans.put"; readonly runId: string; readonly spans: readonly UserSpan[] }
  | { readonly type: "job.put"; readonly job: Job }
  | { readonly type: "job.delete"; readonly runId: string; readonly jobId: string }
  | { readonly type: "wait.put"; readonly wait: WaitRecord }
  | { readonly type: "wait.delete"; readonly runId: string; readonly jobId: string }
  | { readonly type: "waitPath.put"; readonly waitPath: WaitPathRecord }
  /** The key that makes a second start a repeat; forgotten after `expiresAt`. */
  | {
      readonly type: "idempotency.put";
      readonly key: string;
      readonly runId: string;
      readonly expiresAt: number;
    }
  | { readonly type: "idempotency.delete"; readonly key: string }
  | { readonly type: "gate.put"; readonly gate: GateRecord }
  | { readonly type: "gate.delete"; readonly key: string }
  | { readonly type: "schedule.put"; readonly schedule: ScheduleRecord }
  | { readonly type: "schedule.delete"; readonly scheduleId: string }
  | { readonly type: "bulk.put"; readonly bulk: BulkRecord }
  | { readonly type: "bulk.delete"; readonly bulkId: string }
  /** A message that its entity did not take in this commit: it lies in the mailbox of a shard. */
  | {
      readonly type: "mail.put";
      readonly mailId: string;
      readonly shard: number;
      readonly message: Message;
    }
  /** The message was decided; in the same commit as what was decided. */
  | { readonly type: "mail.delete"; readonly mailId: string };

export type ChangeType = Change["type"];
