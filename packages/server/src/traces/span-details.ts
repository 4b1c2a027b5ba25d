// What of a span of user code is kept as one JSON text: all that nothing is asked by. It must not know
// OTLP, nor how an API writes it.
import type { UserSpan } from "@pawl/engine/user-spans";
import { toJsonText, type JsonText } from "@pawl/protocol/json-text";

/** By name: any JSON. */
export type Attributes = Readonly<Record<string, unknown>>;

export interface SpanDetails {
  readonly attributes: Attributes;
  /** Of the process that made the span. */
  readonly resource: Attributes;
  /** The instrumentation that made it. */
  readonly scope: { readonly name: string | null; readonly version: string | null };
  readonly statusMessage: string | null;
  /** Microseconds since the epoch. */
  readonly events: readonly {
    readonly name: string;
    readonly atUs: number;
    readonly attributes: Attributes;
  }[];
  readonly links: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly attributes: Attributes;
  }[];
}

export function writeDetails(details: SpanDetails): JsonText {
  return toJsonText(details);
}

export function detailsOf({ details }: UserSpan): SpanDetails {
  return JSON.parse(details) as SpanDetails; // proof: written by writeDetails
}
