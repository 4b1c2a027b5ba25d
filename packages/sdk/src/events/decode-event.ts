// Events from the wire to the form that user code sees: values that the sender's JSON lost are
// restored from `meta.types` (VALUES.md). It knows no schemas.
import type { JsonValue } from "@pawl/protocol/json-text";
import { decodeValue } from "../values/decode.ts";
import type { TypeNotes } from "../values/tags.ts";

type Members = Readonly<Record<string, JsonValue>>;

function membersOf(value: JsonValue | undefined): Members | null {
  if (value === undefined || value === null || typeof value !== "object") return null;
  return Array.isArray(value) ? null : (value as Members); // proof: an object that is no array
}

/** The event with its data restored; other values are copied as they are. */
export function decodeEvent(event: JsonValue): unknown {
  const members = membersOf(event);
  if (members === null) return decodeValue(event, null);
  const { data, meta, ...rest } = members;
  const { types, ...otherMeta } = membersOf(meta) ?? {};
  const notes = membersOf(types) as TypeNotes | null; // proof: readers ignore notes that are no text
  return {
    ...rest,
    data: decodeValue(data ?? {}, notes),
    ...(Object.keys(otherMeta).length === 0 ? {} : { meta: otherMeta }),
  };
}

/** The same for an event that tells of another one (`inngest/function.failed`). */
export function decodeReport(event: JsonValue): unknown {
  const members = membersOf(event);
  const data = membersOf(members?.["data"]);
  if (members === null || data === null) return decodeEvent(event);
  const original = data["event"];
  const decoded = decodeEvent({ ...members, data: { ...data, event: null } });
  const report = decoded as { data: Record<string, unknown> }; // proof: decodeEvent keeps members
  if (original !== undefined) report.data["event"] = decodeEvent(original);
  else delete report.data["event"];
  return report;
}
