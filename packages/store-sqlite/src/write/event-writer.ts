// Writes events, their keys, and which of them no run refers to.
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { EventRecord, WaitKey } from "@pawl/engine/records";
import { numberOf, packHash, packUlid } from "../codec.ts";
import { bytesOf, decodeKeys, encodeEvent, eventBytes, eventInsert } from "../rows/event-row.ts";
import type { WordWriter } from "../words.ts";
import type { Batch } from "./batch.ts";
import type { RetainedWriter } from "./retained-writer.ts";

export class EventWriter {
  readonly #words: WordWriter;
  readonly #retained: RetainedWriter;
  readonly #insert: StatementSync;
  readonly #find: StatementSync;
  readonly #delete: StatementSync;
  readonly #insertKey: StatementSync;
  readonly #deleteKey: StatementSync;
  readonly #free: StatementSync;
  readonly #unfree: StatementSync;
  readonly #freeIfUnused: StatementSync;
  readonly #unfreeIfUsed: StatementSync;

  constructor(database: DatabaseSync, words: WordWriter, retained: RetainedWriter) {
    this.#words = words;
    this.#retained = retained;
    this.#insert = database.prepare(eventInsert);
    this.#find = database.prepare(
      `SELECT e.name, e.received_at, e.keys, ${eventBytes} AS bytes FROM event AS e WHERE e.id = ?`,
    );
    this.#delete = database.prepare("DELETE FROM event WHERE id = ?");
    this.#insertKey = database.prepare(
      "INSERT OR IGNORE INTO event_key (name, path, hash, received_at, event) VALUES (?, ?, ?, ?, ?)",
    );
    this.#deleteKey = database.prepare(
      "DELETE FROM event_key WHERE name = ? AND path = ? AND hash = ? AND received_at = ? AND event = ?",
    );
    this.#free = database.prepare(
      "INSERT INTO event_free (received_at, event) SELECT ?1, ?2" +
        " WHERE NOT EXISTS (SELECT 1 FROM run_event WHERE event = ?2)",
    );
    this.#unfree = database.prepare("DELETE FROM event_free WHERE received_at = ? AND event = ?");
    this.#freeIfUnused = database.prepare(
      "INSERT OR IGNORE INTO event_free (received_at, event) SELECT received_at, id FROM event" +
        " WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM run_event WHERE event = ?1)",
    );
    this.#unfreeIfUsed = database.prepare(
      "DELETE FROM event_free WHERE event = ?1 AND received_at = (SELECT received_at FROM event WHERE id = ?1)" +
        " AND EXISTS (SELECT 1 FROM run_event WHERE event = ?1)",
    );
  }

  /** Writes the events, after the runs. `touched`: events that gained or lost a run. */
  write(events: Batch["events"], touched: ReadonlySet<string>): void {
    for (const [eventId, put] of events) {
      if (put === null) this.#remove(eventId);
      else this.#put(put.event, put.keys);
    }
    for (const eventId of touched) {
      if (events.has(eventId)) continue;
      const id = packUlid(eventId);
      this.#freeIfUnused.run(id);
      this.#unfreeIfUsed.run(id);
    }
  }

  #put(event: EventRecord, keys: readonly WaitKey[]): void {
    const values = encodeEvent(event, keys, this.#words);
    if (this.#insert.run(...values).changes === 0) {
      this.#remove(event.id);
      this.#insert.run(...values);
    }
    const id = packUlid(event.id);
    this.#retained.came("events", bytesOf(event));
    this.#free.run(event.receivedAt, id);
    if (keys.length === 0) return;
    const name = this.#words.idOf(event.name);
    for (const key of keys) {
      this.#insertKey.run(
        name,
        this.#words.idOf(key.path),
        packHash(key.hash),
        event.receivedAt,
        id,
      );
    }
  }

  #remove(eventId: string): void {
    const id = packUlid(eventId);
    const row = this.#find.get(id);
    if (row === undefined) return;
    const name = numberOf(row["name"]);
    const receivedAt = numberOf(row["received_at"]);
    for (const key of decodeKeys(row["keys"])) {
      this.#deleteKey.run(name, this.#words.idOf(key.path), packHash(key.hash), receivedAt, id);
    }
    this.#unfree.run(receivedAt, id);
    this.#retained.left("events", numberOf(row["bytes"]));
    this.#delete.run(id);
  }
}
