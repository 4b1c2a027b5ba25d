// What retention weighs: how much a record counts for, and which of the oldest of a kind are beyond
// a bound. Both stores answer by this. It must not know how they find the oldest.
import type { RetentionBound } from "@pawl/engine/commands";
import type { Found } from "@pawl/engine/needs";
import type { RetainedKind, RunStatus } from "@pawl/engine/records";

/** What a record counts for beside its payloads, in bytes: about what row and index entries take. */
export const recordBytes = 200;

export const retainedKinds: readonly RetainedKind[] = [
  "completed",
  "failed",
  "cancelled",
  "skipped",
  "events",
];

/** The kind under which an ended run counts; null for one that goes on. */
export function kindOfRun(status: RunStatus, endedAt: number | null): RetainedKind | null {
  return status === "queued" || status === "running" || endedAt === null ? null : status;
}

/** How many there are of a kind, and their bytes: payloads in UTF-8 and `recordBytes` for each record. */
export interface Usage {
  readonly count: number;
  readonly bytes: number;
}

/** One of a kind: an ended run with its parts, or an event. */
export interface Candidate extends Pick<Usage, "bytes"> {
  readonly id: string;
  /** When it ended or arrived, ms. */
  readonly at: number;
  /** Records that go with it, itself included. */
  readonly records: number;
}

/** Bounds that keep nothing that ended or arrived before `before`. */
export function olderThan(before: number): readonly RetentionBound[] {
  const rest = { before, spareFrom: 0, countMax: null, bytesMax: null };
  return retainedKinds.map((of) => ({ of, ...rest }));
}

/** From when on nothing of the kind can be beyond the bound, ms: where a walk from the oldest may end. */
export function boundEnd(bound: RetentionBound, usage: Usage): number {
  return isOver(bound, usage) ? Math.max(bound.before, bound.spareFrom) : bound.before;
}

/** Those of the oldest that are beyond a bound. `usage` is that of the whole kind. */
export function* beyondBound(
  bound: RetentionBound,
  usage: Usage,
  oldest: Iterable<Candidate>,
): Generator<Candidate, void> {
  let { count, bytes } = usage;
  for (const candidate of oldest) {
    const { at } = candidate;
    const goes = at < bound.before || (at < bound.spareFrom && isOver(bound, { count, bytes }));
    if (!goes) return;
    yield candidate;
    count -= 1;
    bytes -= candidate.bytes;
  }
}

/** How much a step of retention removes of a kind: rows, and bytes as they are weighed. */
export interface StepSize {
  readonly records: number;
  readonly bytes: number;
}

/** The first of what may go: what one step removes whole, or one that is larger than a step. */
export interface FirstOf {
  readonly ids: readonly string[];
  readonly largeIds: readonly string[];
  readonly hasMore: boolean;
}

/** The first of them, within the size of a step. What is one row goes whole, however large it is. */
export function firstOf(candidates: Iterable<Candidate>, step: StepSize): FirstOf {
  const ids: string[] = [];
  let records = 0;
  let bytes = 0;
  for (const candidate of candidates) {
    records += candidate.records;
    bytes += candidate.bytes;
    if (records > step.records || bytes > step.bytes) {
      if (ids.length > 0) return { ids, largeIds: [], hasMore: true };
      const { id } = candidate;
      return candidate.records === 1
        ? { ids: [id], largeIds: [], hasMore: true }
        : { ids, largeIds: [id], hasMore: true };
    }
    ids.push(candidate.id);
    if (records === step.records) return { ids, largeIds: [], hasMore: true };
  }
  return { ids, largeIds: [], hasMore: false };
}

/** The answer to what may go: the first of each bound, and the retired run that is still there. */
export function expiredOf(
  found: readonly (FirstOf & { readonly of: RetainedKind })[],
  retiredId: string | null,
): Omit<Extract<Found, { runIds: readonly string[] }>, "need"> {
  const runs = found.filter(({ of }) => of !== "events");
  return {
    runIds: runs.flatMap(({ ids }) => ids),
    largeRunIds: runs.flatMap(({ largeIds }) => largeIds),
    eventIds: found.flatMap(({ of, ids }) => (of === "events" ? ids : [])),
    retiredId,
    hasMore: retiredId !== null || found.some(({ hasMore }) => hasMore),
  };
}

/** The first parts of a retired run that go in one step, by the bytes of their payloads; always one. */
export function* partsWithin<T extends { readonly bytes: number }>(
  parts: Iterable<T>,
  step: StepSize,
): Generator<T, void> {
  let records = 0;
  let bytes = 0;
  for (const part of parts) {
    records += 1;
    bytes += part.bytes;
    if (records > 1 && (records > step.records || bytes > step.bytes)) return;
    yield part;
  }
}

/** How much they are together. */
export function sumOf(candidates: Iterable<Candidate>): Usage {
  let count = 0;
  let bytes = 0;
  for (const candidate of candidates) {
    count += 1;
    bytes += candidate.bytes;
  }
  return { count, bytes };
}

function isOver({ countMax, bytesMax }: RetentionBound, { count, bytes }: Usage): boolean {
  return (countMax !== null && count > countMax) || (bytesMax !== null && bytes > bytesMax);
}

/** Bytes of a text in UTF-8; a lone surrogate counts as the U+FFFD that a store writes for it. */
export function utf8Bytes(text: string | null): number {
  if (text === null) return 0;
  let bytes = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) {
      bytes += 2;
      i += 1;
    } else bytes += 2;
  }
  return bytes;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
