// Every limit of expressions in one place. This file must not know how they are enforced; each
// line names the code that an expression or an evaluation beyond it ends with.

export const expressionLimits = {
  /** UTF-16 units of the source: `expression_too_long`. */
  sourceCharsMax: 4096,
  /**
   * Nesting of the syntax tree, and of values that are compared or returned:
   * `expression_too_deep`. Chains of `&&` and of `||` count as one level.
   */
  depthMax: 100,
  /** Elements of one list literal and entries of one map literal: `expression_too_large`. */
  literalItemsMax: 500,
  /**
   * What one evaluation may spend: `expression_too_costly`. A round of a macro costs the nodes of
   * its body; work on data costs about one per element, and one per `charsPerCost` characters.
   * What is not repeated is free, because the source is short.
   */
  costMax: 100_000,
  charsPerCost: 16,
  /** UTF-16 units of a regular expression: `expression_pattern_invalid`. */
  patternCharsMax: 1000,
  /** Instructions of a compiled regular expression: `expression_pattern_invalid`. */
  patternInstructionsMax: 500,
  /** Characters times instructions that a match does for a cost of one. */
  patternStepsPerCost: 8,
  /** Cost of compiling a pattern that is not a literal. */
  patternCompileCost: 1000,
  /** States a pattern's automaton may keep from one evaluation to the next. */
  patternStatesMax: 200,
  /** Distinct sources that stay compiled; the least recently used goes first. */
  compiledMax: 2000,
} as const;
