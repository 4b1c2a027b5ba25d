// One process at a time: an exclusive lock of the operating system on a file beside the database,
// taken through SQLite so that no native code of ours is needed. The system lets go of it when the
// process ends, however it ends. A second file names the process, for the error message only.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "@pawl/store/store-error";

export interface Lock {
  release(): void;
}

/**
 * Takes the lock of a database, or throws `store_locked`. The lock file must never be opened by
 * other means in this process: closing it would let go of the lock.
 */
export function takeLock(path: string, pid: number): Lock {
  const pidPath = `${path}.pid`;
  const database = new DatabaseSync(`${path}.lock`, { timeout: 0 });
  try {
    // Nothing is ever written, so a journal has nothing to do and leaves no file.
    database.exec("PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    throw new StoreError(
      "store_locked",
      `The database ${path} is in use by ${holder(pidPath)}: stop that one, or choose another file.`,
      { cause: error },
    );
  }
  try {
    writeFileSync(pidPath, `${pid}\n`);
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    release(): void {
      rmSync(pidPath, { force: true });
      database.close();
    },
  };
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === 5;
}

function holder(pidPath: string): string {
  try {
    const pid = Number.parseInt(readFileSync(pidPath, "utf8"), 10);
    return Number.isInteger(pid) ? `process ${pid}` : "another process";
  } catch {
    return "another process";
  }
}
