// Answers the questions of people. They may take long, so they run on a connection and a thread of
// their own; each is answered from an index, never by walking past what does not match.
import type { DatabaseSync } from "node:sqlite";
import type { RetentionBound } from "@pawl/engine/commands";
import type { AppRecord, EventRecord, RunRecord } from "@pawl/engine/records";
import type { BulkRecord } from "@pawl/engine/bulk-records";
import type { ScheduleRecord } from "@pawl/engine/schedule-records";
import type { JsonText } from "@pawl/protocol/json-text";
import { arrivalFromId, type Arrival } from "@pawl/store/position";
import { sumOf } from "@pawl/store/retained";
import type { ListQuery, ListResults } from "@pawl/store/store";
import { numberOf, packHash, packUlid, textOf, unpackUlid } from "../codec.ts";
import { attemptsOfRun, decodeAttempt } from "../rows/attempt-row.ts";
import { decodeEvent, eventColumns } from "../rows/event-row.ts";
import { decodeRun, isNotRetired, runColumns, unfinishedStatusNumbers } from "../rows/run-row.ts";
import { decodeUserSpan, userSpansOfRun } from "../rows/user-span-row.ts";
import { WordReader } from "../words.ts";
import { RetainedReader } from "./retained.ts";
import { Rows } from "./rows.ts";
import { RunLister } from "./run-list.ts";
import { Searcher } from "./search.ts";
import { inShards, shardValues } from "./shards.ts";
import { readSizes } from "./sizes.ts";

type Asked<T extends ListQuery["type"]> = Extract<ListQuery, { type: T }>;

/** Sorts behind every text that goes on in another way. */
const lastCharacter = "\u{10FFFF}";

export class Lister {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #words: WordReader;
  readonly #runs: RunLister;
  readonly #searcher: Searcher;
  readonly #prepared = new Map<string, Rows>();

