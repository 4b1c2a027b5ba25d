// Has SQLite overwrite what it deletes while the database holds requests of gateways: they have
// secrets in them. That costs a write for each page that becomes free, so it is not always done.
// It must not know what is written.
import type { DatabaseSync, StatementSync } from "node:sqlite";

export class Shredder {
  readonly #database: DatabaseSync;
  readonly #hasSecrets: StatementSync;
  #isOn = false;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#hasSecrets = database.prepare("SELECT EXISTS (SELECT 1 FROM gateway_request) AS found");
  }

  /** To be called at the begin of each transaction. */
  prepare(): void {
    const isNeeded = this.#hasSecrets.get()?.["found"] === 1;
    if (isNeeded === this.#isOn) return;
    this.#database.exec(`PRAGMA secure_delete = ${isNeeded ? "ON" : "OFF"}`);
    this.#isOn = isNeeded;
  }
}
