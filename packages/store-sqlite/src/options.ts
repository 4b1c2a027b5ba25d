// What can be chosen about a SQLite store, with limits and defaults.
import { join } from "node:path";

/** Where the database lies. Beside the file lie `-wal`, `-shm`, `.lock` and `.pid` of its name. */
export type SqliteLocation =
  /** The database file. */
  | { readonly path: string }
  /** The folder for it; the file is then `pawl.db`. */
  | { readonly dir: string };

export interface SqliteTuning {
  /**
   * Size of the write-ahead log, in bytes, from which the writer stops to empty it. Beyond this it
   * only grows while one read lasts. Default 64 MiB, least 1 MiB.
   */
  readonly walBytesMax?: number;
  /**
   * Size of the write-ahead log, in bytes, from which it is copied into the database between
   * commits. Default 4 MiB, at most half of `walBytesMax`.
   */
  readonly checkpointBytes?: number;
  /**
   * How long secrets of requests that are done may stay in the write-ahead log, in ms, unless a read
   * that lasts longer holds it. Each time the log is copied and cut off. Default 1,000, least 10.
   */
  readonly shredMs?: number;
  /** Largest size of the database file, in bytes; commits beyond it fail with `store_full`. Default: none. */
  readonly databaseBytesMax?: number;
  /** Memory for pages of the writer, and of the reads on the hot path, in bytes each. Default 16 MiB. */
  readonly cacheBytes?: number;
}

export type SqliteStoreOptions = SqliteLocation & SqliteTuning;

/** Options with all defaults filled in: plain data that goes to a thread. */
export interface SqliteSettings {
  readonly path: string;
  readonly walBytesMax: number;
  readonly checkpointBytes: number;
  readonly shredMs: number;
  readonly databaseBytesMax: number | null;
  readonly cacheBytes: number;
  /** Of this process, for the message that another process sees. */
  readonly pid: number;
}

const mebibyte = 1024 * 1024;

/** Fills the defaults in and keeps the values within their limits. */
export function sqliteSettings(options: SqliteStoreOptions, pid: number): SqliteSettings {
  const walBytesMax = Math.max(options.walBytesMax ?? 64 * mebibyte, mebibyte);
  return {
    path: "path" in options ? options.path : join(options.dir, "pawl.db"),
    walBytesMax,
    checkpointBytes: Math.min(options.checkpointBytes ?? 4 * mebibyte, walBytesMax / 2),
    shredMs: Math.max(options.shredMs ?? 1_000, 10),
    databaseBytesMax: options.databaseBytesMax ?? null,
    cacheBytes: options.cacheBytes ?? 16 * mebibyte,
    pid,
  };
}
