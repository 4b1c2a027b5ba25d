// Regular expressions with the semantics and the linear time of RE2. Never JavaScript's RegExp on
// a pattern that a user wrote. This file must not know the syntax tree.
import { RE2JS, RE2JSException } from "@bufbuild/re2";
import { Fault } from "./expression-error.ts";
import { spend, type Frame } from "./frame.ts";
import { expressionLimits } from "./limits.ts";

function refuse(reason: string): Fault {
  return new Fault("expression_pattern_invalid", reason);
}

/** The end of the character class that opens at `start`. */
function classEnd(pattern: string, start: number): number {
  let at = start + 1;
  if (pattern[at] === "^") at += 1;
  if (pattern[at] === "]") at += 1;
  while (at < pattern.length && pattern[at] !== "]") at += pattern[at] === "\\" ? 2 : 1;
  return at;
}

/** The end of what counts as one atom at `start`: a character, an escape, a class. */
function atomEnd(pattern: string, start: number): number {
  if (pattern[start] === "[") return classEnd(pattern, start);
  if (pattern[start] !== "\\") return start;
  if (pattern[start + 1] !== "Q") return start + 1;
  const end = pattern.indexOf("\\E", start);
  return end === -1 ? pattern.length : end + 1;
}

const repetition = /^\{(\d{1,4})(?:,(\d{0,4}))?\}/;

/**
 * About how many instructions a pattern compiles to. Known before compiling, because nested
 * repetitions such as `(a{1000}){1000}` cost their product already then.
 */
export function estimateInstructions(pattern: string): number {
  const open: { total: number; last: number }[] = [];
  let group = { total: 0, last: 0 };
  for (let at = 0; at < pattern.length; at += 1) {
    const repeat = pattern[at] === "{" ? repetition.exec(pattern.slice(at, at + 12)) : null;
    if (repeat !== null) {
      group.last *= Math.max(Number(repeat[1]), Number(repeat[2] ?? 0), 1);
      at += repeat[0].length - 1;
    } else if (pattern[at] === "(") {
      open.push(group);
      group = { total: 0, last: 0 };
    } else if (pattern[at] === ")") {
      const inner = group.total + group.last + 2;
      group = open.pop() ?? { total: 0, last: 0 };
      group = { total: group.total + group.last, last: inner };
    } else {
      const end = atomEnd(pattern, at);
      group = { total: group.total + group.last, last: end - at + 1 };
      at = end;
    }
  }
  return open.reduce((sum, { total, last }) => sum + total + last, group.total + group.last);
}

function compilePattern(pattern: string): RE2JS {
  const { patternCharsMax, patternInstructionsMax } = expressionLimits;
  if (pattern.length > patternCharsMax) throw refuse(`a pattern is longer than ${patternCharsMax}`);
  // Classes count by their characters in the estimate, hence the generous factor.
  if (estimateInstructions(pattern) > 4 * patternInstructionsMax)
    throw refuse("a pattern is too large");
  try {
    const compiled = RE2JS.compile(pattern);
    if (compiled.re2().prog.numInst() > patternInstructionsMax)
      throw refuse("a pattern is too large");
    return compiled;
  } catch (error) {
    if (error instanceof RE2JSException) throw refuse(error.message);
    throw error;
  }
}

function run(frame: Frame, compiled: RE2JS, text: string): boolean {
  const steps = text.length * compiled.re2().prog.numInst();
  spend(frame, steps / expressionLimits.patternStepsPerCost);
  return compiled.test(text);
}

/** A matcher for a pattern that is known beforehand: compiled here, and not again. */
export function matcherOf(pattern: string): (frame: Frame, text: string) => boolean {
  let compiled: RE2JS | null = compilePattern(pattern);
  return (frame, text) => {
    compiled ??= compilePattern(pattern);
    const matched = run(frame, compiled, text);
    // The library never frees an automaton's states; a fresh automaton starts without them.
    if (compiled.re2().dfa.stateCount > expressionLimits.patternStatesMax) compiled = null;
    return matched;
  };
}

/** Whether `pattern` matches anywhere in `text`. */
export function matchOnce(frame: Frame, pattern: string, text: string): boolean {
  spend(frame, expressionLimits.patternCompileCost);
  return run(frame, compilePattern(pattern), text);
}
