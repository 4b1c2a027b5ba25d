// The one that writes: holds the lock and the writing connection, and turns each batch into one
// transaction. Synchronous; it must not know that it lives in a thread.
import type { DatabaseSync } from "node:sqlite";
import type { Change } from "@pawl/engine/changes";
import { StoreError } from "@pawl/store/store-error";
import { Checkpointer } from "./checkpoint.ts";
import { makeFolder, openForWriting, raiseEpoch } from "./connection.ts";
import { toStoreError } from "./errors.ts";
import { takeLock } from "./lock.ts";
import type { Lock } from "./lock.ts";
import type { SqliteSettings } from "./options.ts";
import { WordWriter } from "./words.ts";
import { planBatch } from "./write/batch.ts";
import { EventWriter } from "./write/event-writer.ts";
import { PartsWriter } from "./write/parts-writer.ts";
import { RetainedWriter } from "./write/retained-writer.ts";
import { RunWriter } from "./write/run-writer.ts";
import { Shredder } from "./write/shredder.ts";
import { SmallWriter } from "./write/small-writer.ts";

/** Opens, migrates and takes ownership. Throws a `StoreError` and leaves nothing open. */
export function openWriter(settings: SqliteSettings): Writer {
  let lock: Lock | null = null;
  let database: DatabaseSync | null = null;
  try {
    makeFolder(settings.path);
    lock = takeLock(settings.path, settings.pid);
    database = openForWriting(settings);
    return new Writer(settings, lock, database);
  } catch (error) {
    database?.close();
    lock?.release();
    throw toStoreError(error, "open the database", settings.path);
  }
}

export class Writer {
  /** Of this owner. */
  readonly epoch: number;
  readonly #path: string;
  readonly #lock: Lock;
  readonly #database: DatabaseSync;
  readonly #words: WordWriter;
  readonly #retained: RetainedWriter;
  readonly #runs: RunWriter;
  readonly #parts: PartsWriter;
  readonly #events: EventWriter;
  readonly #small: SmallWriter;
  readonly #shredder: Shredder;
  readonly #checkpointer: Checkpointer;

  constructor(settings: SqliteSettings, lock: Lock, database: DatabaseSync) {
    this.#path = settings.path;
    this.#lock = lock;
    this.#database = database;
    this.epoch = raiseEpoch(database);
    this.#words = new WordWriter(database);
    this.#retained = new RetainedWriter(database);
    this.#runs = new RunWriter(database, this.#words, this.#retained);
    this.#parts = new PartsWriter(database);
    this.#events = new EventWriter(database, this.#words, this.#retained);
    this.#small = new SmallWriter(database);
    this.#shredder = new Shredder(database);
    this.#checkpointer = new Checkpointer(database, settings);
  }

  /** Writes the changes in one transaction, synced to disk on return. Throws a `StoreError`. */
  commit(changes: readonly Change[], epoch: number): void {
    if (epoch !== this.epoch) throw this.#fenced(epoch);
    const batch = planBatch(changes);
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      this.#shredder.prepare();
      const touchedEvents = new Set<string>();
      for (const [runId, writes] of batch.runs) this.#runs.write(runId, writes, touchedEvents);
      for (const piece of batch.parts) this.#parts.write(piece);
      this.#events.write(batch.events, touchedEvents);
      this.#small.write(batch);
      this.#retained.flush();
      this.#database.exec("COMMIT");
      this.#shredder.committed();
    } catch (error) {
      this.#rollBack();
      throw toStoreError(error, "write to", this.#path);
    }
  }

  /**
   * Writes the file anew without free pages. Takes time in proportion to the file, and up to twice its
   * room beside it. Throws a `StoreError`; the file is then as it was.
   */
  compact(): void {
    try {
      // The copy may be larger than memory.
      this.#database.exec("PRAGMA temp_store = FILE; VACUUM; PRAGMA temp_store = MEMORY");
      this.#checkpointer.cut();
    } catch (error) {
      throw toStoreError(error, "compact", this.#path);
    }
  }

  /** To be called when a commit was acknowledged. A failure here loses nothing: the log stays. */
  maintain(): void {
    this.#checkpoint(() => this.#checkpointer.afterCommit());
  }

  /** Secrets that were deleted are still in the log: `shred` is wanted soon. */
  get wantsShred(): boolean {
    return this.#shredder.isLogStale;
  }

  /** Has nothing of deleted secrets stay in the log. A reader that is in the way leaves it wanted. */
  shred(): void {
    this.#checkpoint(() => {
      if (this.#checkpointer.cut()) this.#shredder.logIsCut();
    });
  }

  /** Empties the log and lets go of the file. */
  close(): void {
    try {
      this.#checkpoint(() => this.#checkpointer.cut());
    } finally {
      this.#database.close();
      this.#lock.release();
    }
  }

  /** Without room the log just stays as it is: nothing is lost, and the next commit tells. */
  #checkpoint(work: () => unknown): void {
    try {
      work();
    } catch (error) {
      const problem = toStoreError(error, "checkpoint", this.#path);
      if (problem.code !== "store_full") throw problem;
    }
  }

  #rollBack(): void {
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
    this.#words.forget();
    this.#retained.forget();
  }

  #fenced(epoch: number): StoreError {
    return new StoreError(
      "store_fenced",
      `The database ${this.#path} belongs to epoch ${this.epoch}; epoch ${epoch} must stop writing.`,
    );
  }
}
