// Writes what is left of a batch for one run: its row, its parts, its links to events.
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { Job, RunRecord } from "@pawl/engine/records";
import { packHash, packUlid, unpackUlids } from "../codec.ts";
import type { PackedId } from "../codec.ts";
import { attemptInsert, encodeAttempt } from "../rows/attempt-row.ts";
import { deferInsert, encodeDefer } from "../rows/defer-row.ts";
import { encodeJob, encodeRequest, jobInsert, requestInsert } from "../rows/job-row.ts";
import {
  encodeMetadata,
  encodePlace,
  metadataDelete,
  metadataInsert,
} from "../rows/metadata-row.ts";
import { partTables } from "../rows/part-tables.ts";
import { encodeRun, runColumnNames } from "../rows/run-row.ts";
import { encodeStep, stepInsert } from "../rows/step-row.ts";
import { encodeWait, waitInsert } from "../rows/wait-row.ts";
import { encodeUserSpan, userSpanInsert } from "../rows/user-span-row.ts";
import type { WordWriter } from "../words.ts";
import type { RunWrites } from "./batch.ts";
import type { RetainedWriter } from "./retained-writer.ts";

/** Columns that no index has: they change without moving the run in any order. */
const hotColumnNames = runColumnNames.slice(6);
const listedColumnNames = runColumnNames.slice(1, 6);

function assignments(names: readonly string[], first: number): string {
  return names.map((name, i) => `${name} = ?${first + i}`).join(", ");
}

/** What an ended run is counted for; null while it goes on. */
const weightColumnNames = ["bytes", "records"];

/** What a run loses as soon as it goes; its parts may go later. */
const workTables = ["job", "wait"];

export class RunWriter {
  readonly #words: WordWriter;
  readonly #retained: RetainedWriter;
  readonly #insert: StatementSync;
  readonly #updateHot: StatementSync;
  readonly #updateAll: StatementSync;
  readonly #updateAny: StatementSync;
  readonly #eventIds: StatementSync;
  readonly #deleteRun: StatementSync;
  readonly #deleteWork: readonly StatementSync[];
  readonly #deleteParts: readonly StatementSync[];
  readonly #retire: StatementSync;
  readonly #link: StatementSync;
  readonly #unlink: StatementSync;
  readonly #putStep: StatementSync;
  readonly #putDefer: StatementSync;
  readonly #putOutput: StatementSync;
  readonly #putAttempt: StatementSync;
  readonly #putUserSpan: StatementSync;
  readonly #putJob: StatementSync;
  readonly #putRequest: StatementSync;
  readonly #deleteJob: StatementSync;
  readonly #putWait: StatementSync;
  readonly #deleteWait: StatementSync;
  readonly #putMetadata: StatementSync;
  readonly #deleteMetadata: StatementSync;

