// Writes one change into memory and keeps every order in step with the records. It cannot fail,
// which is what makes a batch of changes all or nothing.
import type { Change } from "@pawl/engine/changes";
import type {
  AttemptRecord,
  EventRecord,
  GateRecord,
  Job,
  RunRecord,
  WaitKey,
  WaitPathRecord,
  WaitRecord,
} from "@pawl/engine/records";
import { metadataId, type MetadataPlace, type MetadataRecord } from "@pawl/engine/metadata-records";
import type { ScheduleRecord } from "@pawl/engine/schedule-records";
import type { UserSpan } from "@pawl/engine/user-spans";
import { compareArrivals, comparePositions, compareText } from "../position.ts";
import type { DueJob } from "../store.ts";
import { compareDue, keyText } from "./memory-data.ts";
import type { HeldKey, MemoryData, RunEntry } from "./memory-data.ts";
import { countEvent, deleteParts, markFree, uncountRun } from "./retained.ts";
import { SortedSet } from "./sorted-set.ts";

/** Writes one change. Later changes to the same key win. */
export function applyChange(data: MemoryData, change: Change): void {
  switch (change.type) {
    case "app.put":
      return void data.apps.set(change.app.id, change.app);
    case "app.delete":
      return void data.apps.delete(change.appId);
    case "event.put":
      deleteEvent(data, change.event.id);
      putEvent(data, change.event, change.keys);
      return;
    case "event.delete":
      return deleteEvent(data, change.eventId);
    case "run.put":
      return putRun(data, change.run);
    case "run.delete":
      return deleteRun(data, change.runId);
    case "run.retire":
      return retireRun(data, change.runId);
    case "parts.delete":
      return deleteParts(data, change.runId, change);
    case "output.put":
      return void (entryOf(data, change.runId).output = change.output);
    case "step.put":
      return void entryOf(data, change.runId).steps.set(change.step.id, change.step);
    case "defer.put":
      return void entryOf(data, change.runId).defers.set(change.defer.id, change.defer);
    case "attempt.put":
      return putAttempt(data, change.attempt);
    case "metadata.put":
      return putMetadata(data, change.metadata);
    case "metadata.delete":
      return deleteMetadata(data, change.runId, change.place);
    case "userSpans.put":
      return putUserSpans(data, change.runId, change.spans);
    case "job.put":
      return putJob(data, change.job);
    case "job.delete":
      return deleteJob(data, change.runId, change.jobId);
    case "wait.put":
      return putWait(data, change.wait);
    case "wait.delete":
      return deleteWait(data, change.runId, change.jobId);
    case "waitPath.put":
      return putWaitPath(data, change.waitPath);
    case "idempotency.put":
      return holdKey(data, change);
    case "idempotency.delete":
      return forgetKey(data, change.key);
    case "gate.put":
      return putGate(data, change.gate);
    case "gate.delete":
      return deleteGate(data, change.key);
    case "schedule.put":
      return putSchedule(data, change.schedule);
    case "schedule.delete":
      return deleteSchedule(data, change.scheduleId);
    case "bulk.put":
      return void data.bulks.set(change.bulk.id, change.bulk);
    case "bulk.delete":
      return void data.bulks.delete(change.bulkId);
    case "mail.put":
      return void data.mail.set(change.mailId, { shard: change.shard, message: change.message });
    case "mail.delete":
      return void data.mail.delete(change.mailId);
    default:
      change satisfies never;
  }
}

function putWaitPath(data: MemoryData, waitPath: WaitPathRecord): void {
  data.waitPaths.set(JSON.stringify([waitPath.event, waitPath.path]), waitPath);
}

function putSchedule(data: MemoryData, schedule: ScheduleRecord): void {
  deleteSchedule(data, schedule.id);
  data.schedules.set(schedule.id, schedule);
  const { id, dueAt } = schedule;
  if (dueAt !== null) data.schedulesByTime.add({ scheduleId: id, dueAt });
}

