// The tables of functions and methods: conversions, sizes and optionals here, texts and times in
// their files. This file must not know the syntax tree.
import { toInt, toUint } from "./arithmetic.ts";
import { Fault } from "./expression-error.ts";
import { spend, spendText, type Frame } from "./frame.ts";
import { argument, operation, operationOnNull, type Operation } from "./operation.ts";
import { keysOf } from "./operators.ts";
import { textFunctions, textMethods } from "./text-operations.ts";
import { timeFunctions, timeMethods } from "./time-operations.ts";
import {
  isList,
  kindOf,
  numeric,
  Optional,
  textOf,
  Timestamp,
  typeOf,
  type Value,
} from "./value.ts";

function cannot(value: Value, type: string): Fault {
  return new Fault("expression_conversion", `${kindOf(value)} does not convert to ${type}`);
}

/** Numeric texts longer than this are refused before any pattern looks at them. */
const numberCharsMax = 64;

function wholeNumber(value: Value, type: string): bigint {
  if (value instanceof Timestamp) return BigInt(Math.floor(value.ms / 1000));
  if (typeof value === "string") {
    if (value.length > numberCharsMax || !/^[+-]?\d+$/.test(value)) throw cannot(value, type);
    return BigInt(value.startsWith("+") ? value.slice(1) : value);
  }
  const number = numeric(value);
  if (number === undefined) throw cannot(value, type);
  if (typeof number === "bigint") return number;
  if (!Number.isFinite(number)) throw cannot(value, type);
  return BigInt(Math.trunc(number));
}

function double(_: Frame, args: readonly Value[]): Value {
  const value = argument(args, 0);
  const number = numeric(value);
  if (number !== undefined) return Number(number);
  if (typeof value !== "string" || value.length > numberCharsMax) throw cannot(value, "double");
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value)) return Number(value);
  const named = /^[+-]?(inf|infinity)$/i.test(value)
    ? (value.startsWith("-") ? -1 : 1) * Infinity
    : undefined;
  if (named === undefined && value !== "NaN") throw cannot(value, "double");
  return named ?? Number.NaN;
}

const bools: ReadonlyMap<Value, boolean> = new Map<Value, boolean>([
  ...["1", "t", "T", "true", "True", "TRUE"].map((text): [Value, boolean] => [text, true]),
  ...["0", "f", "F", "false", "False", "FALSE"].map((text): [Value, boolean] => [text, false]),
  [true, true],
  [false, false],
]);

function bool(_: Frame, args: readonly Value[]): Value {
  const value = bools.get(argument(args, 0));
  if (value === undefined) throw cannot(argument(args, 0), "bool");
  return value;
}

function string(frame: Frame, args: readonly Value[]): Value {
  const value = argument(args, 0);
  if (!(value instanceof Uint8Array)) return textOf(value);
  spendText(frame, value.length);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(value);
  } catch {
    throw new Fault("expression_conversion", "the bytes are not UTF-8");
  }
}

function bytes(frame: Frame, args: readonly Value[]): Value {
  const value = argument(args, 0);
  if (value instanceof Uint8Array) return value;
  if (typeof value !== "string") throw cannot(value, "bytes");
  spendText(frame, value.length);
  return new TextEncoder().encode(value);
}

/** Texts count in characters, not in UTF-16 units. */
function size(frame: Frame, args: readonly Value[]): Value {
  const value = argument(args, 0);
  if (value === null) return 0n;
  if (typeof value === "string") {
    spendText(frame, value.length);
    let count = 0;
    for (const _ of value) count += 1;
    return BigInt(count);
  }
  if (isList(value) || value instanceof Uint8Array) return BigInt(value.length);
  const keys = keysOf(value);
  if (keys === undefined) throw new Fault("expression_type", `${kindOf(value)} has no size`);
  spend(frame, keys.length);
  return BigInt(keys.length);
}

/** Null counts as an absent optional, any other plain value as a present one. */
function optionalOf(value: Value): Optional {
  if (value instanceof Optional) return value;
  return new Optional(value ?? undefined);
}

function valueOf(_: Frame, args: readonly Value[]): Value {
  return optionalOf(argument(args, 0)).value ?? null;
}

const functions: ReadonlyMap<string, Operation> = new Map([
  ["size", operationOnNull([1, 1], size)],
  ["int", operation([1, 1], (_, args) => toInt(wholeNumber(argument(args, 0), "int")))],
  ["uint", operation([1, 1], (_, args) => toUint(wholeNumber(argument(args, 0), "uint")))],
  ["double", operation([1, 1], double)],
  ["bool", operation([1, 1], bool)],
  ["string", operation([1, 1], string)],
  ["bytes", operation([1, 1], bytes)],
  ["dyn", operation([1, 1], (_, args) => argument(args, 0))],
  ["type", operationOnNull([1, 1], (_, args) => typeOf(argument(args, 0)))],
  ...textFunctions,
  ...timeFunctions,
]);

const methods: ReadonlyMap<string, Operation> = new Map([
  ["size", operationOnNull([1, 1], size)],
  [
    "hasValue",
    operationOnNull([1, 1], (_, args) => optionalOf(argument(args, 0)).value !== undefined),
  ],
  ["value", operationOnNull([1, 1], valueOf)],
  [
    "orValue",
    operationOnNull([2, 2], (_, args) => optionalOf(argument(args, 0)).value ?? argument(args, 1)),
  ],
  [
    "or",
    operationOnNull([2, 2], (_, args) => {
      const first = optionalOf(argument(args, 0));
      return first.value === undefined ? optionalOf(argument(args, 1)) : first;
    }),
  ],
  ...textMethods,
  ...timeMethods,
]);

/** Functions that are written behind a name and a dot. */
const qualified: ReadonlyMap<string, Operation> = new Map([
  ["optional.of", operationOnNull([1, 1], (_, args) => new Optional(argument(args, 0)))],
  ["optional.none", operationOnNull([0, 0], () => new Optional(undefined))],
  ["optional.ofNonZeroValue", operationOnNull([1, 1], (_, args) => nonZero(argument(args, 0)))],
]);

function nonZero(value: Value): Optional {
  const empty =
    value === null ||
    value === false ||
    value === "" ||
    numeric(value) === 0 ||
    numeric(value) === 0n ||
    (isList(value) && value.length === 0) ||
    keysOf(value)?.length === 0;
  return new Optional(empty ? undefined : value);
}

export function functionNamed(name: string): Operation | undefined {
  return functions.get(name);
}

export function methodNamed(name: string): Operation | undefined {
  return methods.get(name);
}

export function qualifiedNamed(namespace: string, name: string): Operation | undefined {
  return qualified.get(`${namespace}.${name}`);
}
