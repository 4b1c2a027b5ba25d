// Keeps requests of gateways, which have secrets in them, from staying behind when they are deleted.
// In the file: SQLite overwrites what it deletes while there are such requests; that costs a write for
// each page that becomes free, so it is not always done. In the log, where older pages lie until they
// are written over: says when it has to be cut off. It must not know what is written.
import type { DatabaseSync, StatementSync } from "node:sqlite";

export class Shredder {
  readonly #database: DatabaseSync;
  readonly #hasSecrets: StatementSync;
  #isOn = false;
  /** What an earlier process left in the log is not known. */
  #isLogStale = true;
  #wasDeleted = false;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#hasSecrets = database.prepare("SELECT EXISTS (SELECT 1 FROM gateway_request) AS found");
    database.function("pawl_request_deleted", () => {
      this.#wasDeleted = true;
      return null;
    });
    // Of this connection alone: nothing of it is in the file.
    database.exec(
      "CREATE TEMP TRIGGER request_deleted AFTER DELETE ON main.gateway_request" +
        " BEGIN SELECT pawl_request_deleted(); END",
    );
  }

  /** The log holds secrets of requests that are gone: it is to be cut off. */
  get isLogStale(): boolean {
    return this.#isLogStale;
  }

  /** To be called at the begin of each transaction. */
  prepare(): void {
    this.#wasDeleted = false;
    const isNeeded = this.#hasSecrets.get()?.["found"] === 1;
    if (isNeeded === this.#isOn) return;
    this.#database.exec(`PRAGMA secure_delete = ${isNeeded ? "ON" : "OFF"}`);
    this.#isOn = isNeeded;
  }

  /** To be called after each transaction that was committed. */
  committed(): void {
    this.#isLogStale ||= this.#wasDeleted;
  }

  /** To be called when the log was cut off. */
  logIsCut(): void {
    this.#isLogStale = false;
  }
}
