// What `tracestate` tells an app about the call it gets, and what spans of it bring back as
// `inngest.traceref` (protocol.md 2.1 and 5.8). To an app it is opaque.
import type { UserSpanCall } from "@pawl/engine/user-spans";

/** `<target>.<attempt>`: neither may hold `,` or `=`, at which SDKs split. */
export function traceRefOf({ target, attempt }: UserSpanCall): string {
  return `${target}.${String(attempt)}`;
}

/** The call of a reference; null for a text that is none. */
export function callOfTraceRef(text: string): UserSpanCall | null {
  const [, target, attempt] = /^(step|[0-9a-f]{40})\.(\d{1,6})$/.exec(text) ?? [];
  return target === undefined ? null : { target, attempt: Number(attempt) };
}
