// Expressions as the engine uses them: compiled once per distinct source, evaluated against an
// event. This file must not know what expressions are used for. README.md documents the language.
import type { ASTNode } from "@marcbachmann/cel-js";
import type { JsonValue } from "@pawl/protocol/json-text";
import { build } from "./build.ts";
import { ExpressionError, type ExpressionCode, Fault } from "./expression-error.ts";
import { spend, type Bindings, type Code, type Frame } from "./frame.ts";
import { expressionLimits } from "./limits.ts";
import { parse } from "./parse.ts";
import { Optional, toJson, type Value } from "./value.ts";

export type Result =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly code: ExpressionCode; readonly message: string };

/** A compiled expression. Immutable, and the same object for the same source while it is cached. */
export interface Compiled {
  readonly source: string;
  readonly ast: ASTNode;
  /**
   * The value, as JSON carries it (see `toJson`). `at` is what `now()` returns, ms since the
   * epoch. Never throws.
   */
  evaluate(bindings: Bindings, at: number): Result;
  /** Whether the value is true; false for any other value and for every fault. Never throws. */
  test(bindings: Bindings, at: number): boolean;
  /** The same, with what the evaluation cost (`expressionLimits.costMax`). */
  measure(bindings: Bindings, at: number): { readonly passes: boolean; readonly cost: number };
}

function failure(error: unknown): Result & { ok: false } {
  if (error instanceof Fault) return { ok: false, code: error.code, message: error.message };
  return { ok: false, code: "expression_defect", message: String(error) };
}

class Program implements Compiled {
  readonly source: string;
  readonly ast: ASTNode;
  readonly #code: Code;

  constructor(source: string, ast: ASTNode) {
    this.source = source;
    this.ast = ast;
    this.#code = build(ast);
  }

  evaluate(bindings: Bindings, at: number): Result {
    const frame = newFrame(bindings, at);
    try {
      return { ok: true, value: toJson(this.#code(frame), (cost) => spend(frame, cost)) };
    } catch (error) {
      return failure(error);
    }
  }

  test(bindings: Bindings, at: number): boolean {
    return this.#passes(newFrame(bindings, at));
  }

  measure(bindings: Bindings, at: number) {
    const frame = newFrame(bindings, at);
    const passes = this.#passes(frame);
    return { passes, cost: expressionLimits.costMax - Math.max(frame.costLeft, 0) };
  }

  #passes(frame: Frame): boolean {
    try {
      let value = this.#code(frame);
      while (value instanceof Optional) value = value.value ?? null;
      return value === true;
    } catch {
      return false;
    }
  }
}

function newFrame(bindings: Bindings, at: number): Frame {
  const locals: Value[] = [];
  return { bindings, at, locals, costLeft: expressionLimits.costMax };
}

/** Compiles a part of a compiled expression that is an expression of its own. */
export function compilePart(part: ASTNode): Compiled {
  return new Program(part.input.slice(part.start, part.end), part);
}

function attempt(source: string): Compiled | ExpressionError {
  try {
    return new Program(source, parse(source));
  } catch (error) {
    if (error instanceof ExpressionError) return error;
    throw error;
  }
}

/** In order of use, the latest last. A pure memory: it changes no answer, only its speed. */
const cache = new Map<string, Compiled | ExpressionError>();

/**
 * Compiles an expression, or finds it compiled. Throws ExpressionError: `expression_too_long`,
 * `expression_syntax`, `expression_too_deep`, `expression_too_large`,
 * `expression_unknown_function`, `expression_pattern_invalid`.
 */
export function compileExpression(source: string): Compiled {
  const found = cache.get(source) ?? attempt(source);
  cache.delete(source);
  if (source.length <= expressionLimits.sourceCharsMax) cache.set(source, found);
  if (cache.size > expressionLimits.compiledMax) {
    const [oldest] = cache.keys();
    if (oldest !== undefined) cache.delete(oldest);
  }
  if (found instanceof ExpressionError) throw found;
  return found;
}