function deleteSchedule(data: MemoryData, scheduleId: string): void {
  const schedule = data.schedules.get(scheduleId);
  if (schedule === undefined) return;
  data.schedules.delete(scheduleId);
  const { dueAt } = schedule;
  if (dueAt !== null) data.schedulesByTime.delete({ scheduleId, dueAt });
}

function entryOf(data: MemoryData, runId: string): RunEntry {
  let entry = data.runs.get(runId);
  if (entry === undefined) {
    entry = {
      run: null,
      output: null,
      jobs: new Map(),
      steps: new Map(),
      defers: new Map(),
      attempts: new Map(),
      userSpans: new Map(),
      waits: new Map(),
      metadata: new Map(),
      retained: null,
    };
    data.runs.set(runId, entry);
  }
  return entry;
}

/** Adds to the set under a key, which is made when it is missing. */
function addUnder<T>(
  sets: Map<string, SortedSet<T>>,
  key: string,
  item: T,
  compare: (a: T, b: T) => number,
): void {
  let set = sets.get(key);
  if (set === undefined) sets.set(key, (set = new SortedSet(compare)));
  set.add(item);
}

/** Deletes from the set under a key, and the set with its last item. */
function deleteUnder<T>(sets: Map<string, SortedSet<T>>, key: string, item: T): void {
  const set = sets.get(key);
  set?.delete(item);
  if (set?.size === 0) sets.delete(key);
}

function putEvent(data: MemoryData, event: EventRecord, keys: readonly WaitKey[]): void {
  data.events.set(event.id, { event, keys });
  data.eventOrder.add(event);
  addUnder(data.eventsByName, event.name, event, compareArrivals);
  for (const key of keys)
    addUnder(data.eventsByKey, keyText(event.name, key), event, compareArrivals);
  countEvent(data, event, 1);
}

function deleteEvent(data: MemoryData, eventId: string): void {
  const entry = data.events.get(eventId);
  if (entry === undefined) return;
  const { event, keys } = entry;
  data.events.delete(eventId);
  data.eventOrder.delete(event);
  countEvent(data, event, -1);
  deleteUnder(data.eventsByName, event.name, event);
  for (const key of keys) deleteUnder(data.eventsByKey, keyText(event.name, key), event);
}

function putRun(data: MemoryData, run: RunRecord): void {
  const entry = entryOf(data, run.id);
  // The usual case, a run that goes on: its place in every order stays.
  const same =
    entry.run?.endedAt === run.endedAt &&
    entry.run.status === run.status &&
    entry.run.eventIds.join() === run.eventIds.join();
  if (!same) {
    if (entry.run !== null) unlistRun(data, entry.run);
    listRun(data, run);
  }
  entry.run = run;
  data.uncounted.add(run.id);
}

/** Whether the run is over, by its status. */
export function hasEnded(run: RunRecord): boolean {
  return run.status !== "queued" && run.status !== "running";
}

function listRun(data: MemoryData, run: RunRecord): void {
  data.runOrder.add(run.id);
  if (!hasEnded(run)) data.unfinished.add(run.id);
  for (const eventId of run.eventIds) {
    addUnder(data.runsByEvent, eventId, run.id, compareText);
    const entry = data.events.get(eventId);
    if (entry !== undefined) markFree(data, entry.event, false);
  }
}

function unlistRun(data: MemoryData, run: RunRecord): void {
  data.runOrder.delete(run.id);
  data.unfinished.delete(run.id);
  for (const eventId of run.eventIds) {
    deleteUnder(data.runsByEvent, eventId, run.id);
    const entry = data.events.get(eventId);
    if (entry !== undefined && !data.runsByEvent.has(eventId)) markFree(data, entry.event, true);
  }
}

function deleteRun(data: MemoryData, runId: string): void {
  const entry = data.runs.get(runId);
  if (entry === undefined) return;
  for (const jobId of entry.jobs.keys()) deleteJob(data, runId, jobId);
  for (const jobId of entry.waits.keys()) deleteWait(data, runId, jobId);
  uncountRun(data, entry);
  if (entry.run !== null) unlistRun(data, entry.run);
  data.runs.delete(runId);
}

function retireRun(data: MemoryData, runId: string): void {
  const entry = entryOf(data, runId);
  deleteRun(data, runId);
  data.retired.set(runId, entry);
}

