// Answers what is waiting to be done: the heads of indexes, the hot path.
import type { DatabaseSync } from "node:sqlite";
import type { Message } from "@pawl/engine/commands";
import type { DueJob, DueMail, DueQuery, DueResults } from "@pawl/store/store";
import { numberOf, textOf, unpackHash, unpackUlid } from "../codec.ts";
import { Rows } from "./rows.ts";
import type { Row } from "./rows.ts";

export class DueReader {
  readonly #timers: Rows;
  readonly #schedules: Rows;
  readonly #queue: Rows;
  readonly #lost: Rows;
  readonly #mail: Rows;

  constructor(database: DatabaseSync) {
    const rows = (sql: string): Rows => new Rows(database, sql);
    this.#timers = rows(
      "SELECT run, id, timer_at, generation FROM job WHERE timer_at <= ? ORDER BY timer_at, run, id LIMIT ?",
    );
    this.#schedules = rows(
      "SELECT id, due_at FROM schedule WHERE due_at <= ? ORDER BY due_at, id LIMIT ?",
    );
    this.#queue = rows(
      "SELECT run, id, queued_since, generation FROM job WHERE gate = ? ORDER BY queued_since, run, id LIMIT ?",
    );
    this.#lost = rows(
      "SELECT run, id, lease_until, generation FROM job WHERE epoch < ? ORDER BY run, id LIMIT ?",
    );
    this.#mail = rows("SELECT id, message FROM mail ORDER BY place LIMIT ?");
  }

  due(query: DueQuery): DueResults[DueQuery["kind"]] {
    switch (query.kind) {
      case "timers":
        return this.#timers.all(query.until, query.limit).map(dueJob);
      case "schedules":
        return this.#schedules
          .all(query.until, query.limit)
          .map((row) => ({ scheduleId: textOf(row[0]), dueAt: numberOf(row[1]) }));
      case "queue":
        return this.#queue.all(query.gate, query.limit).map(dueJob);
      case "lost":
        return this.#lost.all(query.epoch, query.limit).map(dueJob);
      case "mail":
        return this.#mail.all(query.limit).map(dueMail);
    }
  }
}

function dueJob(row: Row): DueJob {
  return {
    runId: unpackUlid(row[0]),
    jobId: unpackHash(row[1]),
    dueAt: numberOf(row[2]),
    generation: numberOf(row[3]),
  };
}

function dueMail(row: Row): DueMail {
  return {
    mailId: textOf(row[0]),
    message: JSON.parse(textOf(row[1])) as Message, // proof: written from a Message
  };
}
