// Spans and their outputs as GraphQL objects.
import type { MetadataRecord } from "@pawl/engine/metadata-records";
import { fromJsonText, type JsonText } from "@pawl/protocol/json-text";
import { isJsonObject } from "@pawl/protocol/object-reader";
import type { SpanOutput } from "../../query/outputs.ts";
import type { Span } from "../../query/trace.ts";
import { userlandSpan } from "../user-span-json.ts";
import { spanIdOf, spanStatusWords, stepOpWords, timeOrNull, traceIdOf } from "../words.ts";

/** What all spans of a run share. */
export interface SpanOwner {
  readonly appId: string;
  readonly functionId: string;
  readonly run: () => Promise<object | null>;
}

/** The `RunTraceSpan` of a span and all below it. */
export function spanObject(span: Span, owner: SpanOwner): object {
  const { runId, startedAt, endedAt } = span;
  const stepOp = span.op === null ? null : stepOpWords[span.op];
  return {
    appID: owner.appId,
    functionID: owner.functionId,
    runID: runId,
    run: owner.run,
    spanID: spanIdOf(runId, span.id),
    traceID: traceIdOf(runId),
    parentSpanID: span.parentId === null ? null : spanIdOf(runId, span.parentId),
    name: span.name,
    status: spanStatusWords[span.status],
    attempts: span.attempts,
    duration: startedAt === null || endedAt === null ? null : endedAt - startedAt,
    outputID: span.outputId,
    queuedAt: timeOrNull(span.queuedAt),
    startedAt: timeOrNull(startedAt),
    endedAt: timeOrNull(endedAt),
    childrenSpans: () => span.children.map((child) => spanObject(child, owner)),
    stepOp,
    stepType: span.stepType ?? stepOp ?? "",
    stepID: span.stepId,
    stepInfo: infoObject(span),
    isRoot: span.parentId === null,
    isUserland: span.user !== null,
    userlandSpan: () => userlandSpan(span.user),
    metadata: span.metadata.map(metadataObject),
    debugRunID: null,
    debugSessionID: null,
    debugPaused: false,
  };
}

/** The `SpanMetadata` of an entry; values are what they are, not texts (protocol.md 5.8). */
function metadataObject({ scope, kind, values, updatedAt }: MetadataRecord): object {
  return { scope, kind, values: fromJsonText(values), updatedAt: timeOrNull(updatedAt) };
}

function infoObject({ info, op, stepType }: Span): object | null {
  switch (info?.type) {
    case undefined:
      return op === "run" || op === "fetch" || op === "infer"
        ? { __typename: "RunStepInfo", type: stepType }
        : null;
    case "sleep":
      return { __typename: "SleepStepInfo", sleepUntil: timeOrNull(info.until) };
    case "waitForEvent":
      return {
        __typename: "WaitForEventStepInfo",
        eventName: info.event,
        expression: info.expression,
        timeout: timeOrNull(info.until),
        foundEventID: info.end?.eventId ?? null,
        timedOut: info.end?.timedOut ?? null,
      };
    case "waitForEvents":
      return {
        __typename: "WaitForEventStepInfo",
        eventName: info.branches.map(({ event }) => event).join(", "),
        expression: null,
        timeout: timeOrNull(info.until),
        foundEventID: info.end?.eventId ?? null,
        timedOut: info.end?.timedOut ?? null,
      };
    case "waitForSignal":
      return {
        __typename: "WaitForSignalStepInfo",
        signal: info.signal,
        timeout: timeOrNull(info.until),
        timedOut: info.end?.timedOut ?? null,
      };
    case "invoke":
      return {
        __typename: "InvokeStepInfo",
        triggeringEventID: null,
        functionID: info.functionSlug,
        timeout: timeOrNull(info.until),
        returnEventID: null,
        runID: info.childRunId,
        timedOut: info.end?.timedOut ?? null,
      };
  }
}

/** The `RunTraceSpanOutput` of an output. */
export function outputObject({ input, data, error }: SpanOutput): object {
  return { input, data, error: error === null ? null : errorObject(error) };
}

/** Errors of apps may be any JSON: what has no message is shown whole as one. */
function errorObject(text: JsonText): object {
  const error = fromJsonText(text);
  if (!isJsonObject(error)) {
    return {
      message: typeof error === "string" ? error : text,
      name: null,
      stack: null,
      cause: null,
    };
  }
  const { message, name, stack, cause } = error;
  return {
    message: typeof message === "string" ? message : text,
    name: typeof name === "string" ? name : null,
    stack: typeof stack === "string" ? stack : null,
    cause: cause ?? null,
  };
}
