// Keeps the counts that retention goes by: what ended runs and events weigh, as differences of one
// commit that are written at its end. It must not know what retention does with them.
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { RetainedKind, RunRecord } from "@pawl/engine/records";
import { kindOfRun, recordBytes } from "@pawl/store/retained";
import { numberOf, numberOrNull } from "../codec.ts";
import type { PackedId } from "../codec.ts";
import { partTables, type PartTable } from "../rows/part-tables.ts";
import { statusOf } from "../rows/run-row.ts";

/** Of a run: bytes, and records that go with it, itself included. */
export interface Weight {
  readonly bytes: number;
  readonly records: number;
}

interface Difference {
  count: number;
  bytes: number;
}

export class RetainedWriter {
  readonly #found: StatementSync;
  readonly #measure: StatementSync;
  readonly #setWeight: StatementSync;
  readonly #add: StatementSync;
  readonly #differences = new Map<RetainedKind, Difference>();

  constructor(database: DatabaseSync) {
    this.#found = database.prepare("SELECT status, bytes FROM run WHERE id = ?");
    const ofTable = ({ name, payload }: PartTable) =>
      `SELECT count(*) AS records, sum(${payload}) AS payload FROM ${name} WHERE run = ?1`;
    this.#measure = database.prepare(
      `SELECT sum(records) AS records, sum(payload) AS payload FROM (${partTables.map(ofTable).join(" UNION ALL ")})`,
    );
    this.#setWeight = database.prepare("UPDATE run SET bytes = ?2, records = ?3 WHERE id = ?1");
    this.#add = database.prepare(
      "UPDATE retained SET count = count + ?2, bytes = bytes + ?3 WHERE kind = ?1",
    );
  }

  /** One more of a kind. */
  came(kind: RetainedKind, bytes: number): void {
    this.#change(kind, 1, bytes);
  }

  /** One less of a kind. */
  left(kind: RetainedKind, bytes: number): void {
    this.#change(kind, -1, -bytes);
  }

  /** To be called before a row that may weigh something is replaced or goes; returns what it counted as. */
  runLeaves(id: PackedId): RetainedKind | null {
    const row = this.#found.get(id);
    const bytes = numberOrNull(row?.["bytes"] ?? null);
    const kind = bytes === null ? null : kindOfRun(statusOf(numberOf(row?.["status"])), 0);
    if (kind !== null && bytes !== null) this.left(kind, bytes);
    return kind;
  }

  /** To be called when an ended run has got other parts without being written itself. */
  weighAgain(id: PackedId): void {
    const kind = this.runLeaves(id);
    if (kind === null) return;
    const { bytes, records } = this.#weight(id);
    this.came(kind, bytes);
    this.#setWeight.run(id, bytes, records);
  }

  /** What a run whose parts are written comes to weigh, which is counted; null for one that goes on. */
  weigh(id: PackedId, { status, endedAt }: RunRecord): Weight | null {
    const kind = kindOfRun(status, endedAt);
    if (kind === null) return null;
    const weight = this.#weight(id);
    this.came(kind, weight.bytes);
    return weight;
  }

  #weight(id: PackedId): Weight {
    const row = this.#measure.get(id);
    const records = 1 + numberOf(row?.["records"]);
    const bytes = records * recordBytes + (numberOrNull(row?.["payload"] ?? null) ?? 0);
    return { bytes, records };
  }

  /** Writes the differences; to be called last in a transaction. */
  flush(): void {
    for (const [kind, { count, bytes }] of this.#differences) {
      if (count !== 0 || bytes !== 0) this.#add.run(kind, count, bytes);
    }
    this.#differences.clear();
  }

  /** To be called after a rollback. */
  forget(): void {
    this.#differences.clear();
  }

  #change(kind: RetainedKind, count: number, bytes: number): void {
    const difference = this.#differences.get(kind);
    if (difference === undefined) this.#differences.set(kind, { count, bytes });
    else {
      difference.count += count;
      difference.bytes += bytes;
    }
  }
}
