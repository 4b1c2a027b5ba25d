// Reads what the server recorded for a step (protocol.md 2.2, VALUES.md). The shape depends on the
// kind of step: sleeps and waits are recorded bare, everything else in a one-key wrapper.
import type { JsonValue } from "@pawl/protocol/json-text";
import { decodeEvent } from "../events/decode-event.ts";
import { decodeValue } from "../values/decode.ts";
import type { TypeNotes } from "../values/tags.ts";
import { toStepError } from "../values/wire-error.ts";
import type { Memo, StepRequest } from "./step.ts";

/** The meaning of a recorded value for the step that asks for it. */
export function readMemo(request: StepRequest, recorded: JsonValue | undefined): Memo {
  if (recorded === undefined) return { kind: "none" };
  if (request.kind === "sleep") return { kind: "value", value: undefined };
  const wrapper = asWrapper(recorded);
  if (wrapper !== null && "error" in wrapper) {
    return { kind: "error", error: toStepError(request.id, wrapper["error"]) };
  }
  if (request.kind === "wait") return { kind: "value", value: readWait(recorded, wrapper) };
  if (request.kind === "waitMany") {
    return { kind: "value", value: readWaitMany(request.mode, wrapper?.["data"] ?? null) };
  }
  if (wrapper === null) return { kind: "value", value: decodeValue(recorded, null) };
  const input = wrapper["input"];
  if (input !== undefined) return { kind: "input", args: Array.isArray(input) ? input : [input] };
  const data = wrapper["data"] ?? null;
  if (request.kind === "gateway") return { kind: "value", value: request.revive(data) };
  return { kind: "value", value: decodeValue(data, notesOf(wrapper)) };
}

function readWait(recorded: JsonValue, wrapper: Wrapper | null): unknown {
  const event = wrapper === null ? recorded : (wrapper["data"] ?? null);
  return event === null ? null : decodeEvent(event);
}

/** `{name, event}`, or the events by their names. */
function readWaitMany(mode: "any" | "all", data: JsonValue): unknown {
  if (data === null || typeof data !== "object" || Array.isArray(data)) return null;
  const decoded = Object.entries(data).map(([key, value]) => {
    const isEvent = mode === "all" || key === "event";
    return [key, isEvent ? decodeEvent(value) : value] as const;
  });
  return Object.fromEntries(decoded);
}

type Wrapper = Readonly<Record<string, JsonValue>>;

/** An object with nothing but the keys of a wrapper; anything else is raw data of older servers. */
function asWrapper(recorded: JsonValue): Wrapper | null {
  if (recorded === null || typeof recorded !== "object" || Array.isArray(recorded)) return null;
  const keys = Object.keys(recorded).filter((key) => key !== "types");
  const [key] = keys;
  if (keys.length !== 1 || (key !== "data" && key !== "error" && key !== "input")) return null;
  return recorded as Wrapper; // proof: an object that is no array
}

function notesOf(wrapper: Wrapper): TypeNotes | null {
  const types = wrapper["types"];
  if (types === undefined || types === null || typeof types !== "object") return null;
  return types as TypeNotes; // proof: an object; readers ignore notes that are no text
}
