// Looks inside an event: the value that expressions see. Parsed at most once per record.
import { fromJsonText, type JsonValue } from "@pawl/protocol/json-text";
import type { EventRecord } from "./records.ts";

const parsed = new WeakMap<EventRecord, JsonValue>();

/** The event as expressions know it: `name`, `data`, `user`, `ts`, `id`, `v`. */
export function eventValue(event: EventRecord): JsonValue {
  const known = parsed.get(event);
  if (known !== undefined) return known;
  const value: JsonValue = {
    id: event.externalId ?? event.id,
    name: event.name,
    data: fromJsonText(event.data),
    user: event.user === null ? {} : fromJsonText(event.user),
    ts: event.ts,
    ...(event.version === null ? {} : { v: event.version }),
  };
  parsed.set(event, value);
  return value;
}
