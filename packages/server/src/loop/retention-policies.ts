// How much of each kind is kept, as people choose it, and the bounds that follow from it at a time.
// It must not know where the choice comes from, nor how anything is removed.
import type { RetentionBound } from "@pawl/engine/commands";
import type { RetainedKind } from "@pawl/engine/records";
import { retainedKinds } from "@pawl/store/retained";

/** Null: no limit. */
export interface RetentionPolicy {
  /** Since the end of a run, or the arrival of an event, ms. */
  readonly ageMs: number | null;
  readonly countMax: number | null;
  /** See `Usage`. */
  readonly bytesMax: number | null;
}

export type RetentionPolicies = Readonly<Record<RetainedKind, RetentionPolicy>>;

/** Policies with one age for all kinds, but for what is chosen for each. */
export function retentionPolicies(
  ageMs: number | null,
  chosen: { readonly [K in RetainedKind]?: Partial<RetentionPolicy> } = {},
): RetentionPolicies {
  const policy = (kind: RetainedKind): RetentionPolicy => ({
    ageMs,
    countMax: null,
    bytesMax: null,
    ...chosen[kind],
  });
  return {
    completed: policy("completed"),
    failed: policy("failed"),
    cancelled: policy("cancelled"),
    skipped: policy("skipped"),
    events: policy("events"),
  };
}

/**
 * The bounds of kinds that have any limit. What ended or arrived within the last `spareMs` goes by
 * age only: whoever waits for a run can still read how it ended.
 */
export function boundsOf(
  policies: RetentionPolicies,
  now: number,
  spareMs: number,
): readonly RetentionBound[] {
  return retainedKinds.flatMap((of) => {
    const { ageMs, countMax, bytesMax } = policies[of];
    if (ageMs === null && countMax === null && bytesMax === null) return [];
    const before = ageMs === null ? 0 : now - ageMs;
    return [{ of, before, spareFrom: now - spareMs, countMax, bytesMax }];
  });
}
