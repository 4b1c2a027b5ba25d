// The record of a function that a run has deferred (protocol.md 5.6). It must not know how one comes
// to be scheduled, nor what it starts.
import type { JsonText } from "@pawl/protocol/json-text";

/**
 * A function that a run has deferred (protocol.md 5.6). `scheduled`: it starts when the run ends;
 * `sent`: the run has ended, and it was. Aborted and rejected ones never start.
 */
export interface DeferRecord {
  /** Hashed id, of its own kind: a step may have the same. */
  readonly id: string;
  /** The id as its author wrote it. */
  readonly userId: string | null;
  /** Order of arrival within the run, from 0. */
  readonly seq: number;
  /** As the app named it; there may be no such function. */
  readonly functionSlug: string;
  readonly status: "scheduled" | "sent" | "aborted" | "rejected";
  /** What it gets as `data` and `meta`; `{}` and null unless it is scheduled. */
  readonly input: JsonText;
  readonly meta: JsonText | null;
  /** Why it was rejected; null otherwise. */
  readonly reason: string | null;
  /** Of the event that it was sent as; null before. */
  readonly eventId: string | null;
  readonly addedAt: number;
}
