// Turns the tree of an ended run into spans of OpenTelemetry. Ids follow from run and step alone, and
// are those that the APIs show. It must not know where spans go.
import {
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Attributes,
  type HrTime,
  type Link,
  type SpanContext,
} from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { RunRecord } from "@pawl/engine/records";
import { fromJsonText, type JsonText } from "@pawl/protocol/json-text";
import { spanIdOf, traceIdOf } from "../api/words.ts";
import { version } from "../api/version.ts";
import type { EndedRun } from "../query/queries.ts";
import type { Span } from "../query/trace.ts";

const textCharsMax = 4_096;

/** All spans of a run, the root first. */
export function spansOf(ended: EndedRun, resource: Resource): readonly ReadableSpan[] {
  const spans: ReadableSpan[] = [];
  const walk = (span: Span): void => {
    spans.push(spanOf(ended, span, resource));
    span.children.forEach(walk);
  };
  walk(ended.root);
  return spans;
}

function spanOf(ended: EndedRun, span: Span, resource: Resource): ReadableSpan {
  const { runId } = span;
  const endedAt = Math.max(span.queuedAt, span.endedAt ?? ended.run.endedAt ?? span.queuedAt);
  const error = span.status === "failed" ? errorOf(ended, span) : null;
  // The parts of a failed step tell each their own error.
  const exceptions =
    error === null || (span.parentId !== null && span.children.length > 0) ? [] : [error];
  return {
    name: span.name,
    kind: kindOf(ended.run, span),
    spanContext: () => contextOf(runId, span.id),
    ...(span.parentId === null ? null : { parentSpanContext: contextOf(runId, span.parentId) }),
    startTime: hrTime(span.queuedAt),
    endTime: hrTime(endedAt),
    duration: hrTime(endedAt - span.queuedAt),
    ended: true,
    status:
      span.status === "failed"
        ? { code: SpanStatusCode.ERROR, ...(error === null ? null : { message: error.message }) }
        : { code: SpanStatusCode.UNSET },
    attributes: {
      ...attributesOf(ended, span),
      ...(error === null ? null : { "error.type": error.type }),
    },
    links: span.parentId === null ? linksOf(ended.run) : [],
    events: [
      ...(span.startedAt === null ? [] : [{ name: "started", time: hrTime(span.startedAt) }]),
      ...exceptions.map(({ type, message, stack }) => ({
        name: "exception",
        time: hrTime(endedAt),
        attributes: {
          "exception.type": type,
          "exception.message": message,
          ...(stack === null ? null : { "exception.stacktrace": stack }),
        },
      })),
    ],
    resource,
    instrumentationScope: { name: "pawl", version },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function contextOf(runId: string, spanId: string): SpanContext {
  return {
    traceId: traceIdOf(runId),
    spanId: spanIdOf(runId, spanId),
    traceFlags: TraceFlags.SAMPLED,
  };
}

/** A run is started by an event, a step is a call to the app. */
function kindOf({ parent }: RunRecord, span: Span): SpanKind {
  if (span.parentId === null) return parent === null ? SpanKind.CONSUMER : SpanKind.INTERNAL;
  return span.op === "run" && span.children.length === 0 ? SpanKind.CLIENT : SpanKind.INTERNAL;
}

function attributesOf({ run, fn, app }: EndedRun, span: Span): Attributes {
  const attributes: Attributes = { "pawl.run.id": run.id, "pawl.status": span.status };
  if (span.parentId !== null) {
    return {
      ...attributes,
      ...(span.stepId === null ? null : { "pawl.step.id": span.stepId }),
      ...(span.op === null ? null : { "pawl.step.op": span.op }),
      ...(span.stepType === null ? null : { "pawl.step.type": span.stepType }),
      "pawl.attempts": span.attempts,
    };
  }
  return {
    ...attributes,
    "pawl.function.id": fn?.slug ?? run.functionId,
    "pawl.function.version": run.functionVersion,
    "pawl.app.id": app?.name ?? run.appId,
    "pawl.event.name": run.eventName,
    "pawl.event.ids": [...run.eventIds],
    "pawl.attempts": span.attempts,
    ...(run.endReason === null ? null : { "pawl.end_reason": run.endReason }),
    ...(run.batchId === null ? null : { "pawl.batch.id": run.batchId }),
  };
}

/** Each run is a trace of its own: those that invoked it, and the one it repeats, are links. */
function linksOf({ parent, coParents, originalRunId }: RunRecord): Link[] {
  const invokers = parent === null ? coParents : [parent, ...coParents];
  return [
    ...invokers.map(({ runId, jobId }) => ({
      context: contextOf(runId, `step.${jobId}`),
      attributes: { "pawl.link": "invoked_by", "pawl.run.id": runId },
    })),
    ...(originalRunId === null
      ? []
      : [
          {
            context: contextOf(originalRunId, "run"),
            attributes: { "pawl.link": "repeats", "pawl.run.id": originalRunId },
          },
        ]),
  ];
}

interface Failure {
  readonly type: string;
  readonly message: string;
  readonly stack: string | null;
}

function errorOf({ outputOf }: EndedRun, span: Span): Failure | null {
  const output = span.outputId === null ? null : outputOf(span.outputId);
  return output === null || output.error === null ? null : failureOf(output.error);
}

function failureOf(error: JsonText): Failure {
  const value: unknown = fromJsonText(error);
  const members = new Map<string, unknown>(
    typeof value === "object" && value !== null ? Object.entries(value) : [],
  );
  const text = (name: string): string | null => {
    const found = members.get(name);
    return typeof found === "string" && found !== "" ? found.slice(0, textCharsMax) : null;
  };
  return {
    type: text("name") ?? "Error",
    message: text("message") ?? JSON.stringify(value).slice(0, textCharsMax),
    stack: text("stack"),
  };
}

function hrTime(ms: number): HrTime {
  return [Math.floor(ms / 1_000), Math.round((ms % 1_000) * 1e6)];
}
