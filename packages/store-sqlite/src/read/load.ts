// Answers needs: short reads by key, the hot path. It must not know why something is needed.
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Found, Need, StoredRun } from "@pawl/engine/needs";
import type { EventRecord, WaitRecord } from "@pawl/engine/records";
import type { BulkRecord } from "@pawl/engine/bulk-records";
import type { ScheduleRecord } from "@pawl/engine/schedule-records";
import { expiredOf, firstOf } from "@pawl/store/retained";
import { numberOf, packHash, packUlid, textOf, unpackUlid } from "../codec.ts";
import type { PackedId } from "../codec.ts";
import { decodeDefer, defersOfRun } from "../rows/defer-row.ts";
import { decodeEvent, eventColumns } from "../rows/event-row.ts";
import { decodeGate, gateOfKey } from "../rows/gate-row.ts";
import { decodeJob, jobsOfRun } from "../rows/job-row.ts";
import { decodeMetadata, metadataOfRun } from "../rows/metadata-row.ts";
import { decodeRun, runColumns } from "../rows/run-row.ts";
import { decodeStep, stepsOfRun } from "../rows/step-row.ts";
import { decodeTally, userSpanSizes } from "../rows/user-span-row.ts";
import { decodeWait, noPath, waitColumns } from "../rows/wait-row.ts";
import type { WordReader } from "../words.ts";
import { RetainedReader } from "./retained.ts";
import { Rows } from "./rows.ts";

export class Loader {
  readonly #words: WordReader;
  readonly #begin: StatementSync;
  readonly #end: StatementSync;
  readonly #run: Rows;
  readonly #jobs: Rows;
  readonly #steps: Rows;
  readonly #metadata: Rows;
  readonly #defers: Rows;
  readonly #event: Rows;
  readonly #eventExists: Rows;
  readonly #mail: Rows;
  readonly #idempotency: Rows;
  readonly #waits: Rows;
  readonly #waitsAfter: Rows;
  readonly #pastByName: Rows;
  readonly #pastByKey: Rows;
  readonly #retained: RetainedReader;
  readonly #expiredKeys: Rows;
  readonly #gate: Rows;
  readonly #expiredRates: Rows;
  readonly #schedule: Rows;
  readonly #bulk: Rows;
  readonly #userSpanSizes: Rows;