  /** `path` is that of the database file, to tell its size. */
  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
    this.#words = new WordReader(database);
    this.#runs = new RunLister(database, this.#words);
    this.#searcher = new Searcher(database, this.#words, this.#runs);
  }

  list(query: ListQuery): ListResults[ListQuery["type"]] {
    switch (query.type) {
      case "apps":
        return this.#rows("SELECT record FROM app ORDER BY id")
          .all()
          .map((row) => JSON.parse(textOf(row[0])) as AppRecord); // proof: written from an AppRecord
      case "waitPaths":
        return this.#rows("SELECT event, path, since, waits FROM wait_path ORDER BY event, path")
          .all()
          .map((row) => ({
            event: textOf(row[0]),
            path: textOf(row[1]),
            since: numberOf(row[2]),
            waits: numberOf(row[3]) === 1,
          }));
      case "queues":
        return this.#rows(
          `SELECT gate, count(*) FROM job WHERE gate IS NOT NULL${inShards(query)} GROUP BY gate ORDER BY gate`,
        )
          .all(...shardValues(query))
          .map((row) => ({ gate: textOf(row[0]), queued: numberOf(row[1]) }));
      case "events":
        return this.#events(query);
      case "searchEvents": {
        const { before } = query;
        return this.#searcher.events(query, before === null ? null : this.#arrival(before));
      }
      case "searchRuns":
        return this.#searcher.runs(query);
      case "queueAhead":
        return this.#queueAhead(query);
      case "event":
        return this.#event(query.eventId);
      case "runsOfEvent":
        return this.#runRows(
          `SELECT ${runColumns} FROM run_event AS l CROSS JOIN run AS r ON r.id = l.run` +
            " WHERE l.event = ? ORDER BY l.run DESC LIMIT ?",
          packUlid(query.eventId),
          query.limit,
        );
      case "runs":
        return this.#runs.list(query);
      case "runCount":
        return this.#runs.count(query.filter);
      case "unfinished":
        return this.#unfinished(query);
      case "attempts":
        return this.#rows(attemptsOfRun)
          .all(packUlid(query.runId))
          .map((row) => decodeAttempt(query.runId, row));
      case "output": {
        const row = this.#rows(`SELECT output FROM output WHERE run = ?1 ${isNotRetired}`).first(
          packUlid(query.runId),
        );
        return row === undefined ? null : (textOf(row[0]) as JsonText); // proof: written from a JsonText
      }
      case "userSpans":
        return this.#rows(userSpansOfRun).all(packUlid(query.runId)).map(decodeUserSpan);
      case "schedules":
        return this.#schedules(query);
      case "scheduleCount":
        return this.#scheduleCount(query.prefix);
      case "bulks":
        return this.#bulks();
      case "sizes":
        return readSizes(this.#database, this.#path);
      case "beyond":
        return this.#beyond(query.bounds);
    }
  }

  #queueAhead({ gate, since, runId, jobId }: Asked<"queueAhead">): number {
    const row = this.#rows(
      "SELECT count(*) FROM job INDEXED BY job_queue WHERE gate = ? AND (queued_since, run, id) < (?, ?, ?)",
    ).first(gate, since, packUlid(runId), packHash(jobId));
    return numberOf(row?.[0]);
  }

  #bulks(): readonly BulkRecord[] {
    return this.#rows("SELECT record FROM bulk ORDER BY id DESC")
      .all()
      .map((row) => JSON.parse(textOf(row[0])) as BulkRecord); // proof: written from a BulkRecord
  }

  #schedules({ prefix, after, limit }: Asked<"schedules">): readonly ScheduleRecord[] {
    return this.#rows("SELECT record FROM schedule WHERE id > ? AND id < ? ORDER BY id LIMIT ?")
      .all(after ?? prefix, `${prefix}${lastCharacter}`, limit)
      .map((row) => JSON.parse(textOf(row[0])) as ScheduleRecord); // proof: written from one
  }

  #scheduleCount(prefix: string): number {
    const row = this.#rows("SELECT count(*) FROM schedule WHERE id > ? AND id < ?").first(
      prefix,
      `${prefix}${lastCharacter}`,
    );
    return row === undefined ? 0 : numberOf(row[0]);
  }

  #rows(sql: string): Rows {
    let rows = this.#prepared.get(sql);
    if (rows === undefined) this.#prepared.set(sql, (rows = new Rows(this.#database, sql)));
    return rows;
  }

  #event(eventId: string): EventRecord | null {
    const row = this.#rows(`SELECT ${eventColumns} FROM event AS e WHERE e.id = ?`).first(
      packUlid(eventId),
    );
    return row === undefined ? null : decodeEvent(row, this.#words);
  }

  /** Where an event stands, or stood. */
  #arrival(eventId: string): Arrival {
    return this.#event(eventId) ?? arrivalFromId(eventId);
  }

  #events(query: Asked<"events">): readonly EventRecord[] {
    const { name, receivedFrom, receivedUntil, before, limit } = query;
    const where: string[] = ["e.received_at BETWEEN ? AND ?"];
    const values: (number | string | Uint8Array)[] = [
      receivedFrom ?? Number.MIN_SAFE_INTEGER,
      receivedUntil ?? Number.MAX_SAFE_INTEGER,
    ];
    if (name !== null) {
      const word = this.#words.find(name);
      if (word === null) return [];
      where.push("e.name = ?");
      values.push(word);
    }
    if (before !== null) {
      const below = this.#arrival(before);
      where.push("(e.received_at, e.id) < (?, ?)");
      values.push(below.receivedAt, packUlid(below.id));
    }
    const index = name === null ? "event_by_arrival" : "event_by_name";
    const rows = this.#rows(
      `SELECT ${eventColumns} FROM event AS e INDEXED BY ${index} WHERE ${where.join(" AND ")}` +
        " ORDER BY e.received_at DESC, e.id DESC LIMIT ?",
    );
    return rows.all(...values, limit).map((row) => decodeEvent(row, this.#words));
  }

  #runRows(sql: string, ...values: (string | number | Uint8Array)[]): readonly RunRecord[] {
    return this.#rows(sql)
      .all(...values)
      .map((row) => decodeRun(row, this.#words));
  }

  #unfinished({ after, limit }: Asked<"unfinished">): readonly string[] {
    const condition = after === null ? "" : " AND id > ?";
    const rows = this.#rows(
      `SELECT id FROM run INDEXED BY run_by_status WHERE status = ?${condition} ORDER BY id LIMIT ?`,
    );
    const tail = after === null ? [] : [packUlid(after)];
    return unfinishedStatusNumbers
      .flatMap((status) => rows.all(status, ...tail, limit).map((row) => unpackUlid(row[0])))
      .sort()
      .slice(0, limit);
  }

  #beyond(bounds: readonly RetentionBound[]): ListResults["beyond"] {
    const retained = new RetainedReader(this.#database);
    return bounds.map((bound) => ({ of: bound.of, ...sumOf(retained.beyond(bound, null)) }));
  }
}
