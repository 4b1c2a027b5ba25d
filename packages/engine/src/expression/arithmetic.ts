// The operators + - * / % over numbers, times, texts, lists and bytes. Ints are 64 bits and
// checked; int against double computes in doubles; null in, null out. This file must not know the
// syntax tree.
import { Fault } from "./expression-error.ts";
import { spend, spendText, type Frame } from "./frame.ts";
import { Duration, isList, kindOf, numeric, textOf, Timestamp, Uint, type Value } from "./value.ts";

export type Operator = "+" | "-" | "*" | "/" | "%";

const intMin = -(2n ** 63n);
const intMax = 2n ** 63n - 1n;
const uintMax = 2n ** 64n - 1n;
/** The years 1 to 9999, as CEL has them. */
const timestampMinMs = -62_135_596_800_000;
const timestampMaxMs = 253_402_300_799_999;

function outOfRange(type: string): Fault {
  return new Fault("expression_arithmetic", `${type} out of range`);
}

export function toInt(value: bigint): bigint {
  if (value < intMin || value > intMax) throw outOfRange("int");
  return value;
}

export function toUint(value: bigint): Uint {
  if (value < 0n || value > uintMax) throw outOfRange("uint");
  return new Uint(value);
}

export function toTimestamp(ms: number): Timestamp {
  // Written so that NaN is out of range too.
  if (!(ms >= timestampMinMs && ms <= timestampMaxMs)) throw outOfRange("timestamp");
  return new Timestamp(ms);
}

export function toDuration(ms: number): Duration {
  if (!(Math.abs(ms) <= timestampMaxMs - timestampMinMs)) throw outOfRange("duration");
  return new Duration(ms);
}

function doubles(operator: Operator, a: number, b: number): number {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "%":
      if (b === 0) throw new Fault("expression_arithmetic", "remainder of a division by zero");
      return a % b;
  }
}

function integers(operator: Operator, a: bigint, b: bigint): bigint {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    default:
      if (b === 0n) throw new Fault("expression_arithmetic", "division by zero");
      return operator === "/" ? a / b : a % b;
  }
}

function times(operator: Operator, a: Value, b: Value): Value | undefined {
  if (operator !== "+" && operator !== "-") return undefined;
  const factor = operator === "+" ? 1 : -1;
  if (b instanceof Duration) {
    if (a instanceof Timestamp) return toTimestamp(a.ms + factor * b.ms);
    if (a instanceof Duration) return toDuration(a.ms + factor * b.ms);
  }
  if (!(b instanceof Timestamp)) return undefined;
  if (operator === "-") return a instanceof Timestamp ? toDuration(a.ms - b.ms) : undefined;
  return a instanceof Duration ? toTimestamp(a.ms + b.ms) : undefined;
}

function joined(frame: Frame, a: Value, b: Value): Value | undefined {
  if (typeof a === "string" || typeof b === "string") {
    const left = textOf(a);
    const right = textOf(b);
    spendText(frame, left.length + right.length);
    return left + right;
  }
  if (isList(a) && isList(b)) {
    spend(frame, a.length + b.length);
    return [...a, ...b];
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    spendText(frame, a.length + b.length);
    const bytes = new Uint8Array(a.length + b.length);
    bytes.set(a);
    bytes.set(b, a.length);
    return bytes;
  }
  return undefined;
}

/** `a operator b`. Faults: `expression_arithmetic`, `expression_type`. */
export function calculate(frame: Frame, operator: Operator, a: Value, b: Value): Value {
  if (typeof a === "number" && typeof b === "number") return doubles(operator, a, b);
  const text = operator === "+" ? joined(frame, a, b) : undefined;
  if (text !== undefined) return text;
  if (a === null || b === null) return null;
  if (a instanceof Uint && b instanceof Uint) return toUint(integers(operator, a.value, b.value));
  const left = numeric(a);
  const right = numeric(b);
  if (left !== undefined && right !== undefined) {
    return typeof left === "bigint" && typeof right === "bigint"
      ? toInt(integers(operator, left, right))
      : doubles(operator, Number(left), Number(right));
  }
  const result = times(operator, a, b);
  if (result !== undefined) return result;
  throw new Fault("expression_type", `no ${operator} between ${kindOf(a)} and ${kindOf(b)}`);
}

/** `-a`. */
export function negate(value: Value): Value {
  if (value === null) return null;
  if (typeof value === "number") return -value;
  if (typeof value === "bigint") return toInt(-value);
  if (value instanceof Duration) return new Duration(-value.ms);
  throw new Fault("expression_type", `${kindOf(value)} has no negative`);
}