  constructor(database: DatabaseSync, words: WordReader) {
    const rows = (sql: string): Rows => new Rows(database, sql);
    const waits = `SELECT ${waitColumns} FROM wait WHERE event = ? AND path = ? AND hash = ?`;
    this.#words = words;
    this.#begin = database.prepare("BEGIN");
    this.#end = database.prepare("COMMIT");
    this.#run = rows(`SELECT ${runColumns} FROM run AS r WHERE r.id = ?`);
    this.#jobs = rows(jobsOfRun);
    this.#steps = rows(stepsOfRun);
    this.#metadata = rows(metadataOfRun);
    this.#defers = rows(defersOfRun);
    this.#event = rows(`SELECT ${eventColumns} FROM event AS e WHERE e.id = ?`);
    this.#eventExists = rows("SELECT 1 FROM event WHERE id = ?");
    this.#mail = rows("SELECT 1 FROM mail WHERE id = ?");
    this.#idempotency = rows("SELECT run, expires_at FROM idempotency WHERE key = ?");
    this.#waits = rows(`${waits} ORDER BY run, job LIMIT ?`);
    this.#waitsAfter = rows(`${waits} AND (run, job) > (?, ?) ORDER BY run, job LIMIT ?`);
    this.#pastByName = rows(
      `SELECT ${eventColumns} FROM event AS e WHERE e.name = ? AND e.received_at BETWEEN ? AND ?` +
        " ORDER BY e.received_at, e.id LIMIT ?",
    );
    this.#pastByKey = rows(
      `SELECT ${eventColumns} FROM event_key AS k CROSS JOIN event AS e ON e.id = k.event` +
        " WHERE k.name = ? AND k.path = ? AND k.hash = ? AND k.received_at BETWEEN ? AND ?" +
        " ORDER BY k.received_at, k.event LIMIT ?",
    );
    this.#retained = new RetainedReader(database);
    this.#expiredKeys = rows(
      "SELECT key FROM idempotency WHERE expires_at <= ? ORDER BY expires_at, key LIMIT ?",
    );
    this.#gate = rows(gateOfKey);
    this.#schedule = rows("SELECT record FROM schedule WHERE id = ?");
    this.#bulk = rows("SELECT record FROM bulk WHERE id = ?");
    this.#userSpanSizes = rows(userSpanSizes);
    this.#expiredRates = rows("SELECT key FROM gate WHERE tat <= ? ORDER BY tat, key LIMIT ?");
  }

  /** Answers all needs from one state of the database. */
  load(needs: readonly Need[]): readonly Found[] {
    this.#begin.run();
    try {
      return needs.map((need) => this.#answer(need));
    } finally {
      this.#end.run();
    }
  }

  #answer(need: Need): Found {
    switch (need.kind) {
      case "run":
        return { need, run: this.#storedRun(need.runId) };
      case "metadata": {
        const rows = this.#metadata.all(packUlid(need.runId));
        return { need, metadata: rows.map((row) => decodeMetadata(need.runId, row)) };
      }
      case "event":
        return { need, exists: this.#eventExists.first(packUlid(need.eventId)) !== undefined };
      case "mail":
        return { need, lies: this.#mail.first(need.mailId) !== undefined };
      case "idempotency": {
        const row = this.#idempotency.first(need.key);
        if (row === undefined) return { need, runId: null, expiresAt: 0 };
        return { need, runId: unpackUlid(row[0]), expiresAt: numberOf(row[1]) };
      }
      case "waits":
        return { need, waits: this.#waitsUnder(need) };
      case "pastEvents":
        return { need, events: this.#pastEvents(need) };
      case "expired":
        return { need, ...this.#expired(need) };
      case "gate": {
        const row = this.#gate.first(need.key);
        return { need, gate: row === undefined ? null : decodeGate(need.key, row) };
      }
      case "schedule": {
        const row = this.#schedule.first(need.scheduleId);
        if (row === undefined) return { need, schedule: null };
        return { need, schedule: JSON.parse(textOf(row[0])) as ScheduleRecord }; // proof: written from one
      }
      case "bulk": {
        const row = this.#bulk.first(need.bulkId);
        if (row === undefined) return { need, bulk: null };
        return { need, bulk: JSON.parse(textOf(row[0])) as BulkRecord }; // proof: written from one
      }
      case "userSpans":
        return { need, tally: decodeTally(this.#userSpanSizes.all(packUlid(need.runId))) };
      case "expiredRates": {
        const rows = this.#expiredRates.all(need.at, need.limit);
        return { need, keys: rows.map((row) => textOf(row[0])) };
      }
      case "expiredKeys": {
        const rows = this.#expiredKeys.all(need.at, need.limit);
        return { need, keys: rows.map((row) => textOf(row[0])) };
      }
    }
  }

  #storedRun(runId: string): StoredRun | null {
    const id: PackedId = packUlid(runId);
    const row = this.#run.first(id);
    if (row === undefined) return null;
    const run = decodeRun(row, this.#words);
    const events: EventRecord[] = [];
    for (const eventId of run.eventIds) {
      const eventRow = this.#event.first(packUlid(eventId));
      if (eventRow !== undefined) events.push(decodeEvent(eventRow, this.#words));
    }
    return {
      run,
      jobs: this.#jobs.all(id).map((job) => decodeJob(runId, job)),
      steps: this.#steps.all(id).map(decodeStep),
      defers: this.#defers.all(id).map(decodeDefer),
      events,
    };
  }

  #waitsUnder(need: Extract<Need, { kind: "waits" }>): readonly WaitRecord[] {
    const { event, key, after, limit } = need;
    const name = this.#words.find(event);
    const path = key === null ? noPath : this.#words.find(key.path);
    if (name === null || path === null) return [];
    const hash = key === null ? "" : packHash(key.hash);
    const rows =
      after === null
        ? this.#waits.all(name, path, hash, limit)
        : this.#waitsAfter.all(name, path, hash, packUlid(after.runId), after.jobId, limit);
    return rows.map((row) => decodeWait(event, key, row));
  }

  #pastEvents(need: Extract<Need, { kind: "pastEvents" }>): readonly EventRecord[] {
    const { event, key, from, to, limit } = need;
    const name = this.#words.find(event);
    const path = key === null ? noPath : this.#words.find(key.path);
    if (name === null || path === null) return [];
    const rows =
      key === null
        ? this.#pastByName.all(name, from, to, limit)
        : this.#pastByKey.all(name, path, packHash(key.hash), from, to, limit);
    return rows.map((row) => decodeEvent(row, this.#words));
  }

  #expired({ bounds, limit, limitBytes }: Extract<Need, { kind: "expired" }>) {
    const step = { records: limit, bytes: limitBytes };
    const found = bounds.map((bound) => ({
      of: bound.of,
      ...firstOf(this.#retained.beyond(bound, limit), step),
    }));
    return expiredOf(found, this.#retained.firstRetired());
  }
}
