// A failed attempt as a row of `attempt`.
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { AttemptRecord } from "@pawl/engine/records";
import type { JsonText } from "@pawl/protocol/json-text";
import { numberOf, numberOrNull, textOf } from "../codec.ts";
import type { PackedId } from "../codec.ts";
import { isNotRetired } from "./run-row.ts";

const columns = "started_at, step, attempt, display_name, ended_at, error, retry_at";

/** Takes the values of `encodeAttempt`. */
export const attemptInsert = `INSERT OR REPLACE INTO attempt (run, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;

/** Rows for `decodeAttempt`, oldest first. */
export const attemptsOfRun = `SELECT ${columns} FROM attempt WHERE run = ?1 ${isNotRetired} ORDER BY started_at, step, attempt`;

/** The values of one row. */
export function encodeAttempt(run: PackedId, attempt: AttemptRecord): SQLInputValue[] {
  return [
    run,
    attempt.startedAt,
    attempt.stepId,
    attempt.attempt,
    attempt.displayName,
    attempt.endedAt,
    attempt.error,
    attempt.retryAt,
  ];
}

/** The record of one row. */
export function decodeAttempt(runId: string, row: readonly SQLOutputValue[]): AttemptRecord {
  return {
    runId,
    startedAt: numberOf(row[0]),
    stepId: textOf(row[1]),
    attempt: numberOf(row[2]),
    displayName: textOf(row[3]),
    endedAt: numberOf(row[4]),
    error: textOf(row[5]) as JsonText, // proof: written from a JsonText
    retryAt: numberOrNull(row[6]),
  };
}
