// Spans that user code makes within a run and its app sends: the record, how a store writes it, and
// what it counts for. Nothing is decided from what a span says; it is kept for people who look at the
// run. This file must not know OTLP, nor where in a trace a span is shown.
import type { JsonText } from "@pawl/protocol/json-text";
import { utf8Length } from "@pawl/protocol/utf8";

export type UserSpanKind = "internal" | "server" | "client" | "producer" | "consumer";

/** Written once: a span that comes again changes nothing. */
export interface UserSpan {
  readonly runId: string;
  /** 16 hex digits in lower case, made by the app; unique within the run. */
  readonly id: string;
  /** The span that it says it is part of, which may be one that nobody sent; null: of none. */
  readonly parentId: string | null;
  /** 32 hex digits: its trace in the app, which need not be that of the run. */
  readonly traceId: string;
  /** The hashed id of the step whose code made it; null: outside of steps, or not told. */
  readonly stepId: string | null;
  /** The id that its SDK supposes the span of that step to have; null: not told. */
  readonly stepSpanId: string | null;
  /** Zero-based attempt of the step; null: not told. */
  readonly attempt: number | null;
  /** The call within which it was made; null: not told. */
  readonly call: UserSpanCall | null;
  readonly name: string;
  readonly kind: UserSpanKind;
  readonly failed: boolean;
  /** Microseconds since the epoch by the clock of the app: many spans begin in one ms. */
  readonly startedUs: number;
  readonly endedUs: number;
  /** By `spanDetails` of the server: attributes, events, links, resource and scope. */
  readonly details: JsonText;
}

/** Which call, as `tracestate` told the app (protocol.md 2.1). */
export interface UserSpanCall {
  /** `step` for a call of the function, else the hashed id of the one step to run. */
  readonly target: string;
  /** Zero-based. */
  readonly attempt: number;
}

/** How much a run has of them. */
export interface UserSpanTally {
  readonly ids: ReadonlySet<string>;
  /** Sum of `userSpanBytes`. */
  readonly bytes: number;
}

/** Everything of a span but its details, as a store keeps it: JSON. */
export function userSpanHead(span: UserSpan): string {
  const { details: _, ...head } = span;
  return JSON.stringify(head);
}

/** What a span counts for: the bytes of head and details in UTF-8. */
export function userSpanBytes(span: UserSpan): number {
  return utf8Length(userSpanHead(span)) + utf8Length(span.details);
}
