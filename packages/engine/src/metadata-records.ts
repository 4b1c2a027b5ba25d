// Metadata of runs (protocol.md 5.8): what apps and people note about a run, its steps, their attempts
// and spans, for people to look at. Nothing is decided from it. It must not know how it is combined.
import type { JsonText } from "@pawl/protocol/json-text";
import type { MetadataScope, MetadataUpdate } from "@pawl/protocol/metadata-wire";

/** What in a run metadata is about. */
export interface MetadataSubject {
  readonly scope: MetadataScope;
  /** The hashed step id; null for the run, and for spans outside of steps. */
  readonly stepId: string | null;
  /** Zero-based; null unless it is about one attempt. */
  readonly attempt: number | null;
  /** A span that the app recorded, by its W3C id; null for all other scopes. */
  readonly spanId: string | null;
}

/** Names one entry of a run: there is one for each subject and kind. */
export interface MetadataPlace extends MetadataSubject {
  readonly kind: string;
}

export interface MetadataRecord extends MetadataPlace {
  readonly runId: string;
  /** A JSON object. */
  readonly values: JsonText;
  /** Ms since the epoch. */
  readonly updatedAt: number;
}

/** What metadata is meant for, as a sender names it: no step and no span stand for the run. */
export interface MetadataTarget {
  /** The id as its author wrote it, or the hashed one. */
  readonly stepId: string | null;
  /** Which repeat of that id; 0 for the first. */
  readonly stepIndex: number;
  /** Zero-based; `latestAttempt` for the latest one; null: the step as a whole. */
  readonly attempt: number | null;
  readonly spanId: string | null;
}

/** The attempt that stands for the latest one (protocol.md 5.8). */
export const latestAttempt = -1;

/** An update and what it is meant for. */
export type TargetedUpdate = MetadataUpdate & { readonly target: MetadataTarget };

/** The whole run. */
export const wholeRun: MetadataSubject = {
  scope: "run",
  stepId: null,
  attempt: null,
  spanId: null,
};

/** A text that is the same for equal places of a run. */
export function metadataId({ scope, stepId, attempt, spanId, kind }: MetadataPlace): string {
  return JSON.stringify([scope, stepId, attempt, spanId, kind]);
}

/** What an entry counts for, in UTF-16 units. */
export function metadataChars({ kind, values }: MetadataRecord): number {
  return kind.length + values.length;
}
