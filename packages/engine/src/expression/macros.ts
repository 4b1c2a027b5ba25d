// The macros that go through a list, or through the keys of a map; null is an empty list. This
// file must not know the syntax tree: it works on compiled pieces.
import { Fault } from "./expression-error.ts";
import { spend, type Code, type Frame } from "./frame.ts";
import { keysOf, truth } from "./operators.ts";
import { isList, kindOf, Optional, type Value } from "./value.ts";

export interface Loop {
  readonly items: Code;
  /** Where the variable lives. */
  readonly slot: number;
  /** What one round costs. */
  readonly weight: number;
  readonly body: Code;
  /** The third argument of `map(x, condition, value)`; null for the other macros. */
  readonly value: Code | null;
}

function itemsOf(frame: Frame, value: Value): readonly Value[] {
  if (value === null) return [];
  if (isList(value)) return value;
  if (value instanceof Optional) return itemsOf(frame, value.value ?? null);
  const keys = keysOf(value);
  if (keys === undefined) throw new Fault("expression_type", `${kindOf(value)} has no elements`);
  spend(frame, keys.length);
  return keys;
}

/** Enters the item as the loop's variable and pays for the round. */
function enter(frame: Frame, loop: Loop, item: Value): void {
  spend(frame, loop.weight);
  frame.locals[loop.slot] = item;
}

/** A fault that `||`, `&&`, `exists` and `all` may ignore once another operand decides. */
export function absorbable(error: unknown): Fault {
  if (
    error instanceof Fault &&
    error.code !== "expression_too_costly" &&
    error.code !== "expression_defect"
  ) {
    return error;
  }
  throw error;
}

/** The first item that decides wins, even behind a fault. */
function quantifier(loop: Loop, decides: boolean): Code {
  return (frame) => {
    let fault: Fault | null = null;
    for (const item of itemsOf(frame, loop.items(frame))) {
      enter(frame, loop, item);
      try {
        if (truth(loop.body(frame)) === decides) return decides;
      } catch (error) {
        fault ??= absorbable(error);
      }
    }
    if (fault !== null) throw fault;
    return !decides;
  };
}

function existsOne(loop: Loop): Code {
  return (frame) => {
    let count = 0;
    for (const item of itemsOf(frame, loop.items(frame))) {
      enter(frame, loop, item);
      if (truth(loop.body(frame))) count += 1;
    }
    return count === 1;
  };
}

function filter(loop: Loop): Code {
  return (frame) => {
    const kept: Value[] = [];
    for (const item of itemsOf(frame, loop.items(frame))) {
      enter(frame, loop, item);
      if (truth(loop.body(frame))) kept.push(item);
    }
    return kept;
  };
}

function map(loop: Loop): Code {
  return (frame) => {
    const made: Value[] = [];
    for (const item of itemsOf(frame, loop.items(frame))) {
      enter(frame, loop, item);
      if (loop.value === null) made.push(loop.body(frame));
      else if (truth(loop.body(frame))) made.push(loop.value(frame));
    }
    return made;
  };
}

/** The macros by name; all take a variable and a body, and `map` perhaps a third argument. */
export const macros: ReadonlyMap<string, (loop: Loop) => Code> = new Map([
  ["all", (loop: Loop) => quantifier(loop, false)],
  ["exists", (loop: Loop) => quantifier(loop, true)],
  ["exists_one", existsOne],
  ["existsOne", existsOne],
  ["filter", filter],
  ["map", map],
]);
