// Counts what retention weighs, and answers what is beyond a bound, from memory.
import type { RetentionBound } from "@pawl/engine/commands";
import type { EventRecord, RetainedKind } from "@pawl/engine/records";
import { userSpanBytes } from "@pawl/engine/user-spans";
import { beyondBound, kindOfRun, partsWithin, recordBytes, utf8Bytes } from "../retained.ts";
import type { Candidate, StepSize } from "../retained.ts";
import type { MemoryData, RetainedData, RetiredParts, RunEntry } from "./memory-data.ts";

/** What is kept of a kind. */
export function retainedOf(data: MemoryData, kind: RetainedKind): RetainedData {
  const retained = data.retained.get(kind);
  if (retained === undefined) throw new Error(`there is no kind ${kind}`);
  return retained;
}

function add(retained: RetainedData, { bytes }: Candidate, sign: 1 | -1): void {
  retained.count += sign;
  retained.bytes += sign * bytes;
}

/** An event as retention sees it. */
function eventCandidate({ id, receivedAt, data, user, meta }: EventRecord): Candidate {
  const bytes = recordBytes + utf8Bytes(data) + utf8Bytes(user) + utf8Bytes(meta);
  return { id, at: receivedAt, bytes, records: 1 };
}

/** Counts an event that came or goes. */
export function countEvent(data: MemoryData, event: EventRecord, sign: 1 | -1): void {
  const retained = retainedOf(data, "events");
  const candidate = eventCandidate(event);
  add(retained, candidate, sign);
  if (sign < 0) retained.oldest.delete(candidate);
  else markFree(data, event, !data.runsByEvent.has(event.id));
}

/** Says whether an event is free to go: no run refers to it. */
export function markFree(data: MemoryData, event: EventRecord, isFree: boolean): void {
  const { oldest } = retainedOf(data, "events");
  if (isFree) oldest.add(eventCandidate(event));
  else oldest.delete(eventCandidate(event));
}

/** Counts the runs that were written, to be called behind the last change of a commit. */
export function countRuns(data: MemoryData): void {
  for (const runId of data.uncounted) {
    const entry = data.runs.get(runId);
    if (entry === undefined) continue;
    uncountRun(data, entry);
    const { run } = entry;
    const kind = run === null ? null : kindOfRun(run.status, run.endedAt);
    if (run === null || kind === null) continue;
    const as = { id: run.id, at: run.endedAt ?? 0, ...sizeOf(entry) };
    entry.retained = { kind, as };
    add(retainedOf(data, kind), as, 1);
    retainedOf(data, kind).oldest.add(as);
  }
  data.uncounted.clear();
}

/** Forgets what a run counted for. */
export function uncountRun(data: MemoryData, entry: RunEntry): void {
  if (entry.retained === null) return;
  const { kind, as } = entry.retained;
  add(retainedOf(data, kind), as, -1);
  retainedOf(data, kind).oldest.delete(as);
  entry.retained = null;
}

/** Removes the first parts of a retired run, and the run with the last. */
export function deleteParts(data: MemoryData, runId: string, step: StepSize): void {
  const retired = data.retired.get(runId);
  if (retired === undefined) return;
  const parts = [...partsOf(retired)];
  const going = [...partsWithin(parts, step)];
  for (const { remove } of going) remove();
  if (going.length === parts.length) data.retired.delete(runId);
}

/** Each part with its bytes, and how it goes. */
function* partsOf(
  parts: RetiredParts,
): Generator<{ readonly bytes: number; readonly remove: () => void }, void> {
  const { output, steps, defers, attempts, metadata, userSpans } = parts;
  for (const [id, { memo, opts }] of steps)
    yield { bytes: utf8Bytes(memo) + utf8Bytes(opts), remove: () => steps.delete(id) };
  for (const [id, { input, meta }] of defers)
    yield { bytes: utf8Bytes(input) + utf8Bytes(meta), remove: () => defers.delete(id) };
  for (const [id, { error }] of attempts)
    yield { bytes: utf8Bytes(error), remove: () => attempts.delete(id) };
  for (const [id, { values }] of metadata)
    yield { bytes: utf8Bytes(values), remove: () => metadata.delete(id) };
  for (const [id, span] of userSpans)
    yield { bytes: userSpanBytes(span), remove: () => userSpans.delete(id) };
  if (output !== null) yield { bytes: utf8Bytes(output), remove: () => (parts.output = null) };
}

/** The first of the runs whose parts go in pieces. */
export function firstRetired(data: MemoryData): string | null {
  return [...data.retired.keys()].sort()[0] ?? null;
}

/** A run with its parts as retention weighs it. */
export function sizeOf({
  steps,
  defers,
  attempts,
  userSpans,
  output,
  metadata,
}: RunEntry): Pick<Candidate, "bytes" | "records"> {
  const kept = [steps, defers, attempts, metadata, userSpans];
  const records = kept.reduce((sum, { size }) => sum + size, output === null ? 1 : 2);
  let bytes = records * recordBytes + utf8Bytes(output);
  for (const { memo, opts } of steps.values()) bytes += utf8Bytes(memo) + utf8Bytes(opts);
  for (const { input, meta } of defers.values()) bytes += utf8Bytes(input) + utf8Bytes(meta);
  for (const { error } of attempts.values()) bytes += utf8Bytes(error);
  for (const { values } of metadata.values()) bytes += utf8Bytes(values);
  for (const span of userSpans.values()) bytes += userSpanBytes(span);
  return { bytes, records };
}

/** What is beyond a bound, oldest first. */
export function beyondInMemory(data: MemoryData, bound: RetentionBound): Iterable<Candidate> {
  const { count, bytes, oldest } = retainedOf(data, bound.of);
  const candidates = oldest.ascending(null);
  const free = bound.of === "events" ? candidates : unneeded(data, candidates);
  return beyondBound(bound, { count, bytes }, free);
}

function* unneeded(data: MemoryData, oldest: Iterable<Candidate>): Generator<Candidate, void> {
  for (const candidate of oldest) if (!isAwaited(data, candidate.id)) yield candidate;
}

/** Whether the job that invoked the run is still there. */
function isAwaited(data: MemoryData, runId: string): boolean {
  const parent = data.runs.get(runId)?.run?.parent ?? null;
  return parent !== null && data.runs.get(parent.runId)?.jobs.has(parent.jobId) === true;
}
