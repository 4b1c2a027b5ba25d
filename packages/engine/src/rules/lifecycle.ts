// The events with which Pawl tells what became of a run (protocol.md 4, "Internal events").
import { writeEvent } from "@pawl/protocol/event-wire";
import { toJsonText, type JsonText } from "@pawl/protocol/json-text";
import type { EventRecord } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { unwrap, wrap } from "./memo.ts";

/** The event of an invocation (protocol.md 5.4). */
export const invokedEvent = "inngest/function.invoked";
export const finishedEvent = "inngest/function.finished";
export const failedEvent = "inngest/function.failed";
export const cancelledEvent = "inngest/function.cancelled";

/** Runs that one of these started publish nothing at their end: no loops (protocol.md 4). */
const endEvents: ReadonlySet<string> = new Set([finishedEvent, failedEvent]);

export type Ending = "completed" | "failed" | "cancelled";

/** Publishes the end of a run. What a cancel started tells of its own failure, but of no further cancel. */
export function publishEnd(run: RunDraft, ending: Ending, output: JsonText): void {
  const { eventName } = run.run;
  if (endEvents.has(eventName)) return;
  const names: string[] = [];
  if (ending === "failed") names.push(failedEvent);
  if (ending === "cancelled" && eventName !== cancelledEvent) names.push(cancelledEvent);
  // Every run finishes, so that event is written only where somebody listens to it.
  if (hasListeners(run, finishedEvent)) names.push(finishedEvent);
  if (names.length === 0) return;
  const data = endData(run, ending, output);
  run.draft.send({
    type: "events.received",
    events: names.map((name) => lifecycleEvent(run, name, data)),
    resendable: false,
  });
}

function hasListeners(run: RunDraft, name: string): boolean {
  const { state } = run.draft;
  return state.triggeredBy(name).length > 0 || state.waitPaths(name).size > 0;
}

function lifecycleEvent(run: RunDraft, name: string, data: JsonText): EventRecord {
  const { at, random } = run.draft;
  return {
    id: random.ulid(at),
    name,
    // protocol.md 4: `function.failed` and `.cancelled` carry the id of their run.
    externalId: name === finishedEvent ? null : run.id,
    ts: at,
    receivedAt: at,
    data,
    user: null,
    version: null,
    meta: null,
  };
}

const statusNames = { completed: "Completed", failed: "Failed", cancelled: "Cancelled" } as const;

function endData(run: RunDraft, ending: Ending, output: JsonText): JsonText {
  const fn = run.draft.state.functionById(run.run.functionId);
  const events = run.events.map(writeEvent);
  const members = [
    `"function_id":${toJsonText(fn?.slug ?? run.run.functionId)}`,
    `"run_id":${toJsonText(run.id)}`,
    `"event":${events[0] ?? "null"}`,
    `"events":[${events.join(",")}]`,
    ending === "completed"
      ? `"result":${unwrap(output, "data")}`
      : `"error":${unwrap(output, "error")}`,
    `"_inngest":{"status":"${statusNames[ending]}"}`,
  ];
  const { parent } = run.run;
  if (parent !== null) {
    members.push(`"correlation_id":${toJsonText(`${parent.runId}.${parent.jobId}`)}`);
  }
  return `{${members.join(",")}}` as JsonText; // proof: JSON values under fixed, distinct names
}

/** `data` of an event with what only the server says in it; payloads that are no object are wrapped. */
export function withInternal(data: JsonText, internal: JsonText): JsonText {
  const open = data.trim();
  if (!open.startsWith("{")) return wrap("data", data);
  const empty = open.slice(1, -1).trim() === "";
  // proof: an object's text with one more member in front of its closing brace
  return `${open.slice(0, -1)}${empty ? "" : ","}"_inngest":${internal}}` as JsonText;
}