/** The job as the lists of what is due show it, with the order it belongs to. */
function dueOf(job: Job): {
  readonly due: DueJob;
  readonly gate?: string;
  readonly epoch?: number;
} {
  const base = { runId: job.runId, jobId: job.id };
  if (job.kind !== "call") return { due: { ...base, dueAt: job.dueAt, generation: 0 } };
  const { state, generation } = job;
  switch (state.at) {
    case "delayed":
      return { due: { ...base, dueAt: state.dueAt, generation } };
    case "queued":
      return { due: { ...base, dueAt: state.since, generation }, gate: state.gate };
    case "leased":
      return { due: { ...base, dueAt: state.leaseUntil, generation }, epoch: state.epoch };
  }
}

function putMetadata(data: MemoryData, metadata: MetadataRecord): void {
  entryOf(data, metadata.runId).metadata.set(metadataId(metadata), metadata);
  data.uncounted.add(metadata.runId);
}

function deleteMetadata(data: MemoryData, runId: string, place: MetadataPlace): void {
  data.runs.get(runId)?.metadata.delete(metadataId(place));
  data.uncounted.add(runId);
}

function putJob(data: MemoryData, job: Job): void {
  deleteJob(data, job.runId, job.id);
  entryOf(data, job.runId).jobs.set(job.id, job);
  const { due, gate, epoch } = dueOf(job);
  if (gate !== undefined) addUnder(data.queues, gate, due, compareDue);
  else if (epoch !== undefined) data.leased.add({ ...due, epoch });
  else data.timers.add(due);
}

function deleteJob(data: MemoryData, runId: string, jobId: string): void {
  const jobs = data.runs.get(runId)?.jobs;
  const job = jobs?.get(jobId);
  if (job === undefined) return;
  jobs?.delete(jobId);
  const { due, gate, epoch } = dueOf(job);
  if (gate !== undefined) deleteUnder(data.queues, gate, due);
  else if (epoch !== undefined) data.leased.delete({ ...due, epoch });
  else data.timers.delete(due);
}

function putWait(data: MemoryData, wait: WaitRecord): void {
  deleteWait(data, wait.runId, wait.jobId);
  entryOf(data, wait.runId).waits.set(wait.jobId, wait);
  addUnder(data.waitsByKey, keyText(wait.event, wait.key), wait, comparePositions);
}

function deleteWait(data: MemoryData, runId: string, jobId: string): void {
  const waits = data.runs.get(runId)?.waits;
  const wait = waits?.get(jobId);
  if (wait === undefined) return;
  waits?.delete(jobId);
  deleteUnder(data.waitsByKey, keyText(wait.event, wait.key), wait);
}

function putAttempt(data: MemoryData, record: AttemptRecord): void {
  const { runId, startedAt, stepId, attempt } = record;
  entryOf(data, runId).attempts.set(JSON.stringify([startedAt, stepId, attempt]), record);
}

function putUserSpans(data: MemoryData, runId: string, spans: readonly UserSpan[]): void {
  const { userSpans } = entryOf(data, runId);
  for (const span of spans) if (!userSpans.has(span.id)) userSpans.set(span.id, span);
  data.uncounted.add(runId);
}

function holdKey(data: MemoryData, held: HeldKey): void {
  forgetKey(data, held.key);
  data.idempotency.set(held.key, held);
  data.keysByEnd.add(held);
}

function forgetKey(data: MemoryData, key: string): void {
  const held = data.idempotency.get(key);
  if (held === undefined) return;
  data.idempotency.delete(key);
  data.keysByEnd.delete(held);
}

function putGate(data: MemoryData, gate: GateRecord): void {
  deleteGate(data, gate.key);
  data.gates.set(gate.key, gate);
  if (gate.kind === "rate") data.ratesByEnd.add(gate);
}

function deleteGate(data: MemoryData, key: string): void {
  const gate = data.gates.get(key);
  if (gate === undefined) return;
  data.gates.delete(key);
  if (gate.kind === "rate") data.ratesByEnd.delete(gate);
}
