// A run as a row of `run`.
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { RunParent, RunRecord, RunSchedule, RunStatus } from "@pawl/engine/records";
import {
  numberOf,
  numberOrNull,
  packHash,
  packUlid,
  packUlids,
  textOrNull,
  unpackHash,
  unpackUlid,
  unpackUlids,
} from "../codec.ts";
import type { WordReader, WordWriter } from "../words.ts";

const statuses: readonly RunStatus[] = [
  "queued",
  "running",
  "completed",
  "failed",
  "cancelled",
  "skipped",
];

/** Null in rows of before it was asked: as the first. */
const parentEndings: readonly RunParent["onCancel"][] = ["abandon", "cancel", "gone"];

/** Statuses as the column holds them; the first `unfinishedStatuses` have not ended. */
export function statusNumber(status: RunStatus): number {
  return statuses.indexOf(status);
}

/** The status of a number. */
export function statusOf(number: number): RunStatus {
  return statuses[number] ?? "queued";
}

/** All numbers of statuses. */
export const statusNumbers: readonly number[] = statuses.map((_, number) => number);
/** Numbers of the statuses of runs that have not ended. */
export const unfinishedStatusNumbers: readonly number[] = [0, 1];

/** Columns in the order of `encodeRun`; of `decodeRun` too. */
export const runColumnNames: readonly string[] = [
  "id",
  "status",
  "function",
  "ended_at",
  "started_at",
  "app",
  "function_version",
  "event_ids",
  "event_name",
  "queued_at",
  "request_version",
  "force_plan",
  "generation",
  "idle_discoveries",
  "parent_run",
  "parent_job",
  "original_run",
  "end_reason",
  "gates",
  "holds",
  "priority_ms",
  "batch_id",
  "co_parents",
  "schedule",
  "parent_on_cancel",
];

/** The columns of a row, for a SELECT from `run AS r`. */
export const runColumns = runColumnNames.map((name) => `r.${name}`).join(", ");

/** The values of one row. */
export function encodeRun(run: RunRecord, words: WordWriter): SQLInputValue[] {
  return [
    packUlid(run.id),
    statusNumber(run.status),
    words.idOf(run.functionId),
    run.endedAt,
    run.startedAt,
    words.idOf(run.appId),
    run.functionVersion,
    packUlids(run.eventIds),
    words.idOf(run.eventName),
    run.queuedAt,
    run.requestVersion,
    run.forcePlan ? 1 : 0,
    run.generation,
    run.idleDiscoveries,
    run.parent === null ? null : packUlid(run.parent.runId),
    run.parent === null ? null : packHash(run.parent.jobId),
    run.originalRunId === null ? null : packUlid(run.originalRunId),
    run.endReason,
    listText(run.gates),
    listText(run.holds),
    run.priorityMs,
    run.batchId === null ? null : packUlid(run.batchId),
    listText(run.coParents),
    run.schedule === null ? null : JSON.stringify(run.schedule),
    run.parent === null ? null : parentEndings.indexOf(run.parent.onCancel),
  ];
}

/** The record of one row. */
export function decodeRun(row: readonly SQLOutputValue[], words: WordReader): RunRecord {
  return {
    id: unpackUlid(row[0]),
    status: statusOf(numberOf(row[1])),
    functionId: words.text(numberOf(row[2])),
    endedAt: numberOrNull(row[3]),
    startedAt: numberOrNull(row[4]),
    appId: words.text(numberOf(row[5])),
    functionVersion: numberOf(row[6]),
    eventIds: unpackUlids(row[7]),
    eventName: words.text(numberOf(row[8])),
    queuedAt: numberOf(row[9]),
    requestVersion: numberOf(row[10]),
    forcePlan: numberOf(row[11]) === 1,
    generation: numberOf(row[12]),
    idleDiscoveries: numberOf(row[13]),
    parent:
      row[14] === null
        ? null
        : {
            runId: unpackUlid(row[14]),
            jobId: unpackHash(row[15]),
            onCancel: parentEndings[numberOrNull(row[24]) ?? 0] ?? "abandon",
          },
    originalRunId: row[16] === null ? null : unpackUlid(row[16]),
    endReason: textOrNull(row[17]),
    gates: listOf(row[18]) as string[], // proof: written by listText
    holds: listOf(row[19]) as string[], // proof: written by listText
    priorityMs: numberOf(row[20]),
    batchId: row[21] === null ? null : unpackUlid(row[21]),
    coParents: listOf(row[22]) as RunParent[], // proof: written by listText
    schedule: scheduleOf(row[23]),
  };
}

function scheduleOf(value: SQLOutputValue | undefined): RunSchedule | null {
  const text = textOrNull(value);
  return text === null ? null : (JSON.parse(text) as RunSchedule); // proof: written from one
}

function listText(list: readonly unknown[]): string | null {
  return list.length === 0 ? null : JSON.stringify(list);
}

function listOf(value: SQLOutputValue | undefined): unknown {
  const text = textOrNull(value);
  return text === null ? [] : JSON.parse(text);
}

/** Behind a condition on the run ?1: what is left of a retired run is out of sight. */
export const isNotRetired = "AND NOT EXISTS (SELECT 1 FROM retired WHERE retired.run = ?1)";
