// The shape of a callable, and how operations read their arguments. This file must not know any
// single function.
import { Fault } from "./expression-error.ts";
import type { Frame } from "./frame.ts";
import { kindOf, numeric, Timestamp, type Value } from "./value.ts";

/** A function, or a method whose receiver is the first argument. */
export interface Operation {
  /** Fewest and most arguments, the receiver included. */
  readonly arity: readonly [number, number];
  /** The answer when an argument is null; undefined when `run` deals with null itself. */
  readonly whenNull: Value | undefined;
  run(frame: Frame, args: readonly Value[]): Value;
}

/** An operation that answers `whenNull` when an argument is null. */
export function operation(
  arity: readonly [number, number],
  run: Operation["run"],
  whenNull: Value = null,
): Operation {
  return { arity, whenNull, run };
}

/** An operation that deals with null itself. */
export function operationOnNull(
  arity: readonly [number, number],
  run: Operation["run"],
): Operation {
  return { arity, whenNull: undefined, run };
}

function wanted(type: string, value: Value): Fault {
  return new Fault("expression_type", `expected ${type}, got ${kindOf(value)}`);
}

export function argument(args: readonly Value[], position: number): Value {
  return args[position] ?? null;
}

export function textArgument(args: readonly Value[], position: number): string {
  const value = argument(args, position);
  if (typeof value !== "string") throw wanted("string", value);
  return value;
}

/** A whole number of any numeric type. */
export function integerArgument(args: readonly Value[], position: number): number {
  const value = argument(args, position);
  const number = Number(numeric(value) ?? Number.NaN);
  if (!Number.isSafeInteger(number)) throw wanted("int", value);
  return number;
}

export function timestampArgument(args: readonly Value[], position: number): Timestamp {
  const value = argument(args, position);
  if (!(value instanceof Timestamp)) throw wanted("timestamp", value);
  return value;
}
