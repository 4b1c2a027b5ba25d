// A deferred function of a run as a row of `defer`. The payloads stand apart from the rest, so that
// they are written as they are.
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { DeferRecord } from "@pawl/engine/defer-records";
import type { JsonText } from "@pawl/protocol/json-text";
import { numberOf, packHash, textOf, textOrNull, unpackHash } from "../codec.ts";
import type { PackedId } from "../codec.ts";

const columns = "id, seq, record, input, meta";

/** Takes the values of `encodeDefer`. */
export const deferInsert = `INSERT OR REPLACE INTO defer (run, ${columns}) VALUES (?, ?, ?, ?, ?, ?)`;

/** Rows for `decodeDefer`, in order of arrival. */
export const defersOfRun = `SELECT ${columns} FROM defer WHERE run = ? ORDER BY seq`;

/** The values of one row. */
export function encodeDefer(run: PackedId, defer: DeferRecord): SQLInputValue[] {
  const { id, seq, input, meta, ...record } = defer;
  return [run, packHash(id), seq, JSON.stringify(record), input, meta];
}

/** The record of one row. */
export function decodeDefer(row: readonly SQLOutputValue[]): DeferRecord {
  // proof: written from one without these members
  const record = JSON.parse(textOf(row[2])) as Omit<DeferRecord, "id" | "seq" | "input" | "meta">;
  return {
    ...record,
    id: unpackHash(row[0]),
    seq: numberOf(row[1]),
    input: textOf(row[3]) as JsonText, // proof: written from a JsonText
    meta: textOrNull(row[4]) as JsonText | null, // proof: written from a JsonText
  };
}
