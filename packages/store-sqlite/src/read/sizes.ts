// How much there is of everything, for people: reads the whole file where it must.
import { statSync } from "node:fs";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { EndedStatus, RunStatus } from "@pawl/engine/records";
import { recordBytes } from "@pawl/store/retained";
import type { KindSize, Sizes } from "@pawl/store/store";
import { numberOf, numberOrNull, textOf } from "../codec.ts";
import { statusNumber } from "../rows/run-row.ts";
import { RetainedReader } from "./retained.ts";
import { Rows } from "./rows.ts";
import { partTables } from "../rows/part-tables.ts";
import type { Row } from "./rows.ts";

/** Names that are reported, and the tables they count. */
const tableOf: Readonly<Record<string, string>> = {
  apps: "app",
  events: "event",
  runs: "run",
  outputs: "output",
  steps: "step",
  defers: "defer",
  attempts: "attempt",
  metadata: "metadata",
  userSpans: "user_span",
  jobs: "job",
  waits: "wait",
  waitPaths: "wait_path",
  idempotency: "idempotency",
  gates: "gate",
  schedules: "schedule",
  bulks: "bulk",
  mail: "mail",
};

/** `path` is that of the database file. */
export function readSizes(database: DatabaseSync, path: string): Sizes {
  const rows = (sql: string, ...values: SQLInputValue[]): readonly Row[] =>
    new Rows(database, sql).all(...values);
  const number = (sql: string, ...values: SQLInputValue[]): number =>
    numberOf(rows(sql, ...values)[0]?.[0]);
  const tables = Object.entries(tableOf).map(
    ([name, table]) => [name, number(`SELECT count(*) FROM ${table}`)] as const,
  );
  const logBytes = fileBytes(`${path}-wal`);
  return {
    tables: Object.fromEntries(tables),
    tableBytes: tableBytes(rows),
    kinds: kindSizes(database, rows),
    bytes: fileBytes(path) + logBytes,
    logBytes,
    freeBytes: number("PRAGMA freelist_count") * number("PRAGMA page_size"),
  };
}

type Ask = (sql: string, ...values: SQLInputValue[]) => readonly Row[];

/** By name as in `tables`; what is no table of records goes under `other`. */
function tableBytes(rows: Ask): Readonly<Record<string, number>> {
  const nameOf = new Map(Object.entries(tableOf).map(([name, table]) => [table, name]));
  const bytes: Record<string, number> = {};
  const found = rows(
    "SELECT s.tbl_name, sum(d.pgsize) FROM dbstat AS d LEFT JOIN sqlite_schema AS s ON s.name = d.name" +
      " WHERE d.aggregate = TRUE GROUP BY s.tbl_name",
  );
  for (const [table, size] of found) {
    const text = table === null || table === undefined ? "" : textOf(table);
    const name = nameOf.get(text.replace(/_(key|free)$/, "")) ?? "other";
    bytes[name] = (bytes[name] ?? 0) + numberOf(size);
  }
  return bytes;
}

function kindSizes(database: DatabaseSync, rows: Ask): Sizes["kinds"] {
  const retained = new RetainedReader(database);
  const oldest = (sql: string, ...values: SQLInputValue[]): number | null =>
    numberOrNull(rows(sql, ...values)[0]?.[0] ?? null);
  const ended = (status: EndedStatus): KindSize => ({
    ...retained.usage(status),
    oldest: oldest(
      "SELECT min(ended_at) FROM run INDEXED BY run_by_age WHERE status = ? AND bytes IS NOT NULL",
      statusNumber(status),
    ),
  });
  const living = (status: RunStatus): KindSize => {
    const number = statusNumber(status);
    const [row] = rows(livingSize, number);
    return {
      count: numberOf(row?.[0]),
      bytes: numberOf(row?.[1]),
      oldest: oldest(
        "SELECT queued_at FROM run INDEXED BY run_by_status WHERE status = ? ORDER BY id LIMIT 1",
        number,
      ),
    };
  };
  return {
    queued: living("queued"),
    running: living("running"),
    completed: ended("completed"),
    failed: ended("failed"),
    cancelled: ended("cancelled"),
    skipped: ended("skipped"),
    events: { ...retained.usage("events"), oldest: oldest("SELECT min(received_at) FROM event") },
  };
}

const partSizes = partTables.map(
  ({ name, payload }) =>
    `(SELECT ifnull(sum(${recordBytes} + ${payload}), 0) FROM ${name} WHERE run = r.id)`,
);

const livingSize = `SELECT count(*), ifnull(sum(${[recordBytes, ...partSizes].join(" + ")}), 0)
  FROM run AS r INDEXED BY run_by_status WHERE r.status = ?`;

function fileBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
