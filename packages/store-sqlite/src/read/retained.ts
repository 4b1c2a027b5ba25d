// What retention may take: walks from the oldest of a kind, along an index, to the first that stays.
import type { DatabaseSync } from "node:sqlite";
import type { RetentionBound } from "@pawl/engine/commands";
import type { RetainedKind } from "@pawl/engine/records";
import { beyondBound, boundEnd } from "@pawl/store/retained";
import type { Candidate, Usage } from "@pawl/store/retained";
import { numberOf, unpackUlid } from "../codec.ts";
import { eventBytes } from "../rows/event-row.ts";
import { statusNumber } from "../rows/run-row.ts";
import { Rows } from "./rows.ts";

export class RetainedReader {
  readonly #usage: Rows;
  readonly #runs: Rows;
  readonly #events: Rows;
  readonly #retired: Rows;

  constructor(database: DatabaseSync) {
    this.#retired = new Rows(database, "SELECT run FROM retired ORDER BY run LIMIT 1");
    this.#usage = new Rows(database, "SELECT count, bytes FROM retained WHERE kind = ?");
    this.#runs = new Rows(
      database,
      "SELECT r.id, r.ended_at, r.bytes, r.records FROM run AS r INDEXED BY run_by_age" +
        " WHERE r.status = ? AND r.bytes IS NOT NULL AND r.ended_at < ? AND NOT EXISTS" +
        " (SELECT 1 FROM job AS j WHERE j.run = r.parent_run AND j.id = r.parent_job)" +
        " ORDER BY r.ended_at, r.id LIMIT ?",
    );
    this.#events = new Rows(
      database,
      `SELECT f.event, f.received_at, ${eventBytes}, 1 FROM event_free AS f CROSS JOIN event AS e ON e.id = f.event` +
        " WHERE f.received_at < ? ORDER BY f.received_at, f.event LIMIT ?",
    );
  }

  /** The first of the runs whose parts go in pieces. */
  firstRetired(): string | null {
    const row = this.#retired.first();
    return row === undefined ? null : unpackUlid(row[0]);
  }

  /** How much there is of a kind. */
  usage(kind: RetainedKind): Usage {
    const row = this.#usage.first(kind);
    return { count: numberOf(row?.[0]), bytes: numberOf(row?.[1]) };
  }

  /** At most `limit` of what is beyond the bound, oldest first; null: all. */
  beyond(bound: RetentionBound, limit: number | null): Iterable<Candidate> {
    const usage = this.usage(bound.of);
    return beyondBound(bound, usage, this.#oldest(bound.of, boundEnd(bound, usage), limit ?? -1));
  }

  *#oldest(of: RetainedKind, end: number, limit: number): Generator<Candidate, void> {
    const rows =
      of === "events"
        ? this.#events.each(end, limit)
        : this.#runs.each(statusNumber(of), end, limit);
    for (const row of rows) {
      yield {
        id: unpackUlid(row[0]),
        at: numberOf(row[1]),
        bytes: numberOf(row[2]),
        records: numberOf(row[3]),
      };
    }
  }
}
