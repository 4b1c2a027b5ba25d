// The one error of the server: a request or command that the shells could not carry out. What the
// engine refuses is a reply, not an error; this is for everything around it.
import type { EngineCode } from "@pawl/engine/codes";
import { StoreError, type StoreErrorCode } from "@pawl/store/store-error";

export type ServerErrorCode =
  /** Too many commands wait to be decided; nothing was done, try again. */
  | "overloaded"
  /** The server is draining: it finishes what it has and takes nothing new. */
  | "draining"
  /** The server has stopped. */
  | "stopped"
  /** The entity lies in a shard of another process; nothing was done, ask that one. */
  | "shard_elsewhere"
  /** Deciding the command broke a promise of ours; nothing was done. The log tells more. */
  | "engine_fault"
  /** A config file cannot be found, read or parsed, or there is more than one. */
  | "config_file_invalid"
  /** A config file or command line names an option that does not exist. */
  | "option_unknown"
  /** An option has a value that it cannot have, or lacks one that it must have. */
  | "option_invalid"
  /** A query parameter has a value that cannot be used. */
  | "parameter_invalid"
  /** A search expression does not compile, or reads what is not there; the message says where. */
  | "expression_invalid"
  /** A body is JSON, but not what the route takes. */
  | "body_invalid"
  /** One request brings more spans than it may. */
  | "spans_too_many"
  /** What was asked for is known, but not part of this server. */
  | "not_implemented"
  /** There is no event with this id. */
  | "event_not_found"
  /** There is no input or output with this id. */
  | "output_not_found"
  /** An app could not be brought into sync; the message says why. */
  | "app_sync_failed"
  /** A GraphQL query asks for more than one of the limits allows. */
  | "query_too_large"
  /** What the engine refused, for APIs that cannot hand a reply on. */
  | EngineCode
  /** Another process listens on the port. */
  | "port_taken"
  /** The address cannot be listened on. */
  | "host_unavailable"
  /** The store refused; nothing was done. */
  | StoreErrorCode;

/** What could not be done, why, and what to do next. Branch on `code`, not on `message`. */
export class ServerError extends Error {
  override readonly name = "ServerError";
  readonly code: ServerErrorCode;

  constructor(code: ServerErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** A body that is JSON, but not what the route takes: `body_invalid`, and what is wrong with it. */
export class BodyError extends ServerError {
  /** A field is not there, or holds what it cannot hold; null: it is something else. */
  readonly fault: "missing" | "format" | null;

  constructor(message: string, fault: BodyError["fault"]) {
    super("body_invalid", message);
    this.fault = fault;
  }
}

/** The failure of a store call as a `ServerError`; anything but a `StoreError` is `store_failed`. */
export function fromStoreFailure(failure: unknown): ServerError {
  if (failure instanceof ServerError) return failure;
  if (failure instanceof StoreError)
    return new ServerError(failure.code, failure.message, { cause: failure });
  return new ServerError("store_failed", `The store failed unexpectedly: ${messageOf(failure)}`, {
    cause: failure,
  });
}

/** The message of whatever was thrown. */
export function messageOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}
