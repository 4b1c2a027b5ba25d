// Reads the request with which the server calls a function (protocol.md 2.1).
import { headerGenerationId, headerRequestId } from "@pawl/protocol/headers";
import type { JsonValue } from "@pawl/protocol/json-text";
import type { Connection } from "../client/connection.ts";
import { PawlError } from "../errors.ts";
import type { ServeRequest } from "./messages.ts";
import { fetchRunPart } from "./server-api.ts";

/** A call, ready to be conducted. */
export interface CallRequest {
  readonly runId: string;
  /** Null from servers that do not want checkpoints. */
  readonly functionUuid: string | null;
  readonly qiId: string | null;
  /** The dispatch id. */
  readonly requestId: string | null;
  readonly generation: number | null;
  /** Hashed id of the one step to run; null for a discovery. */
  readonly target: string | null;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly immediate: boolean;
  /** As on the wire, at least one. */
  readonly events: readonly JsonValue[];
  readonly memos: ReadonlyMap<string, JsonValue>;
  readonly order: readonly string[];
}

type Members = Readonly<Record<string, JsonValue>>;

/** Servers that do not tell how many attempts there are mean their default of three retries. */
const maxAttemptsDefault = 4;

/**
 * Throws `call_invalid` when the body breaks the protocol, `server_*` when events or steps have to
 * be fetched and cannot be.
 */
export async function readCall(
  connection: Connection,
  request: ServeRequest,
): Promise<CallRequest> {
  const body = members(parse(request.body));
  const context = members(body?.["ctx"]);
  const runId = context?.["run_id"];
  if (body === null || context === null || typeof runId !== "string" || runId === "") {
    throw new PawlError("call_invalid", "The body of the call has no ctx.run_id.");
  }
  const useApi = context["use_api"] === true || body["use_api"] === true;
  const events = useApi ? await fetchRunPart(connection, runId, "batch") : body["events"];
  const steps = useApi ? await fetchRunPart(connection, runId, "actions") : body["steps"];
  return {
    runId,
    functionUuid: text(context["fn_id"]),
    qiId: text(context["qi_id"]),
    requestId: request.header(headerRequestId) ?? text(context["request_id"]),
    generation: count(request.header(headerGenerationId)),
    target: targetOf(request, context),
    attempt: count(context["attempt"]) ?? 0,
    maxAttempts: count(context["max_attempts"]) ?? maxAttemptsDefault,
    immediate: context["disable_immediate_execution"] !== true,
    events: eventsOf(events, body["event"]),
    memos: new Map(Object.entries(members(steps) ?? {})),
    order: orderOf(context),
  };
}

function parse(body: string): JsonValue {
  try {
    return JSON.parse(body) as JsonValue; // proof: JSON.parse yields JSON values
  } catch {
    throw new PawlError("call_invalid", "The body of the call is not JSON.");
  }
}

function members(value: JsonValue | undefined): Members | null {
  if (value === undefined || value === null || typeof value !== "object") return null;
  return Array.isArray(value) ? null : (value as Members); // proof: an object that is no array
}

function text(value: JsonValue | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function count(value: JsonValue | undefined): number | null {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number >= 0 ? number : null;
}

function targetOf(request: ServeRequest, context: Members): string | null {
  const query = new URL(request.url).searchParams.get("stepId");
  const target = query ?? text(context["step_id"]);
  return target === "step" || target === "" ? null : target;
}

function eventsOf(events: JsonValue | undefined, first: JsonValue | undefined): JsonValue[] {
  if (Array.isArray(events) && events.length > 0) return [...(events as readonly JsonValue[])]; // proof: by isArray
  if (members(first) === null) throw new PawlError("call_invalid", "The call has no event.");
  return first === undefined ? [] : [first];
}

function orderOf(context: Members): string[] {
  const stack = members(context["stack"])?.["stack"];
  return Array.isArray(stack) ? stack.filter((id) => typeof id === "string") : [];
}
