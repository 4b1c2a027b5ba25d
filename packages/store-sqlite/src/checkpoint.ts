// Keeps the write-ahead log bounded. Copying it into the database is done by the writer's thread
// between commits, after the last one was acknowledged: nothing is appended meanwhile, so one pass
// copies all of it and the next commit starts the log from its beginning. A reader that is in the
// middle of something can hold a part back; then it is tried again later.
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { numberOf } from "./codec.ts";
import { pageBytes } from "./connection.ts";

export interface WalLimits {
  /** Bytes from which the log is copied. */
  readonly checkpointBytes: number;
  /** Bytes from which the log is also cut off, waiting for readers a little. */
  readonly walBytesMax: number;
}

interface WalState {
  readonly frames: number;
  readonly copied: number;
}

export class Checkpointer {
  readonly #state: StatementSync;
  readonly #passive: StatementSync;
  readonly #truncate: StatementSync;
  readonly #framesWanted: number;
  readonly #framesMax: number;
  #nextAt: number;

  constructor(database: DatabaseSync, limits: WalLimits) {
    this.#state = database.prepare("PRAGMA wal_checkpoint(NOOP)");
    this.#passive = database.prepare("PRAGMA wal_checkpoint(PASSIVE)");
    this.#truncate = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)");
    this.#framesWanted = Math.ceil(limits.checkpointBytes / pageBytes);
    this.#framesMax = Math.ceil(limits.walBytesMax / pageBytes);
    this.#nextAt = this.#framesWanted;
  }

  /** To be called after each commit. Cheap while the log is small. */
  afterCommit(): void {
    const before = walState(this.#state);
    // The log was started again by the last commit: everything before is in the database.
    if (before.frames < this.#framesWanted) this.#nextAt = this.#framesWanted;
    if (before.frames < this.#nextAt) return;
    const after = walState(before.frames >= this.#framesMax ? this.#truncate : this.#passive);
    const allCopied = after.copied === after.frames;
    this.#nextAt = allCopied
      ? this.#framesWanted
      : after.frames + Math.ceil(this.#framesWanted / 4);
  }

  /** Copies the log and cuts it off; false: a reader is in the way, and a part of it stays. */
  cut(): boolean {
    const row = this.#truncate.get();
    return numberOf(row?.["busy"]) === 0;
  }
}

function walState(statement: StatementSync): WalState {
  const row = statement.get();
  return { frames: numberOf(row?.["log"]), copied: numberOf(row?.["checkpointed"]) };
}
