// Writes the small tables: apps, wait paths, idempotency keys, what flow control
// remembers, schedules, bulk actions, mail.
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { packUlid } from "../codec.ts";
import { encodeGate, gateInsert } from "../rows/gate-row.ts";
import type { Batch } from "./batch.ts";

/** Stands for the time of a schedule that is not due at any: the column knows no null. */
const never = Number.MAX_SAFE_INTEGER;

export class SmallWriter {
  readonly #putApp: StatementSync;
  readonly #deleteApp: StatementSync;
  readonly #putWaitPath: StatementSync;
  readonly #putIdempotency: StatementSync;
  readonly #deleteIdempotency: StatementSync;
  readonly #putGate: StatementSync;
  readonly #deleteGate: StatementSync;
  readonly #putSchedule: StatementSync;
  readonly #deleteSchedule: StatementSync;
  readonly #putBulk: StatementSync;
  readonly #deleteBulk: StatementSync;
  readonly #putMail: StatementSync;
  readonly #deleteMail: StatementSync;

  constructor(database: DatabaseSync) {
    this.#putApp = database.prepare("INSERT OR REPLACE INTO app (id, record) VALUES (?, ?)");
    this.#deleteApp = database.prepare("DELETE FROM app WHERE id = ?");
    this.#putWaitPath = database.prepare(
      "INSERT OR REPLACE INTO wait_path (event, path, since, waits) VALUES (?, ?, ?, ?)",
    );
    this.#putIdempotency = database.prepare(
      "INSERT OR REPLACE INTO idempotency (key, run, expires_at) VALUES (?, ?, ?)",
    );
    this.#deleteIdempotency = database.prepare("DELETE FROM idempotency WHERE key = ?");
    this.#putGate = database.prepare(gateInsert);
    this.#deleteGate = database.prepare("DELETE FROM gate WHERE key = ?");
    this.#putSchedule = database.prepare(
      "INSERT OR REPLACE INTO schedule (id, due_at, record) VALUES (?, ?, ?)",
    );
    this.#deleteSchedule = database.prepare("DELETE FROM schedule WHERE id = ?");
    this.#putBulk = database.prepare("INSERT OR REPLACE INTO bulk (id, record) VALUES (?, ?)");
    this.#deleteBulk = database.prepare("DELETE FROM bulk WHERE id = ?");
    this.#putMail = database.prepare(
      "INSERT INTO mail (id, message, shard) VALUES (?, ?, ?) ON CONFLICT (id)" +
        " DO UPDATE SET message = excluded.message, shard = excluded.shard",
    );
    this.#deleteMail = database.prepare("DELETE FROM mail WHERE id = ?");
  }

  write(batch: Batch): void {
    for (const [appId, app] of batch.apps) {
      if (app === null) this.#deleteApp.run(appId);
      else this.#putApp.run(appId, JSON.stringify(app));
    }
    for (const { event, path, since, waits } of batch.waitPaths.values())
      this.#putWaitPath.run(event, path, since, waits ? 1 : 0);
    for (const [key, held] of batch.idempotency) {
      if (held === null) this.#deleteIdempotency.run(key);
      else this.#putIdempotency.run(key, packUlid(held.runId), held.expiresAt);
    }
    for (const [key, gate] of batch.gates) {
      if (gate === null) this.#deleteGate.run(key);
      else this.#putGate.run(...encodeGate(gate));
    }
    for (const [id, schedule] of batch.schedules) {
      if (schedule === null) this.#deleteSchedule.run(id);
      else this.#putSchedule.run(id, schedule.dueAt ?? never, JSON.stringify(schedule));
    }
    for (const [id, bulk] of batch.bulks) {
      if (bulk === null) this.#deleteBulk.run(id);
      else this.#putBulk.run(id, JSON.stringify(bulk));
    }
    for (const change of batch.mail) {
      if (change.type === "mail.delete") this.#deleteMail.run(change.mailId);
      else this.#putMail.run(change.mailId, JSON.stringify(change.message), change.shard);
    }
  }
}