  constructor(database: DatabaseSync, words: WordWriter, retained: RetainedWriter) {
    const names = [...runColumnNames, ...weightColumnNames];
    this.#words = words;
    this.#retained = retained;
    this.#insert = database.prepare(
      `INSERT OR IGNORE INTO run (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
    );
    // The numbers of the parameters follow the order of `encodeRun`, and of the weight behind it.
    this.#updateHot = database.prepare(
      `UPDATE run SET ${assignments(hotColumnNames, 7)}` +
        " WHERE id = ?1 AND status = ?2 AND function = ?3 AND ended_at IS ?4" +
        " AND started_at IS ?5 AND app = ?6 AND event_ids = ?8",
    );
    const all = `${assignments(listedColumnNames, 2)}, ${assignments(hotColumnNames, 7)}, ${assignments(weightColumnNames, runColumnNames.length + 1)}`;
    this.#updateAll = database.prepare(
      `UPDATE run SET ${all} WHERE id = ?1 AND event_ids = ?8 AND bytes IS NULL`,
    );
    this.#updateAny = database.prepare(`UPDATE run SET ${all} WHERE id = ?1`);
    this.#eventIds = database.prepare("SELECT event_ids FROM run WHERE id = ?");
    this.#deleteRun = database.prepare("DELETE FROM run WHERE id = ?");
    const deleteFrom = (table: string) => database.prepare(`DELETE FROM ${table} WHERE run = ?`);
    this.#deleteWork = workTables.map(deleteFrom);
    this.#deleteParts = partTables.map(({ name }) => deleteFrom(name));
    this.#retire = database.prepare("INSERT OR IGNORE INTO retired (run) VALUES (?)");
    this.#link = database.prepare("INSERT OR IGNORE INTO run_event (event, run) VALUES (?, ?)");
    this.#unlink = database.prepare("DELETE FROM run_event WHERE event = ? AND run = ?");
    this.#putStep = database.prepare(stepInsert);
    this.#putDefer = database.prepare(deferInsert);
    this.#putOutput = database.prepare("INSERT OR REPLACE INTO output (run, output) VALUES (?, ?)");
    this.#putAttempt = database.prepare(attemptInsert);
    this.#putUserSpan = database.prepare(userSpanInsert);
    this.#putJob = database.prepare(jobInsert);
    this.#putRequest = database.prepare(requestInsert);
    this.#deleteJob = database.prepare("DELETE FROM job WHERE run = ? AND id = ?");
    this.#putWait = database.prepare(waitInsert);
    this.#deleteWait = database.prepare("DELETE FROM wait WHERE run = ? AND job = ?");
    this.#putMetadata = database.prepare(metadataInsert);
    this.#deleteMetadata = database.prepare(metadataDelete);
  }

  /** Writes all of it. Ids of events that gained or lost a run are added to `touched`. */
  write(runId: string, writes: RunWrites, touched: Set<string>): void {
    const id = packUlid(runId);
    if (writes.wiped !== "no") this.#wipe(id, writes.wiped, touched);
    if (writes.output !== null) this.#putOutput.run(id, writes.output);
    for (const step of writes.steps.values()) this.#putStep.run(...encodeStep(id, step));
    for (const defer of writes.defers.values()) this.#putDefer.run(...encodeDefer(id, defer));
    for (const attempt of writes.attempts.values())
      this.#putAttempt.run(...encodeAttempt(id, attempt));
    for (const span of writes.userSpans) this.#putUserSpan.run(...encodeUserSpan(id, span));
    for (const [jobId, job] of writes.jobs) {
      if (job !== null) this.#writeJob(id, job);
      else if (writes.wiped === "no") this.#deleteJob.run(id, packHash(jobId));
    }
    for (const [jobId, wait] of writes.waits) {
      if (wait !== null) this.#putWait.run(...encodeWait(id, wait, this.#words));
      else if (writes.wiped === "no") this.#deleteWait.run(id, jobId);
    }
    for (const { place, record } of writes.metadata.values()) {
      if (record !== null) this.#putMetadata.run(...encodeMetadata(id, record));
      else if (writes.wiped === "no") this.#deleteMetadata.run(...encodePlace(id, place));
    }
    // Last, because an ended run is weighed with its parts.
    if (writes.run !== null) this.#put(id, writes.run, touched);
    else if (writes.metadata.size > 0 || writes.userSpans.length > 0) this.#retained.weighAgain(id);
  }

  #writeJob(id: PackedId, job: Job): void {
    this.#putJob.run(...encodeJob(id, job));
    if (job.kind !== "call" || job.gateway === null) return;
    this.#putRequest.run(id, packHash(job.id), encodeRequest(job.gateway));
  }

  /** Writes the row, trying first what is likely: a new run, then one that just goes on, or ends. */
  #put(id: PackedId, run: RunRecord, touched: Set<string>): void {
    const row = encodeRun(run, this.#words);
    const weight = this.#retained.weigh(id, run);
    const weighed = [...row, weight?.bytes ?? null, weight?.records ?? null];
    const isProbablyNew = run.status === "queued";
    if (isProbablyNew && this.#insertNew(id, run, weighed, touched)) return;
    if (weight === null && this.#updateHot.run(...row).changes === 1) return;
    if (this.#updateAll.run(...weighed).changes === 1) return;
    if (!isProbablyNew && this.#insertNew(id, run, weighed, touched)) return;
    this.#retained.runLeaves(id);
    this.#relink(id, run, touched);
    this.#updateAny.run(...weighed);
  }

  /** A run that has not begun may take more events, or others. */
  #relink(id: PackedId, run: RunRecord, touched: Set<string>): void {
    const before = new Set(unpackUlids(this.#eventIds.get(id)?.["event_ids"]));
    const after = new Set(run.eventIds);
    for (const eventId of new Set([...before, ...after])) {
      if (before.has(eventId) && after.has(eventId)) continue;
      (after.has(eventId) ? this.#link : this.#unlink).run(packUlid(eventId), id);
      touched.add(eventId);
    }
  }

  #insertNew(id: PackedId, run: RunRecord, values: SQLInputValue[], touched: Set<string>): boolean {
    if (this.#insert.run(...values).changes === 0) return false;
    for (const eventId of run.eventIds) {
      this.#link.run(packUlid(eventId), id);
      touched.add(eventId);
    }
    return true;
  }

  #wipe(id: PackedId, what: "whole" | "retired", touched: Set<string>): void {
    this.#retained.runLeaves(id);
    this.#unlinkAll(id, touched);
    this.#deleteRun.run(id);
    for (const statement of this.#deleteWork) statement.run(id);
    if (what === "retired") this.#retire.run(id);
    else for (const statement of this.#deleteParts) statement.run(id);
  }

  #unlinkAll(id: PackedId, touched: Set<string>): void {
    const row = this.#eventIds.get(id);
    if (row === undefined) return;
    for (const eventId of unpackUlids(row["event_ids"])) {
      this.#unlink.run(packUlid(eventId), id);
      touched.add(eventId);
    }
  }
}
