// JSON carried as text. Payloads travel through Pawl as the characters that arrived: they are
// stored once, compared as text, and spliced into requests; parsing is only for looking inside.
// This file must not know what a payload means.

declare const jsonText: unique symbol;

/** A string that is known to be one complete JSON value. */
export type JsonText = string & { readonly [jsonText]: true };

/** Any value that JSON can carry. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export const jsonNull = "null" as JsonText; // proof: `null` is a JSON value

/** Serialises a plain value. The value must be representable in JSON (`undefined` becomes null). */
export function toJsonText(value: unknown): JsonText {
  return (JSON.stringify(value) ?? "null") as JsonText; // proof: stringify yields JSON or undefined
}

/** Parses text that is already known to be JSON; a failure here is a broken promise of ours. */
export function fromJsonText(text: JsonText): JsonValue {
  return JSON.parse(text) as JsonValue; // proof: JSON.parse yields JSON values
}
