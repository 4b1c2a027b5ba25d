// What one evaluation carries with it, and its budget. This file must not know the language.
import { Fault } from "./expression-error.ts";
import { expressionLimits } from "./limits.ts";
import type { Value } from "./value.ts";

/** The roots an expression can name, for example `event` and `async`; JSON values. */
export type Bindings = { readonly [root: string]: unknown };

export interface Frame {
  readonly bindings: Bindings;
  /** What `now()` is: ms since the epoch. */
  readonly at: number;
  /** The variables of macros, by slot. */
  readonly locals: Value[];
  costLeft: number;
}

/** A compiled piece of an expression. Throws nothing but a Fault. */
export type Code = (frame: Frame) => Value;

/** Pays for work that grows with the data; call it before doing the work. */
export function spend(frame: Frame, cost: number): void {
  frame.costLeft -= cost;
  if (frame.costLeft < 0) {
    throw new Fault(
      "expression_too_costly",
      `the evaluation costs more than ${expressionLimits.costMax}`,
    );
  }
}

/** Pays for reading or making a text of so many characters. */
export function spendText(frame: Frame, chars: number): void {
  spend(frame, chars / expressionLimits.charsPerCost);
}
