// The index entry of a wait as a row of `wait`.
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { WaitKey, WaitRecord } from "@pawl/engine/records";
import type { JsonText } from "@pawl/protocol/json-text";
import { numberOf, packHash, textOf, textOrNull, unpackUlid } from "../codec.ts";
import type { PackedId } from "../codec.ts";
import type { WordWriter } from "../words.ts";

/** The `path` of a wait without a key. No word has this number. */
export const noPath = 0;

/** Takes the values of `encodeWait`. */
export const waitInsert =
  "INSERT OR REPLACE INTO wait (event, path, hash, run, job, expires_at, expression, trigger)" +
  " VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

/** Columns in the order of `decodeWait`. */
export const waitColumns = "run, job, expires_at, expression, trigger";

/** The values of one row. */
export function encodeWait(run: PackedId, wait: WaitRecord, words: WordWriter): SQLInputValue[] {
  return [
    words.idOf(wait.event),
    wait.key === null ? noPath : words.idOf(wait.key.path),
    wait.key === null ? "" : packHash(wait.key.hash),
    run,
    wait.jobId,
    wait.expiresAt,
    wait.expression,
    wait.trigger,
  ];
}

/** The record of one row that was found under `event` and `key`. */
export function decodeWait(
  event: string,
  key: WaitKey | null,
  row: readonly SQLOutputValue[],
): WaitRecord {
  return {
    runId: unpackUlid(row[0]),
    jobId: textOf(row[1]),
    event,
    key,
    expiresAt: numberOf(row[2]),
    expression: textOrNull(row[3]),
    trigger: textOf(row[4]) as JsonText, // proof: written from a JsonText
  };
}
