// What retention weighs: how much a record counts for, and which of the oldest of a kind are beyond
// a bound. Both stores answer by this. It must not know how they find the oldest.
import type { RetentionBound } from "@pawl/engine/commands";
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

/** The first of them, with at most `limit` records, yet always one. */
export function firstOf(
  candidates: Iterable<Candidate>,
  limit: number,
): { readonly ids: readonly string[]; readonly hasMore: boolean } {
  const ids: string[] = [];
  let records = 0;
  for (const candidate of candidates) {
    records += candidate.records;
    if (ids.length > 0 && records > limit) return { ids, hasMore: true };
    ids.push(candidate.id);
    if (records >= limit) return { ids, hasMore: true };
  }
  return { ids, hasMore: false };
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
