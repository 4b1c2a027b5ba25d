// Opens connections to the database file with the settings that durability and speed rest on.
import { accessSync, constants, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { numberOf } from "./codec.ts";
import { migrate } from "./migrate.ts";
import type { SqliteSettings } from "./options.ts";

/** Bytes of a page; fixed when the file is made. */
export const pageBytes = 4096;

/** Makes the folder of the file. Throws when it may not be written, which SQLite tells less well. */
export function makeFolder(path: string): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true });
  accessSync(folder, constants.W_OK);
}

/** The one connection that writes. The file is made and migrated; the lock must be held. */
export function openForWriting(settings: SqliteSettings): DatabaseSync {
  const database = new DatabaseSync(settings.path, { timeout: 20 });
  try {
    database.exec(pragmas(settings).join(";"));
    migrate(database, settings.path);
    touchTables(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Statements that make a connection the writer's. */
function pragmas(settings: SqliteSettings): readonly string[] {
  const { databaseBytesMax } = settings;
  return [
    `PRAGMA page_size = ${pageBytes}`,
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    // The checkpointer decides when.
    "PRAGMA wal_autocheckpoint = 0",
    "PRAGMA temp_store = MEMORY",
    `PRAGMA journal_size_limit = ${settings.walBytesMax}`,
    `PRAGMA cache_size = ${-Math.ceil(settings.cacheBytes / 1024)}`,
    ...(databaseBytesMax === null
      ? []
      : [`PRAGMA max_page_count = ${Math.floor(databaseBytesMax / pageBytes)}`]),
  ];
}

/** A connection that cannot write. */
export function openForReading(path: string, cacheBytes: number): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  database.exec(`PRAGMA cache_size = ${-Math.ceil(cacheBytes / 1024)}; PRAGMA temp_store = MEMORY`);
  return database;
}

/**
 * Reads the first row of each table: finds a file that is cut off or overwritten, at a cost that
 * does not grow with the file. Single damaged pages are found by `verify` or when they are read.
 */
function touchTables(database: DatabaseSync): void {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  for (const { name } of tables) database.prepare(`SELECT * FROM "${String(name)}" LIMIT 1`).get();
}

/** Takes ownership: raises the epoch in the database, durably, and returns it. */
export function raiseEpoch(database: DatabaseSync): number {
  const row = database
    .prepare(
      "INSERT INTO meta (key, value) VALUES ('epoch', 1)" +
        " ON CONFLICT (key) DO UPDATE SET value = value + 1 RETURNING value",
    )
    .all()[0];
  return numberOf(row?.["value"]);
}
