// A finished step as a row of `step`.
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { StepOp, StepRecord } from "@pawl/engine/records";
import type { JsonText } from "@pawl/protocol/json-text";
import { numberOf, packHash, textOf, textOrNull, unpackHash } from "../codec.ts";
import type { PackedId } from "../codec.ts";

const ops: readonly StepOp[] = [
  "run",
  "sleep",
  "waitForEvent",
  "invoke",
  "waitForAny",
  "waitForAll",
  "waitForSignal",
  "fetch",
  "infer",
];

const columns =
  "id, seq, op, display_name, user_id, user_index, step_type, failed, attempts," +
  " queued_at, started_at, ended_at, opts, memo";

/** Takes the values of `encodeStep`. */
export const stepInsert = `INSERT OR REPLACE INTO step (run, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Rows for `decodeStep`, in order of completion. */
export const stepsOfRun = `SELECT ${columns} FROM step WHERE run = ? ORDER BY seq`;

/** The values of one row. */
export function encodeStep(run: PackedId, step: StepRecord): SQLInputValue[] {
  return [
    run,
    packHash(step.id),
    step.seq,
    ops.indexOf(step.op),
    step.displayName,
    step.userId,
    step.userIndex,
    step.stepType,
    step.status === "failed" ? 1 : 0,
    step.attempts,
    step.queuedAt,
    step.startedAt,
    step.endedAt,
    step.opts,
    step.memo,
  ];
}

/** The record of one row. */
export function decodeStep(row: readonly SQLOutputValue[]): StepRecord {
  return {
    id: unpackHash(row[0]),
    seq: numberOf(row[1]),
    op: ops[numberOf(row[2])] ?? "run",
    displayName: textOf(row[3]),
    userId: textOrNull(row[4]),
    userIndex: numberOf(row[5]),
    stepType: textOrNull(row[6]),
    status: numberOf(row[7]) === 1 ? "failed" : "completed",
    attempts: numberOf(row[8]),
    queuedAt: numberOf(row[9]),
    startedAt: numberOf(row[10]),
    endedAt: numberOf(row[11]),
    opts: textOrNull(row[12]) as JsonText | null, // proof: written from a JsonText
    memo: textOf(row[13]) as JsonText, // proof: written from a JsonText
  };
}
