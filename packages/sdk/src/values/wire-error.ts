// Errors as the wire carries them (protocol.md 2.2 and 2.3): a plain object that the server stores
// and people read. Own properties and causes travel as far as plain JSON can carry them.
import type { JsonValue } from "@pawl/protocol/json-text";
import { InvokeTimeoutError, StepError, invokeTimeoutName } from "../errors.ts";
import { restoreError } from "./decode.ts";
import { encodeValue } from "./encode.ts";

/** An error on the wire; further members are the error's own properties. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly [member: string]: JsonValue | undefined;
}

/** Whatever was thrown, as a wire error. Never throws. */
export function toWireError(thrown: unknown): WireError {
  const error = thrown instanceof Error ? thrown : new Error(describeThrown(thrown));
  const { data } = encodeValue(error);
  const members = data as { name: string; message: string }; // proof: errors encode to these
  return { ...members, __serialized: true };
}

function describeThrown(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  try {
    return JSON.stringify(encodeValue(thrown).data);
  } catch {
    return String(thrown);
  }
}

/** An `Error` with its chain of causes from a wire error, also from another SDK's. */
export function fromWireError(wire: unknown): Error {
  if (wire === null || typeof wire !== "object") return new Error(String(wire));
  const { __serialized: _, cause, ...members } = wire as Record<string, unknown>; // proof: object
  const name = textOr(members["name"], "Error");
  const message = textOr(members["message"], "");
  const error = restoreError({ ...members, name, message }) ?? new Error(message);
  if (cause !== undefined && cause !== null) {
    const value = looksLikeError(cause) ? fromWireError(cause) : cause;
    Object.defineProperty(error, "cause", { value, configurable: true, writable: true });
  }
  return error;
}

/** The error that a failed step throws into user code. */
export function toStepError(stepId: string, wire: unknown): StepError {
  const error = fromWireError(wire);
  const details = {
    stepId,
    name: error.name,
    message: error.message,
    stack: error.stack ?? null,
    ...("cause" in error ? { cause: error.cause } : {}),
  };
  return error.name === invokeTimeoutName
    ? new InvokeTimeoutError(details)
    : new StepError(details);
}

function looksLikeError(value: unknown): boolean {
  if (value === null || typeof value !== "object") return false;
  return "message" in value && typeof value.message === "string";
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === "string" && value !== "" ? value : fallback;
}
