// Boils a batch down to what is left of it: of several writes to one key only the last, of a
// deleted run only the deletion. After that the order of the writes no longer matters. It must not
// know what the database already holds.
import type { Change } from "@pawl/engine/changes";
import type { DeferRecord } from "@pawl/engine/defer-records";
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
} from "@pawl/engine/records";
import type { BulkRecord } from "@pawl/engine/bulk-records";
import { metadataId, type MetadataPlace, type MetadataRecord } from "@pawl/engine/metadata-records";
import type { ScheduleRecord } from "@pawl/engine/schedule-records";
import type { UserSpan } from "@pawl/engine/user-spans";
import type { JsonText } from "@pawl/protocol/json-text";

/** What is left for one run. In the maps null stands for "delete". */
export interface RunWrites {
  /** What the database holds of the run goes first: all of it, or what shows it (`run.retire`). */
  readonly wiped: "no" | "whole" | "retired";
  run: RunRecord | null;
  output: JsonText | null;
  readonly steps: Map<string, StepRecord>;
  readonly defers: Map<string, DeferRecord>;
  readonly attempts: Map<string, AttemptRecord>;
  readonly userSpans: UserSpan[];
  readonly jobs: Map<string, Job | null>;
  readonly waits: Map<string, WaitRecord | null>;
  readonly metadata: Map<
    string,
    { readonly place: MetadataPlace; readonly record: MetadataRecord | null }
  >;
}

/** What is left of a batch. In the maps null stands for "delete". */
export interface Batch {
  readonly runs: Map<string, RunWrites>;
  /** Of retired runs, in order. */
  readonly parts: Extract<Change, { type: "parts.delete" }>[];
  readonly events: Map<
    string,
    { readonly event: EventRecord; readonly keys: readonly WaitKey[] } | null
  >;
  readonly apps: Map<string, AppRecord | null>;
  readonly waitPaths: Map<string, WaitPathRecord>;
  readonly idempotency: Map<string, { readonly runId: string; readonly expiresAt: number } | null>;
  readonly gates: Map<string, GateRecord | null>;
  readonly schedules: Map<string, ScheduleRecord | null>;
  readonly bulks: Map<string, BulkRecord | null>;
  /** Rare, and its order of arrival counts: taken one by one. */
  readonly mail: Extract<Change, { type: "mail.put" | "mail.delete" }>[];
}

/** Boils the changes down. */
export function planBatch(changes: readonly Change[]): Batch {
  const batch: Batch = {
    runs: new Map(),
    parts: [],
    events: new Map(),
    apps: new Map(),
    waitPaths: new Map(),
    idempotency: new Map(),
    gates: new Map(),
    schedules: new Map(),
    bulks: new Map(),
    mail: [],
  };
  for (const change of changes) addChange(batch, change);
  return batch;
}

function addChange(batch: Batch, change: Change): void {
  switch (change.type) {
    case "app.put":
      return void batch.apps.set(change.app.id, change.app);
    case "app.delete":
      return void batch.apps.set(change.appId, null);
    case "event.put":
      return void batch.events.set(change.event.id, change);
    case "event.delete":
      return void batch.events.set(change.eventId, null);
    case "run.put":
      return void (writesOf(batch, change.run.id).run = change.run);
    case "run.delete":
      return void batch.runs.set(change.runId, noWrites("whole"));
    case "run.retire":
      return void batch.runs.set(change.runId, noWrites("retired"));
    case "parts.delete":
      return void batch.parts.push(change);
    case "output.put":
      return void (writesOf(batch, change.runId).output = change.output);
    case "step.put":
      return void writesOf(batch, change.runId).steps.set(change.step.id, change.step);
    case "defer.put":
      return void writesOf(batch, change.runId).defers.set(change.defer.id, change.defer);
    case "attempt.put":
      return putAttempt(batch, change.attempt);
    case "metadata.put":
      return putMetadata(batch, change.metadata.runId, change.metadata, change.metadata);
    case "metadata.delete":
      return putMetadata(batch, change.runId, change.place, null);
    case "userSpans.put":
      return void writesOf(batch, change.runId).userSpans.push(...change.spans);
    case "job.put":
      return void writesOf(batch, change.job.runId).jobs.set(change.job.id, change.job);
    case "job.delete":
      return void writesOf(batch, change.runId).jobs.set(change.jobId, null);
    case "wait.put":
      return void writesOf(batch, change.wait.runId).waits.set(change.wait.jobId, change.wait);
    case "wait.delete":
      return void writesOf(batch, change.runId).waits.set(change.jobId, null);
    case "waitPath.put":
      return putWaitPath(batch, change.waitPath);
    case "idempotency.put":
      return void batch.idempotency.set(change.key, change);
    case "idempotency.delete":
      return void batch.idempotency.set(change.key, null);
    case "gate.put":
      return void batch.gates.set(change.gate.key, change.gate);
    case "gate.delete":
      return void batch.gates.set(change.key, null);
    case "schedule.put":
      return void batch.schedules.set(change.schedule.id, change.schedule);
    case "schedule.delete":
      return void batch.schedules.set(change.scheduleId, null);
    case "bulk.put":
      return void batch.bulks.set(change.bulk.id, change.bulk);
    case "bulk.delete":
      return void batch.bulks.set(change.bulkId, null);
    case "mail.put":
    case "mail.delete":
      batch.mail.push(change);
      return;
    default:
      change satisfies never;
  }
}

function putAttempt(batch: Batch, record: AttemptRecord): void {
  const { runId, startedAt, stepId, attempt } = record;
  writesOf(batch, runId).attempts.set(JSON.stringify([startedAt, stepId, attempt]), record);
}

function putMetadata(
  batch: Batch,
  runId: string,
  place: MetadataPlace,
  record: MetadataRecord | null,
): void {
  writesOf(batch, runId).metadata.set(metadataId(place), { place, record });
}

function putWaitPath(batch: Batch, waitPath: WaitPathRecord): void {
  batch.waitPaths.set(JSON.stringify([waitPath.event, waitPath.path]), waitPath);
}

function noWrites(wiped: RunWrites["wiped"]): RunWrites {
  return {
    wiped,
    run: null,
    output: null,
    steps: new Map(),
    defers: new Map(),
    attempts: new Map(),
    userSpans: [],
    jobs: new Map(),
    waits: new Map(),
    metadata: new Map(),
  };
}

function writesOf(batch: Batch, runId: string): RunWrites {
  let writes = batch.runs.get(runId);
  if (writes === undefined) batch.runs.set(runId, (writes = noWrites("no")));
  return writes;
}
