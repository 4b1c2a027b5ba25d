// How runs, spans and times are called on the wire, the same in REST, GraphQL and MCP
// (protocol.md 8.2 to 8.4). It must not know who writes them.
import type { AppRecord, FunctionRecord, RunStatus, StepOp } from "@pawl/engine/records";
import { hash } from "node:crypto";
import { userSpanPrefix, type SpanStatus } from "../query/trace.ts";

/** Statuses of runs, as every API but the oldest writes them. */
export const runStatusWords: Readonly<Record<RunStatus, string>> = {
  queued: "QUEUED",
  running: "RUNNING",
  completed: "COMPLETED",
  failed: "FAILED",
  cancelled: "CANCELLED",
  skipped: "SKIPPED",
};

/** Statuses of spans. */
export const spanStatusWords: Readonly<Record<SpanStatus, string>> = {
  ...runStatusWords,
  waiting: "WAITING",
};

/** Kinds of steps. */
export const stepOpWords: Readonly<Record<StepOp, string>> = {
  run: "RUN",
  sleep: "SLEEP",
  waitForEvent: "WAIT_FOR_EVENT",
  invoke: "INVOKE",
  // The published APIs know one kind of wait for events.
  waitForAny: "WAIT_FOR_EVENT",
  waitForAll: "WAIT_FOR_EVENT",
  waitForSignal: "WAIT_FOR_SIGNAL",
  // The wire has no word of its own for requests of other kinds; the type of the step tells.
  fetch: "RUN",
  infer: "AI_GATEWAY",
};

/** The status of a word, whatever its case; null for a word that is none. */
export function runStatusOf(word: string): RunStatus | null {
  const found = Object.entries(runStatusWords).find(([, known]) => known === word.toUpperCase());
  return found === undefined ? null : (found[0] as RunStatus); // proof: a key of runStatusWords
}

/** RFC 3339 in UTC with milliseconds; null stays null. */
export function timeOrNull(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

/** 32 hex digits that stand for all spans of a run. */
export function traceIdOf(runId: string): string {
  return hash("sha1", runId).slice(0, 32);
}

/** 16 hex digits that stand for one span of a run; a span of user code has its own. */
export function spanIdOf(runId: string, spanId: string): string {
  if (spanId.startsWith(userSpanPrefix)) return spanId.slice(userSpanPrefix.length);
  return hash("sha1", `${runId}/${spanId}`).slice(0, 16);
}

/**
 * The W3C trace context of a call (protocol.md 2.1): the span that it belongs to is that of the step it
 * is to run, or of the run. Always marked as sampled, or apps would not record their own spans.
 */
export function traceparentOf(runId: string, target: string): string {
  const spanId = spanIdOf(runId, target === "step" ? "run" : `step.${target}`);
  return `00-${traceIdOf(runId)}-${spanId}-01`;
}

/** The id of a function as its author wrote it: the slug without its app. */
export function functionWireId(fn: FunctionRecord, app: AppRecord): string {
  const prefix = `${app.name}-`;
  return fn.slug.startsWith(prefix) ? fn.slug.slice(prefix.length) : fn.slug;
}
