// The one error of this package. Callers branch on `code`, never on the message; the message is
// written for the person whose request or setting is at fault. It must not know HTTP statuses.

/** Why something that came from outside was refused. Closed: a new reason is a new member. */
export type ProtocolErrorCode =
  /** Text that should be JSON (or JSON of a certain kind) is not. */
  | "json_invalid"
  /** A body is larger than its limit; thrown by those who read bodies. */
  | "body_too_large"
  /** An event has a field of the wrong type, a missing or a reserved name, or is no object. */
  | "event_invalid"
  /** One event exceeds the limit of bytes. */
  | "event_too_large"
  /** The name of an event exceeds the limit of characters. */
  | "event_name_too_long"
  /** One request brings more events than allowed. */
  | "too_many_events"
  /** A registration is malformed; the message names the function and the field. */
  | "registration_invalid"
  /** An opcode is malformed; the message names its place in the list and the field. */
  | "opcode_invalid"
  /** A checkpoint is malformed; the message names the field. */
  | "checkpoint_invalid"
  /** A signature is missing, malformed or made with another key or body. */
  | "signature_invalid"
  /** A signature is older, or further in the future, than the window allows. */
  | "signature_expired"
  /** A signing key is not an even number of hex digits after its prefix. */
  | "signing_key_invalid"
  /** Text that should be a duration is none; thrown by callers of `parseDuration`. */
  | "duration_invalid"
  /** Text that should be a ULID is none, or a time that no ULID can carry. */
  | "ulid_invalid";

export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code: ProtocolErrorCode;

  constructor(code: ProtocolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
