// What can go wrong with an expression: refused when compiled (ExpressionError) or without a value
// when evaluated (Fault, internal). This file must not know the language.

/** The closed list of codes. Callers branch on these, never on messages. */
export type ExpressionCode =
  /** The source is longer than `sourceCharsMax`. */
  | "expression_too_long"
  /** Not an expression of the language; `position` says where. */
  | "expression_syntax"
  /** Calls a function that does not exist, or with a number of arguments that it does not take. */
  | "expression_unknown_function"
  /** The syntax tree, or a value that was compared or returned, is nested beyond `depthMax`. */
  | "expression_too_deep"
  /** A list or map literal has more than `literalItemsMax` items. */
  | "expression_too_large"
  /** Not a regular expression of RE2, or one beyond the limits. */
  | "expression_pattern_invalid"
  /** An operand of a type that the operation does not take. */
  | "expression_type"
  /** Division by zero or an integer out of range. */
  | "expression_arithmetic"
  /** A text or number that does not convert to the wanted type. */
  | "expression_conversion"
  /** The evaluation cost more than `costMax`. */
  | "expression_too_costly"
  /** A mistake of this package, not of the expression. */
  | "expression_defect";

/** A source that does not compile. */
export class ExpressionError extends Error {
  readonly code: ExpressionCode;
  readonly source: string;
  /** Offset into the source, in UTF-16 units from 0. */
  readonly position: number;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** The offending text, at most 40 units; empty at the end of the source. */
  readonly text: string;

  constructor(code: ExpressionCode, reason: string, source: string, start: number, end: number) {
    const before = source.slice(0, start);
    const line = before.split("\n").length;
    const column = start - (before.lastIndexOf("\n") + 1) + 1;
    const text = source.slice(start, Math.min(end, start + 40));
    const near = text === "" ? "" : ` near ${JSON.stringify(text)}`;
    super(`${reason} at line ${line}, column ${column}${near}`);
    this.name = "ExpressionError";
    this.code = code;
    this.source = source;
    this.position = start;
    this.line = line;
    this.column = column;
    this.text = text;
  }
}

/**
 * Why an evaluation has no value. Thrown inside an evaluation and never out of it; not an Error,
 * because `||` and `&&` absorb faults by the thousand and nobody reads their stacks.
 */
export class Fault {
  readonly code: ExpressionCode;
  readonly message: string;

  constructor(code: ExpressionCode, message: string) {
    this.code = code;
    this.message = message;
  }
}
