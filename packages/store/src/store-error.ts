// The one error of all stores.

export type StoreErrorCode =
  /** The disk has no room, or may not be written. */
  | "store_full"
  /** Another process holds the database. */
  | "store_locked"
  /** The file is not a database, or is damaged. */
  | "store_damaged"
  /** The database was written by a newer version of Pawl. */
  | "store_newer_schema"
  /** A later owner has taken over; this one must stop writing. */
  | "store_fenced"
  /** The store was closed, or never opened. */
  | "store_closed"
  /** Anything else the database reports. */
  | "store_failed";

/** What happened, to which database, and what to do next. Branch on `code`, not on `message`. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
