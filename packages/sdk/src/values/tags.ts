// The vocabulary of the sidecar that travels beside plain JSON (VALUES.md): which kinds of value
// JSON alone would lose, and the names they have on the wire. It knows nothing of steps or events.

/** Kinds of binary value; on the wire their names are these in lower case. */
export const binaryTags = [
  "arraybuffer",
  "dataview",
  "int8array",
  "uint8array",
  "uint8clampedarray",
  "int16array",
  "uint16array",
  "int32array",
  "uint32array",
  "float32array",
  "float64array",
  "bigint64array",
  "biguint64array",
] as const;

export type BinaryTag = (typeof binaryTags)[number];

/** What a place in the plain data really is. */
export type TypeTag =
  | "undefined"
  | "nan"
  | "infinity"
  | "-infinity"
  | "-0"
  | "bigint"
  | "date"
  | "url"
  | "regexp"
  | "map"
  | "set"
  | "error"
  | BinaryTag;

/**
 * The sidecar: JSON Pointer (RFC 6901) into the plain data -> what stands there. Readers ignore
 * names they do not know and keep the plain data.
 */
export type TypeNotes = Readonly<Record<string, string>>;

/** Containers inside containers; deeper values are refused with `value_too_deep`. */
export const valueDepthMax = 500;

/** One reference token of a JSON Pointer, escaped. */
export function escapeToken(token: string): string {
  return token.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** The inverse of `escapeToken`. */
export function unescapeToken(token: string): string {
  return token.replaceAll("~1", "/").replaceAll("~0", "~");
}

/** Sets an own property, also when it is called `__proto__`. */
export function setOwn(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
