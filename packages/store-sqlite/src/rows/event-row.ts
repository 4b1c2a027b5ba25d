// An event as a row of `event`, and its keys as the column beside it.
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { EventRecord, WaitKey } from "@pawl/engine/records";
import type { JsonText } from "@pawl/protocol/json-text";
import { recordBytes } from "@pawl/store/retained";
import { numberOf, packUlid, textOf, textOrNull, unpackUlid } from "../codec.ts";
import type { WordReader, WordWriter } from "../words.ts";

/** Columns in the order of `encodeEvent`. */
export const eventInsert =
  "INSERT OR IGNORE INTO event (id, name, received_at, ts, external_id, user, version, meta, keys, data)" +
  " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/** Columns in the order of `decodeEvent`. */
export const eventColumns =
  "e.id, e.name, e.received_at, e.ts, e.external_id, e.user, e.version, e.meta, e.data";

/** What the event `e` weighs for retention, in SQL and by its record. */
export const eventBytes = `${recordBytes} + octet_length(e.data) + ifnull(octet_length(e.user), 0) + ifnull(octet_length(e.meta), 0)`;
export function bytesOf({ data, user, meta }: EventRecord): number {
  return (
    recordBytes +
    Buffer.byteLength(data) +
    Buffer.byteLength(user ?? "") +
    Buffer.byteLength(meta ?? "")
  );
}

/** The values of one row. */
export function encodeEvent(
  event: EventRecord,
  keys: readonly WaitKey[],
  words: WordWriter,
): SQLInputValue[] {
  return [
    packUlid(event.id),
    words.idOf(event.name),
    event.receivedAt,
    event.ts,
    event.externalId,
    event.user,
    event.version,
    event.meta,
    encodeKeys(keys),
    event.data,
  ];
}

/** The record of one row. */
export function decodeEvent(row: readonly SQLOutputValue[], words: WordReader): EventRecord {
  return {
    id: unpackUlid(row[0]),
    name: words.text(numberOf(row[1])),
    receivedAt: numberOf(row[2]),
    ts: numberOf(row[3]),
    externalId: textOrNull(row[4]),
    user: textOrNull(row[5]) as JsonText | null, // proof: written from a JsonText
    version: textOrNull(row[6]),
    meta: textOrNull(row[7]) as JsonText | null, // proof: written from a JsonText
    data: textOf(row[8]) as JsonText, // proof: written from a JsonText
  };
}

function encodeKeys(keys: readonly WaitKey[]): string | null {
  return keys.length === 0 ? null : JSON.stringify(keys.flatMap((key) => [key.path, key.hash]));
}

/** The keys that an event was written with. */
export function decodeKeys(value: SQLOutputValue | undefined): readonly WaitKey[] {
  if (value === null) return [];
  const flat = JSON.parse(textOf(value)) as readonly string[]; // proof: written by encodeKeys
  const keys: WaitKey[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2)
    keys.push({ path: flat[i] ?? "", hash: flat[i + 1] ?? "" });
  return keys;
}
