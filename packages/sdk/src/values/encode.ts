// Turns a value of user code into plain JSON data and a sidecar that says what the JSON lost
// (VALUES.md). The data is always a fresh copy, so later changes to the value do not reach it.
// It knows nothing of steps or events.
import type { JsonValue } from "@pawl/protocol/json-text";
import { PawlError } from "../errors.ts";
import { binaryTagOf, bytesOf, bytesToBase64 } from "./bytes.ts";
import { escapeToken, setOwn, valueDepthMax, type TypeNotes, type TypeTag } from "./tags.ts";

/** Plain data and its sidecar; `types` is null when plain JSON says everything. */
export interface EncodedValue {
  readonly data: JsonValue;
  readonly types: TypeNotes | null;
}

interface Walk {
  readonly path: string[];
  readonly ancestors: object[];
  notes: Record<string, TypeTag> | null;
}

/**
 * Encodes any supported value. Throws `PawlError` with `value_unsupported` (functions, symbols,
 * class instances without `toJSON`), `value_cyclic` or `value_too_deep`, naming the place.
 */
export function encodeValue(value: unknown): EncodedValue {
  const walk: Walk = { path: [], ancestors: [], notes: null };
  const data = encode(walk, value);
  return { data, types: walk.notes };
}

function encode(walk: Walk, value: unknown): JsonValue {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return encodeNumber(walk, value);
    case "undefined":
      return noted(walk, "undefined", null);
    case "bigint":
      return noted(walk, "bigint", value.toString());
    case "object":
      return value === null ? null : encodeObject(walk, value);
    case "function":
    case "symbol":
      throw unsupported(walk, `a ${typeof value}`);
  }
}

function encodeNumber(walk: Walk, value: number): JsonValue {
  if (Number.isNaN(value)) return noted(walk, "nan", null);
  if (value === Infinity) return noted(walk, "infinity", null);
  if (value === -Infinity) return noted(walk, "-infinity", null);
  return Object.is(value, -0) ? noted(walk, "-0", 0) : value;
}

function encodeObject(walk: Walk, value: object): JsonValue {
  if (walk.ancestors.includes(value)) {
    throw new PawlError("value_cyclic", `The value at ${place(walk)} contains itself.`);
  }
  if (walk.ancestors.length >= valueDepthMax) {
    const limit = `${valueDepthMax} containers inside one another`;
    throw new PawlError("value_too_deep", `The value is nested deeper than ${limit}.`);
  }
  walk.ancestors.push(value);
  const data = encodeBranded(walk, value);
  walk.ancestors.pop();
  return data;
}

/** The brand survives realms, where `instanceof` does not (test runners run code in other realms). */
function brandOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

function encodeBranded(walk: Walk, value: object): JsonValue {
  if (Array.isArray(value)) return encodeItems(walk, value);
  const brand = brandOf(value);
  if (brand === "Error" || value instanceof Error) return encodeError(walk, value);
  if (brand === "Object") return encodeRecord(walk, value);
  if (brand === "Date") return encodeDate(walk, value as Date); // proof: by brand
  if (brand === "Map") {
    note(walk, "map");
    return encodeItems(walk, [...(value as Map<unknown, unknown>)]); // proof: by brand
  }
  if (brand === "Set") {
    note(walk, "set");
    return encodeItems(walk, [...(value as Set<unknown>)]); // proof: by brand
  }
  if (brand === "URL") return noted(walk, "url", (value as URL).href); // proof: by brand
  if (brand === "RegExp") {
    const { source, flags } = value as RegExp; // proof: by brand
    return noted(walk, "regexp", { source, flags });
  }
  const binary = binaryTagOf(brand);
  if (binary !== null) {
    const bytes = bytesOf(value as ArrayBuffer | ArrayBufferView); // proof: by brand
    return noted(walk, binary, bytesToBase64(bytes));
  }
  return encodeRecord(walk, value);
}

function encodeDate(walk: Walk, value: Date): JsonValue {
  return noted(walk, "date", Number.isNaN(value.getTime()) ? null : value.toISOString());
}

function encodeItems(walk: Walk, items: readonly unknown[]): JsonValue {
  const data: JsonValue[] = [];
  for (let index = 0; index < items.length; index += 1) {
    walk.path.push(String(index));
    data.push(encode(walk, items[index]));
    walk.path.pop();
  }
  return data;
}

interface HasToJson {
  toJSON(key: string): unknown;
}

function hasToJson(value: object): value is HasToJson {
  return "toJSON" in value && typeof value.toJSON === "function";
}

function encodeRecord(walk: Walk, value: object): JsonValue {
  if (hasToJson(value)) return encode(walk, value.toJSON(walk.path.at(-1) ?? ""));
  const prototype: unknown = Object.getPrototypeOf(value);
  const plain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (!plain) {
    const name = value.constructor.name || "unnamed class";
    throw unsupported(walk, `an instance of ${name}, which has no toJSON method`);
  }
  const data = {};
  for (const [key, member] of Object.entries(value)) encodeMember(walk, data, key, member);
  return data;
}

/** An undefined member stays out of the data, as in ordinary JSON; only the sidecar knows it. */
function encodeMember(walk: Walk, data: object, key: string, member: unknown): void {
  walk.path.push(key);
  const encoded = encode(walk, member);
  if (member !== undefined) {
    if (key === "__proto__") setOwn(data, key, encoded);
    else Reflect.set(data, key, encoded);
  }
  walk.path.pop();
}

const errorMembers = new Set(["name", "message", "stack", "cause", "errors"]);

function encodeError(walk: Walk, value: object): JsonValue {
  note(walk, "error");
  const error = value as Error & { errors?: unknown }; // proof: by brand or instanceof
  const data = {};
  encodeMember(walk, data, "name", error.name);
  encodeMember(walk, data, "message", error.message);
  if (typeof error.stack === "string") encodeMember(walk, data, "stack", error.stack);
  for (const key of ["cause", "errors"] as const) {
    if (Object.hasOwn(error, key)) encodeLeniently(walk, data, key, error[key]);
  }
  for (const [key, member] of Object.entries(error)) {
    if (!errorMembers.has(key)) encodeLeniently(walk, data, key, member);
  }
  return data;
}

/** Errors drag sockets and requests along; what cannot be carried is left out of an error. */
function encodeLeniently(walk: Walk, data: object, key: string, member: unknown): void {
  const depth = { path: walk.path.length, ancestors: walk.ancestors.length };
  const notes = walk.notes === null ? null : { ...walk.notes };
  try {
    encodeMember(walk, data, key, member);
  } catch {
    walk.path.length = depth.path;
    walk.ancestors.length = depth.ancestors;
    walk.notes = notes;
  }
}

function note(walk: Walk, tag: TypeTag): void {
  walk.notes ??= {};
  walk.notes[walk.path.map((token) => `/${escapeToken(token)}`).join("")] = tag;
}

function noted(walk: Walk, tag: TypeTag, data: JsonValue): JsonValue {
  note(walk, tag);
  return data;
}

function place(walk: Walk): string {
  return walk.path.length === 0 ? "the top" : `"${walk.path.join(".")}"`;
}

function unsupported(walk: Walk, what: string): PawlError {
  return new PawlError(
    "value_unsupported",
    `The value at ${place(walk)} is ${what}, and cannot be recorded. Return plain data instead.`,
  );
}
