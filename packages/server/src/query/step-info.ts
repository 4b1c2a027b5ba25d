// What a step that has ended had waited for, out of its options as the app sent them (protocol.md 2.5)
// and its memo; the job that knew it is gone. It must not know traces, nor how an API writes it.
import type { StepRecord } from "@pawl/engine/records";
import { parseMoment } from "@pawl/protocol/duration";
import { fromJsonText, jsonNull, type JsonText, type JsonValue } from "@pawl/protocol/json-text";
import { isJsonObject, type JsonObject } from "@pawl/protocol/object-reader";

/** How a wait ended. */
export interface WaitEnd {
  readonly timedOut: boolean;
  /** The event that came, by its id as apps see it; null: none, or another thing was waited for. */
  readonly eventId: string | null;
}

/** What a step that does not run user code waits for, and once it has ended waited for. */
export type SpanInfo = { readonly end?: WaitEnd } & WaitedFor;

type WaitedFor =
  | { readonly type: "sleep"; readonly until: number }
  | {
      readonly type: "waitForEvent";
      readonly event: string;
      readonly expression: string | null;
      readonly until: number;
    }
  | {
      /** The first of several events, or one of each. */
      readonly type: "waitForEvents";
      readonly branches: readonly {
        readonly name: string;
        readonly event: string;
        readonly expression: string | null;
        /** The event that came for it; null: none yet. */
        readonly eventId: string | null;
      }[];
      readonly until: number;
    }
  | { readonly type: "waitForSignal"; readonly signal: string; readonly until: number }
  | {
      readonly type: "invoke";
      readonly functionSlug: string;
      /** Null: not known any more. */
      readonly childRunId: string | null;
      readonly until: number;
    };

const nothing: JsonObject = {};

/** Null for steps that wait for nothing. */
export function infoOfStep(step: StepRecord): SpanInfo | null {
  const { op, memo, endedAt } = step;
  const opts = objectOf(step.opts);
  const until = untilOf(step, opts["timeout"]);
  const timedOut = memo === jsonNull;
  switch (op) {
    case "run":
    case "fetch":
    case "infer":
      return null;
    case "sleep":
      return { type: "sleep", until: endedAt };
    case "waitForEvent": {
      const found = objectOf(memo);
      const { event = found["name"], if: expression } = opts;
      return {
        type: "waitForEvent",
        event: textOf(event) ?? step.displayName,
        expression: textOf(expression),
        until,
        end: { timedOut, eventId: textOf(found["id"]) },
      };
    }
    case "waitForAny":
    case "waitForAll":
      return {
        type: "waitForEvents",
        branches: branchesOf(step),
        until,
        end: { timedOut, eventId: null },
      };
    case "waitForSignal":
      return {
        type: "waitForSignal",
        signal: textOf(opts["signal"]) ?? step.displayName,
        until,
        end: { timedOut, eventId: null },
      };
    case "invoke":
      return {
        type: "invoke",
        functionSlug: textOf(opts["function_id"]) ?? step.displayName,
        childRunId: null,
        until,
        end: { timedOut: step.status === "failed" && endedAt >= until, eventId: null },
      };
  }
}

/** When it would have given up. Without a timeout that can be read: when it ended. */
function untilOf({ queuedAt, endedAt }: StepRecord, timeout: unknown): number {
  const moment = typeof timeout === "string" ? parseMoment(timeout) : null;
  if (moment === null) return endedAt;
  return "at" in moment ? moment.at : queuedAt + moment.forMs;
}

type Branches = Extract<SpanInfo, { type: "waitForEvents" }>["branches"];

function branchesOf({ opts, memo }: StepRecord): Branches {
  const { events, received } = objectOf(opts);
  // Ids of what came before the time was over, or the events themselves.
  const ids = isJsonObject(received) ? received : nothing;
  const data = objectOf(memo)["data"];
  const came = isJsonObject(data) ? data : nothing;
  if (!Array.isArray(events)) return [];
  return events.map((branch: JsonValue) => {
    const { name, event, if: expression } = isJsonObject(branch) ? branch : nothing;
    const key = textOf(name) ?? "";
    const found = came[key];
    return {
      name: key,
      event: textOf(event) ?? key,
      expression: textOf(expression),
      eventId: textOf(ids[key]) ?? (isJsonObject(found) ? textOf(found["id"]) : null),
    };
  });
}

function objectOf(text: JsonText | null): JsonObject {
  const value = text === null ? null : fromJsonText(text);
  return isJsonObject(value) ? value : nothing;
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
