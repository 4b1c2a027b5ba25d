// The values that expressions compute with: what JSON can carry, as it is, and the types of CEL
// that JSON has not. This file must not know operators, functions or the syntax tree.
import type { JsonValue } from "@pawl/protocol/json-text";
import { Fault } from "./expression-error.ts";
import { expressionLimits } from "./limits.ts";

/** An unsigned 64-bit integer. */
export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

/** A moment: ms since the epoch. */
export class Timestamp {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
}

/** A span of time in ms; negative: backwards. */
export class Duration {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
}

/** A type as a value: what `type(x)` returns. One object per type, so identity is equality. */
export class CelType {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A value that may be absent; `undefined` when it is. */
export class Optional {
  readonly value: Value | undefined;
  constructor(value: Value | undefined) {
    this.value = value;
  }
}

export type MapKey = string | number | boolean | bigint;

/** The keys of JSON objects are own properties only: nothing is ever read from a prototype. */
export type JsonObject = { readonly [key: string]: JsonValue };

/** `number` is a double, as every number in JSON; `bigint` is an int of 64 bits. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Value[]
  | JsonObject
  | ReadonlyMap<MapKey, Value>
  | Uint8Array
  | Uint
  | Timestamp
  | Duration
  | CelType
  | Optional;

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** Whether it is a map that an expression made. */
export function isMadeMap(value: Value): value is ReadonlyMap<MapKey, Value> {
  return value instanceof Map;
}

/** Whether it is an object as JSON.parse makes them, and none of the classes here. */
export function isJsonObject(value: Value): value is JsonObject {
  if (value === null || typeof value !== "object") return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The number inside, for all three numeric types; undefined for other values. */
export function numeric(value: Value): number | bigint | undefined {
  if (typeof value === "number" || typeof value === "bigint") return value;
  return value instanceof Uint ? value.value : undefined;
}

/** The name of a value's type, as CEL has it. */
export function kindOf(value: Value): string {
  if (value === null) return "null_type";
  if (typeof value === "string") return "string";
  if (typeof value === "number") return "double";
  if (typeof value === "bigint") return "int";
  if (typeof value === "boolean") return "bool";
  if (isList(value)) return "list";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Uint) return "uint";
  if (value instanceof Timestamp) return "google.protobuf.Timestamp";
  if (value instanceof Duration) return "google.protobuf.Duration";
  if (value instanceof CelType) return "type";
  return value instanceof Optional ? "optional_type" : "map";
}

const typeNames = [
  ..."null_type bool int uint double string bytes list map type optional_type".split(" "),
  "google.protobuf.Timestamp",
  "google.protobuf.Duration",
];

/** The types by the name under which an expression can write them. */
export const types: ReadonlyMap<string, CelType> = new Map(
  typeNames.map((name) => [name, new CelType(name)]),
);

export function typeOf(value: Value): CelType {
  const type = types.get(kindOf(value));
  if (type === undefined) throw new Fault("expression_defect", "a type without a name");
  return type;
}

/** One form for keys that are equal: integers of every type become the same number. */
export function mapKey(value: Value): MapKey {
  if (typeof value === "string" || typeof value === "boolean") return value;
  const number = numeric(value);
  if (number === undefined) throw new Fault("expression_type", `${kindOf(value)} cannot be a key`);
  const small = Number(number);
  return Number.isSafeInteger(small) ? small : number;
}

/** How a value reads inside a text; null is the empty text. */
export function textOf(value: Value): string {
  if (typeof value === "string") return value;
  if (value === null) return "";
  if (typeof value === "boolean" || typeof value === "number" || typeof value === "bigint") {
    return String(value);
  }
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Timestamp) return new Date(value.ms).toISOString();
  if (value instanceof Duration) return `${value.ms / 1000}s`;
  if (value instanceof CelType) return value.name;
  throw new Fault("expression_type", `${kindOf(value)} has no text`);
}

export function base64Of(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/**
 * The value as JSON carries it: integers as numbers (rounded beyond 2^53), times as text, bytes as
 * base64, numbers that JSON lacks as their names, an absent optional as null. `spend` is called
 * with the number of elements before they are visited.
 */
export function toJson(value: Value, spend: (cost: number) => void, depth = 0): JsonValue {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  const number = numeric(value);
  if (number !== undefined) {
    const plain = Number(number);
    return Number.isFinite(plain) ? plain : String(plain);
  }
  if (depth >= expressionLimits.depthMax)
    throw new Fault("expression_too_deep", "the result is nested too deep");
  if (isList(value)) {
    spend(value.length);
    return value.map((item) => toJson(item, spend, depth + 1));
  }
  if (isMadeMap(value)) {
    spend(value.size);
    const entries = [...value].map(([key, item]): [string, JsonValue] => [
      String(key),
      toJson(item, spend, depth + 1),
    ]);
    return Object.fromEntries(entries);
  }
  if (isJsonObject(value)) {
    const keys = Object.keys(value);
    spend(keys.length);
    return Object.fromEntries(
      keys.map((key) => [key, toJson(value[key] ?? null, spend, depth + 1)]),
    );
  }
  if (value instanceof Optional) return toJson(value.value ?? null, spend, depth + 1);
  if (value instanceof Uint8Array) {
    spend(value.length / expressionLimits.charsPerCost);
    return base64Of(value);
  }
  return textOf(value);
}
