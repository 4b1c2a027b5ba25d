// Reads one JSON object of a message: control fields by their parsed value, payloads as the text
// that arrived. Keys match exactly, else without regard to case, because Go's decoders do and its
// encoders count on it (protocol.md, conventions); null counts as absent. It must not know which
// message it reads: the caller names it for the error.
import { elementsOf, membersOf } from "./json-span.ts";
import type { JsonText, JsonValue } from "./json-text.ts";
import { ProtocolError, type ProtocolErrorCode } from "./protocol-error.ts";

export type JsonObject = { readonly [key: string]: JsonValue };

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parses a body. Throws `json_invalid`. */
export function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue; // proof: JSON.parse yields JSON values
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ProtocolError("json_invalid", `This is no valid JSON: ${reason}`, { cause });
  }
}

export class ObjectReader {
  /** The object as parsed. */
  readonly value: JsonObject;
  /** The object as it arrived. */
  readonly source: JsonText;
  readonly #where: string;
  readonly #code: ProtocolErrorCode;
  #members: Map<string, JsonText> | null = null;
  #keys: readonly string[] | null = null;

  /** `value` must be what `source` parses to; `where` begins the message of errors. */
  constructor(value: JsonObject, source: JsonText, where: string, code: ProtocolErrorCode) {
    this.value = value;
    this.source = source;
    this.#where = where;
    this.#code = code;
  }

  /** The error for a field that is not what it should be; the caller throws it. */
  wrong(name: string, expected: string): ProtocolError {
    return new ProtocolError(this.#code, `${this.#where}: ${name} must be ${expected}.`);
  }

  /** The parsed value; undefined when the field is absent or null. */
  get(name: string): JsonValue | undefined {
    const key = this.#keyOf(name);
    return key === null ? undefined : (this.value[key] ?? undefined);
  }

  /** The text as it arrived; null when the field is absent, `null` as text when it is null. */
  text(name: string): JsonText | null {
    const key = this.#keyOf(name);
    if (key === null) return null;
    this.#members ??= membersOf(this.source);
    return this.#members.get(key) ?? null;
  }

  /** A string, or null when absent. */
  string(name: string): string | null {
    const value = this.get(name);
    if (value === undefined) return null;
    if (typeof value !== "string") throw this.wrong(name, "a string");
    return value;
  }

  /** A finite number, or null when absent. */
  number(name: string): number | null {
    const value = this.get(name);
    if (value === undefined) return null;
    // 1e999 is JSON, but parses to infinity.
    if (typeof value !== "number" || !Number.isFinite(value)) throw this.wrong(name, "a number");
    return value;
  }

  /** The text of an object, or null when absent. */
  objectText(name: string): JsonText | null {
    const value = this.get(name);
    if (value === undefined) return null;
    if (!isJsonObject(value)) throw this.wrong(name, "an object");
    return this.text(name);
  }

  /** A reader of a nested object, or null when absent; its fields are named `name.field`. */
  object(name: string): ObjectReader | null {
    const value = this.get(name);
    if (value === undefined) return null;
    const source = this.objectText(name);
    if (source === null || !isJsonObject(value)) throw this.wrong(name, "an object");
    return new ObjectReader(value, source, `${this.#where}, inside ${name}`, this.#code);
  }

  /** A reader of an object found inside this one, under a name for errors. */
  nested(value: JsonObject, source: JsonText, name: string): ObjectReader {
    return new ObjectReader(value, source, `${this.#where}, inside ${name}`, this.#code);
  }

  /** The reader to use in place of a nested object that is absent. */
  emptyObject(name: string): ObjectReader {
    const source = "{}" as JsonText; // proof: an empty object is JSON
    return new ObjectReader({}, source, `${this.#where}, inside ${name}`, this.#code);
  }

  #keyOf(name: string): string | null {
    if (Object.hasOwn(this.value, name)) return name;
    this.#keys ??= Object.keys(this.value);
    for (const key of this.#keys) {
      if (key.length === name.length && key.toLowerCase() === name.toLowerCase()) return key;
    }
    return null;
  }
}

/** The elements of an array with their texts; `value` must be what `source` parses to. */
export function* elementPairs(
  value: readonly JsonValue[],
  source: JsonText,
): Generator<readonly [JsonValue, JsonText, number]> {
  const texts = elementsOf(source);
  for (const [index, element] of value.entries()) {
    const text = texts[index];
    if (text !== undefined) yield [element, text, index];
  }
}
