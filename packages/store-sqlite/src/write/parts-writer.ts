// Takes parts of retired runs away, a piece at a time: what a commit does is bounded, however large the
// run was. It must not know when a run is retired, nor how large a piece should be.
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { Change } from "@pawl/engine/changes";
import { partsWithin } from "@pawl/store/retained";
import { numberOf, packUlid } from "../codec.ts";
import { Rows } from "../read/rows.ts";
import type { PackedId } from "../codec.ts";
import { partTables } from "../rows/part-tables.ts";

interface Table {
  /** Bytes and key of the first rows of a run. */
  readonly each: Rows;
  readonly remove: StatementSync;
}

interface Part {
  readonly bytes: number;
  readonly table: Table;
  readonly key: readonly SQLInputValue[];
}

export class PartsWriter {
  readonly #tables: readonly Table[];
  readonly #forget: StatementSync;

  constructor(database: DatabaseSync) {
    this.#tables = partTables.map(({ name, key, payload }): Table => {
      const columns = [payload, ...key].join(", ");
      const each = new Rows(database, `SELECT ${columns} FROM ${name} WHERE run = ? LIMIT ?`);
      const where = key.map((column) => `${column} = ?`).join(" AND ");
      return { each, remove: database.prepare(`DELETE FROM ${name} WHERE ${where}`) };
    });
    this.#forget = database.prepare("DELETE FROM retired WHERE run = ?");
  }

  /** Removes one piece, and the note of the run with the last one. */
  write({ runId, records, bytes }: Extract<Change, { type: "parts.delete" }>): void {
    const id = packUlid(runId);
    // One more than may go tells whether any is left.
    const parts = this.#first(id, records + 1);
    let removed = 0;
    for (const { table, key } of partsWithin(parts, { records, bytes })) {
      table.remove.run(...key);
      removed += 1;
    }
    if (removed === parts.length) this.#forget.run(id);
  }

  #first(id: PackedId, limit: number): readonly Part[] {
    const parts: Part[] = [];
    for (const table of this.#tables) {
      if (parts.length >= limit) break;
      for (const [bytes, ...key] of table.each.all(id, limit - parts.length))
        parts.push({ bytes: numberOf(bytes), table, key });
    }
    return parts;
  }
}
