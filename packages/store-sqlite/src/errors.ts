// Turns what SQLite and the file system report into the one error of stores. It must not know
// what was being done beyond the words it is given.
import { StoreError } from "@pawl/store/store-error";
import type { StoreErrorCode } from "@pawl/store/store-error";

/** Primary result codes of SQLite (the low byte), by what they mean here. */
const codeOfResult: Readonly<Record<number, StoreErrorCode>> = {
  5: "store_locked", // SQLITE_BUSY
  6: "store_locked", // SQLITE_LOCKED
  8: "store_full", // SQLITE_READONLY
  11: "store_damaged", // SQLITE_CORRUPT
  13: "store_full", // SQLITE_FULL
  26: "store_damaged", // SQLITE_NOTADB
};

const codeOfErrno: Readonly<Record<string, StoreErrorCode>> = {
  EACCES: "store_full",
  EPERM: "store_full",
  EROFS: "store_full",
  ENOSPC: "store_full",
  EDQUOT: "store_full",
};

const adviceOf: Readonly<Record<StoreErrorCode, string>> = {
  store_full:
    "Make room on the disk or give this user the right to write there, then try again; nothing that was acknowledged is lost.",
  store_locked: "Stop the other process that uses it, or choose another file.",
  store_damaged: "Keep the file, run `pawl doctor` on a copy of it, and restore a backup.",
  store_newer_schema: "Run the version of Pawl that wrote it, or a newer one.",
  store_fenced: "This owner must stop writing.",
  store_closed: "Open the store first.",
  store_failed: "Nothing of the failed work was written.",
};

/** The error for people: what failed, on which file, why, and what to do. */
export function toStoreError(error: unknown, doing: string, path: string): StoreError {
  if (error instanceof StoreError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const code = storeErrorCode(error);
  return new StoreError(code, `Could not ${doing} ${path}: ${reason}. ${adviceOf[code]}`, {
    cause: error,
  });
}

function storeErrorCode(error: unknown): StoreErrorCode {
  if (typeof error !== "object" || error === null) return "store_failed";
  if ("errcode" in error && typeof error.errcode === "number") {
    return codeOfResult[error.errcode & 0xff] ?? "store_failed";
  }
  if ("code" in error && typeof error.code === "string") {
    return codeOfErrno[error.code] ?? "store_failed";
  }
  return "store_failed";
}
