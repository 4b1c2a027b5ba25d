// A span of user code as a row of `user_span`.
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import { userSpanHead, type UserSpan, type UserSpanTally } from "@pawl/engine/user-spans";
import type { JsonText } from "@pawl/protocol/json-text";
import { numberOf, packHash, textOf, unpackHash } from "../codec.ts";
import type { PackedId } from "../codec.ts";
import { isNotRetired } from "./run-row.ts";

/** Takes the values of `encodeUserSpan`. */
export const userSpanInsert =
  "INSERT OR IGNORE INTO user_span (run, id, started_us, head, details) VALUES (?, ?, ?, ?, ?)";

/** Rows for `decodeUserSpan`, those that began first ahead. */
export const userSpansOfRun = `SELECT head, details FROM user_span WHERE run = ?1 ${isNotRetired} ORDER BY started_us, id`;

/** Rows for `decodeTally`. */
export const userSpanSizes = `SELECT id, octet_length(head) + octet_length(details) FROM user_span WHERE run = ?1 ${isNotRetired}`;

/** The values of one row. */
export function encodeUserSpan(run: PackedId, span: UserSpan): SQLInputValue[] {
  return [run, packHash(span.id), span.startedUs, userSpanHead(span), span.details];
}

/** The record of one row. */
export function decodeUserSpan(row: readonly SQLOutputValue[]): UserSpan {
  const head = JSON.parse(textOf(row[0])) as Omit<UserSpan, "details">; // proof: written from one
  return { ...head, details: textOf(row[1]) as JsonText }; // proof: written from a JsonText
}

/** What the rows of a run come to. */
export function decodeTally(rows: readonly (readonly SQLOutputValue[])[]): UserSpanTally {
  let bytes = 0;
  const ids = new Set<string>();
  for (const row of rows) {
    ids.add(unpackHash(row[0]));
    bytes += numberOf(row[1]);
  }
  return { ids, bytes };
}
