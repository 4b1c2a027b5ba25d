// Reads a whole database and tells what is wrong with it. Slow: for `pawl doctor`, never on open.
import type { DatabaseSync } from "node:sqlite";
import { textOf } from "./codec.ts";

/** Problems, one sentence each; empty when the file is sound. */
export function verifyDatabase(database: DatabaseSync): readonly string[] {
  try {
    return database
      .prepare("PRAGMA integrity_check(100)")
      .all()
      .map((row) => textOf(row["integrity_check"]))
      .filter((line) => line !== "ok");
  } catch (error) {
    // Damage of a kind that even the check cannot read past.
    return [error instanceof Error ? error.message : String(error)];
  }
}
