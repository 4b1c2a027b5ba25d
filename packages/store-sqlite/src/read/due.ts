// Answers what is waiting to be done: the heads of indexes, the hot path.
import type { DatabaseSync } from "node:sqlite";
import { appsShard } from "@pawl/engine/shard";
import type { Message } from "@pawl/engine/commands";
import type { DueJob, DueMail, DueQuery, DueResults } from "@pawl/store/store";
import { numberOf, textOf, unpackHash, unpackUlid } from "../codec.ts";
import { Rows } from "./rows.ts";
import type { Row } from "./rows.ts";
import { inShards, shardValues } from "./shards.ts";

export class DueReader {
  readonly #database: DatabaseSync;
  /** Prepared questions by their text: each kind for all shards, and for some. */
  readonly #rows = new Map<string, Rows>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  due(query: DueQuery): DueResults[DueQuery["kind"]] {
    const [some, values] = [inShards(query), shardValues(query)];
    switch (query.kind) {
      case "timers":
        return this.#ask(
          `SELECT run, id, timer_at, generation FROM job WHERE timer_at <= ?${some} ORDER BY timer_at, run, id LIMIT ?`,
        )
          .all(query.until, ...values, query.limit)
          .map(dueJob);
      case "schedules":
        if (query.shards?.includes(appsShard) === false) return [];
        return this.#ask(
          "SELECT id, due_at FROM schedule WHERE due_at <= ? ORDER BY due_at, id LIMIT ?",
        )
          .all(query.until, query.limit)
          .map((row) => ({ scheduleId: textOf(row[0]), dueAt: numberOf(row[1]) }));
      case "queue":
        return this.#ask(
          `SELECT run, id, queued_since, generation FROM job WHERE gate = ?${some} ORDER BY queued_since, run, id LIMIT ?`,
        )
          .all(query.gate, ...values, query.limit)
          .map(dueJob);
      case "lost":
        return this.#ask(
          `SELECT run, id, lease_until, generation FROM job WHERE epoch < ?${some} ORDER BY run, id LIMIT ?`,
        )
          .all(query.epoch, ...values, query.limit)
          .map(dueJob);
      case "mail":
        return this.#ask(
          `SELECT id, message FROM mail WHERE place > 0${some} ORDER BY place LIMIT ?`,
        )
          .all(...values, query.limit)
          .map(dueMail);
    }
  }

  #ask(sql: string): Rows {
    let rows = this.#rows.get(sql);
    if (rows === undefined) this.#rows.set(sql, (rows = new Rows(this.#database, sql)));
    return rows;
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
