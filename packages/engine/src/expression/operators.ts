// Equality, order and membership, made lenient as README.md says. This file must not know the
// syntax tree, nor arithmetic.
import { Fault } from "./expression-error.ts";
import { spend, spendText, type Frame } from "./frame.ts";
import { expressionLimits } from "./limits.ts";
import {
  Duration,
  isJsonObject,
  isList,
  isMadeMap,
  kindOf,
  mapKey,
  numeric,
  Optional,
  Timestamp,
  type Value,
} from "./value.ts";

/** Comparing texts up to this length is free. */
const shortText = 64;

/** The number of entries when the value is a map of either kind, else undefined. */
function sizeOfMap(value: Value): number | undefined {
  if (isMadeMap(value)) return value.size;
  return isJsonObject(value) ? Object.keys(value).length : undefined;
}

/** The keys of a map of either kind; undefined for other values. */
export function keysOf(value: Value): readonly Value[] | undefined {
  if (isMadeMap(value)) return [...value.keys()];
  return isJsonObject(value) ? Object.keys(value) : undefined;
}

function isKey(key: Value): boolean {
  return typeof key === "string" || typeof key === "boolean" || numeric(key) !== undefined;
}

/** Own members only; undefined when there is none, or the value has no members. */
export function member(value: Value, key: Value): Value | undefined {
  if (value === null || typeof value !== "object") return undefined;
  if (isJsonObject(value)) {
    return typeof key === "string" && Object.hasOwn(value, key) ? (value[key] ?? null) : undefined;
  }
  if (isList(value)) {
    const position = numeric(key);
    return position === undefined ? undefined : value[Number(position)];
  }
  if (isMadeMap(value)) return isKey(key) ? value.get(mapKey(key)) : undefined;
  return value instanceof Optional && value.value !== undefined
    ? member(value.value, key)
    : undefined;
}

/** What `a.name` and `a[key]` are: null when there is nothing; an optional stays optional. */
export function select(value: Value, key: Value): Value {
  const found = member(value, key);
  return value instanceof Optional ? new Optional(found) : (found ?? null);
}

function sameNumber(a: number | bigint, b: number | bigint): boolean {
  // Order between double and int is exact in JavaScript; `===` between them is always false.
  return a <= b && a >= b;
}

function sameText(frame: Frame, a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  if (a.length > shortText) spendText(frame, a.length);
  return a === b;
}

function sameList(frame: Frame, a: readonly Value[], b: readonly Value[], depth: number): boolean {
  if (a.length !== b.length) return false;
  spend(frame, a.length);
  return a.every((item, position) => equals(frame, item, b[position] ?? null, depth + 1));
}

function sameMap(frame: Frame, a: Value, b: Value, depth: number): boolean {
  const size = sizeOfMap(a);
  if (size === undefined) return false;
  spend(frame, size);
  if (size !== sizeOfMap(b)) return false;
  return (keysOf(a) ?? []).every((key) => {
    const other = member(b, key);
    return other !== undefined && equals(frame, member(a, key) ?? null, other, depth + 1);
  });
}

function sameBytes(frame: Frame, a: Uint8Array, b: Uint8Array): boolean {
  spendText(frame, a.length);
  return a.length === b.length && a.every((byte, position) => byte === b[position]);
}

/** Deep equality. Numbers are equal across their types, everything else only within a type. */
export function equals(frame: Frame, a: Value, b: Value, depth = 0): boolean {
  if (typeof a === "string") return typeof b === "string" && sameText(frame, a, b);
  if (a === b) return true;
  const number = numeric(a);
  if (number !== undefined) {
    const other = numeric(b);
    return other !== undefined && sameNumber(number, other);
  }
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (depth >= expressionLimits.depthMax)
    throw new Fault("expression_too_deep", "compared values are nested too deep");
  if (isList(a)) return isList(b) && sameList(frame, a, b, depth);
  if (a instanceof Timestamp) return b instanceof Timestamp && a.ms === b.ms;
  if (a instanceof Duration) return b instanceof Duration && a.ms === b.ms;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && sameBytes(frame, a, b);
  if (a instanceof Optional) {
    if (!(b instanceof Optional)) return false;
    if (a.value === undefined || b.value === undefined) return a.value === b.value;
    return equals(frame, a.value, b.value, depth + 1);
  }
  return sameMap(frame, a, b, depth);
}

function sign<T extends string | number | bigint | boolean>(a: T, b: T): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return a >= b ? 0 : Number.NaN;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, position) => byte !== b[position]);
  if (at === -1) return sign(a.length, b.length);
  return sign(a[at] ?? -1, b[at] ?? -1);
}

/**
 * Negative, zero or positive; NaN when a NaN is among them, so that every comparison with it is
 * false. Null is below everything. Texts compare by UTF-16 units. Values of different types do
 * not compare: Fault `expression_type`.
 */
export function compare(frame: Frame, a: Value, b: Value): number {
  if (a === null || b === null) return sign(a === null ? 0 : 1, b === null ? 0 : 1);
  if (typeof a === "string" && typeof b === "string") {
    if (a.length > shortText) spendText(frame, a.length);
    return sign(a, b);
  }
  const left = numeric(a);
  const right = numeric(b);
  if (left !== undefined && right !== undefined) return sign<number | bigint>(left, right);
  if (typeof a === "boolean" && typeof b === "boolean") return sign(a, b);
  if (a instanceof Timestamp && b instanceof Timestamp) return sign(a.ms, b.ms);
  if (a instanceof Duration && b instanceof Duration) return sign(a.ms, b.ms);
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    spendText(frame, a.length);
    return compareBytes(a, b);
  }
  throw new Fault("expression_type", `${kindOf(a)} and ${kindOf(b)} have no order`);
}

/** The operator `in`: element of a list, or key of a map; nothing is in null. */
export function contains(frame: Frame, container: Value, item: Value): boolean {
  if (container === null) return false;
  if (isList(container)) {
    spend(frame, container.length);
    return container.some((element) => equals(frame, element, item));
  }
  if (container instanceof Optional) return contains(frame, container.value ?? null, item);
  if (sizeOfMap(container) !== undefined) return member(container, item) !== undefined;
  throw new Fault("expression_type", `nothing is in a ${kindOf(container)}`);
}

/** What a condition says: null is false, and only booleans and null say anything. */
export function truth(value: Value): boolean {
  if (value === true || value === false) return value;
  if (value === null) return false;
  throw new Fault("expression_type", `a condition is ${kindOf(value)} and not bool`);
}
