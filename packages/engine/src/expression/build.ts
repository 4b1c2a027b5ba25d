// From syntax tree to closures: each node becomes one function, so that evaluating does not look
// at the tree again. This file must not know how operators and functions compute.
import type { ASTNode } from "@marcbachmann/cel-js";
import { calculate, negate, type Operator } from "./arithmetic.ts";
import { Fault } from "./expression-error.ts";
import type { Code, Frame } from "./frame.ts";
import { functionNamed, methodNamed, qualifiedNamed } from "./functions.ts";
import { absorbable, macros } from "./macros.ts";
import type { Operation } from "./operation.ts";
import { compare, contains, equals, member, select, truth } from "./operators.ts";
import { errorAt } from "./parse.ts";
import { matcherOf } from "./pattern.ts";
import { bindingOf, countNodes, flatten } from "./tree.ts";
import { mapKey, Optional, types, Uint, type MapKey, type Value } from "./value.ts";

/** The variables of the macros around a node, and their slots. */
type Scope = ReadonlyMap<string, number>;

const intMax = 2n ** 63n - 1n;
const uintMax = 2n ** 64n - 1n;

function literal(node: ASTNode & { op: "value" }): Value {
  const value = node.args;
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) {
    if (typeof value === "bigint" && value > intMax)
      throw errorAt("expression_syntax", "int out of range", node);
    return value;
  }
  // What is left is the library's own unsigned integer.
  const unsigned = BigInt(String(value));
  if (unsigned > uintMax) throw errorAt("expression_syntax", "uint out of range", node);
  return new Uint(unsigned);
}

function constant(value: Value): Code {
  return () => value;
}

function identifier(name: string, scope: Scope): Code {
  const slot = scope.get(name);
  if (slot !== undefined) return (frame) => frame.locals[slot] ?? null;
  const type = types.get(name);
  if (type !== undefined) return constant(type);
  return ({ bindings }) => {
    // proof: bindings hold JSON values, and JSON values are values.
    return Object.hasOwn(bindings, name) ? ((bindings[name] ?? null) as Value) : null;
  };
}

/** `google.protobuf.Timestamp` and its like; undefined for all other selections. */
function qualifiedType(node: ASTNode & { op: "." }, scope: Scope): Code | undefined {
  const [inner, name] = node.args;
  if (inner.op !== "." || inner.args[1] !== "protobuf") return undefined;
  const root = inner.args[0];
  if (root.op !== "id" || root.args !== "google" || scope.has("google")) return undefined;
  const type = types.get(`google.protobuf.${name}`);
  return type === undefined ? undefined : constant(type);
}

function optionalMember(container: Value, key: Value): Optional {
  return new Optional(member(container, key));
}

/** `a.name`, `a[key]` and their optional forms. */
function selection(node: ASTNode & { op: "." | ".?" | "[]" | "[?]" }, scope: Scope): Code {
  const container = build(node.args[0], scope);
  const pick = node.op === "." || node.op === "[]" ? select : optionalMember;
  const [, key] = node.args;
  if (typeof key === "string") return (frame) => pick(container(frame), key);
  const keyCode = build(key, scope);
  return (frame) => pick(container(frame), keyCode(frame));
}

/** `&&` and `||`: the first operand that decides wins, even behind a fault. */
function chain(node: ASTNode & { op: "&&" | "||" }, scope: Scope): Code {
  const operands = flatten(node).map((operand) => build(operand, scope));
  const decides = node.op === "||";
  return (frame) => {
    let fault: Fault | null = null;
    for (const operand of operands) {
      try {
        if (truth(operand(frame)) === decides) return decides;
      } catch (error) {
        fault ??= absorbable(error);
      }
    }
    if (fault !== null) throw fault;
    return !decides;
  };
}

/** Where only the size of a number matters, a small int may as well be a double: that is faster. */
function comparand(node: ASTNode, scope: Scope): Code {
  if (node.op !== "value" || typeof node.args !== "bigint") return build(node, scope);
  const double = Number(node.args);
  return Number.isSafeInteger(double) ? constant(double) : build(node, scope);
}

type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in";

const comparisons: Readonly<Record<Comparison, (frame: Frame, a: Value, b: Value) => boolean>> = {
  "==": equals,
  "!=": (frame, a, b) => !equals(frame, a, b),
  "<": (frame, a, b) => compare(frame, a, b) < 0,
  "<=": (frame, a, b) => compare(frame, a, b) <= 0,
  ">": (frame, a, b) => compare(frame, a, b) > 0,
  ">=": (frame, a, b) => compare(frame, a, b) >= 0,
  in: (frame, a, b) => contains(frame, b, a),
};

function comparison(node: ASTNode & { op: Comparison }, scope: Scope): Code {
  const compute = comparisons[node.op];
  const left = comparand(node.args[0], scope);
  const right = comparand(node.args[1], scope);
  return (frame) => compute(frame, left(frame), right(frame));
}

function arithmetic(node: ASTNode & { op: Operator }, scope: Scope): Code {
  const { op } = node;
  const left = build(node.args[0], scope);
  const right = build(node.args[1], scope);
  return (frame) => calculate(frame, op, left(frame), right(frame));
}

function negation(node: ASTNode & { op: "-_" }, scope: Scope): Code {
  const operand = node.args;
  // The smallest int can only be written as the negative of a number that is out of range.
  if (operand.op === "value" && operand.args === intMax + 1n) return constant(-operand.args);
  const code = build(operand, scope);
  return (frame) => negate(code(frame));
}

function list(items: readonly ASTNode[], scope: Scope): Code {
  const codes = items.map((item) => build(item, scope));
  return (frame) => codes.map((code) => code(frame));
}

function mapLiteral(entries: readonly (readonly [ASTNode, ASTNode])[], scope: Scope): Code {
  const codes = entries.map(([key, value]) => ({
    key: build(key, scope),
    value: build(value, scope),
  }));
  return (frame) => {
    const made = new Map<MapKey, Value>();
    for (const { key, value } of codes) made.set(mapKey(key(frame)), value(frame));
    return made;
  };
}

/** `has(a.b)` and `has(a["b"])`: whether there is a member, be it null. */
function presence(node: ASTNode, args: readonly ASTNode[], scope: Scope): Code {
  const [target] = args;
  if (target === undefined || args.length !== 1)
    throw errorAt("expression_unknown_function", "has takes one argument", node);
  if (target.op !== "." && target.op !== ".?" && target.op !== "[]" && target.op !== "[?]") {
    throw errorAt("expression_syntax", "has takes a selection such as event.data.name", target);
  }
  const container = build(target.args[0], scope);
  const [, key] = target.args;
  if (typeof key === "string") return (frame) => member(container(frame), key) !== undefined;
  const keyCode = build(key, scope);
  return (frame) => member(container(frame), keyCode(frame)) !== undefined;
}

function invocation(
  node: ASTNode,
  name: string,
  found: Operation | undefined,
  args: readonly ASTNode[],
  scope: Scope,
): Code {
  if (found === undefined)
    throw errorAt("expression_unknown_function", `no function ${name}`, node);
  const [fewest, most] = found.arity;
  if (args.length < fewest || args.length > most) {
    throw errorAt("expression_unknown_function", `${name} does not take so many arguments`, node);
  }
  const { whenNull } = found;
  const codes = args.map((arg) => build(arg, scope));
  return (frame) => {
    const values = codes.map((code) => code(frame));
    return whenNull !== undefined && values.includes(null) ? whenNull : found.run(frame, values);
  };
}

/** `matches` with a literal pattern: compiled once, and refused here when it is no pattern. */
function literalMatch(args: readonly ASTNode[], scope: Scope): Code | undefined {
  const [text, pattern] = args;
  if (
    args.length !== 2 ||
    text === undefined ||
    pattern?.op !== "value" ||
    typeof pattern.args !== "string"
  )
    return undefined;
  const code = build(text, scope);
  try {
    const matches = matcherOf(pattern.args);
    return (frame) => {
      const value = code(frame);
      if (value === null) return false;
      if (typeof value !== "string") throw new Fault("expression_type", "matches takes a string");
      return matches(frame, value);
    };
  } catch (error) {
    if (error instanceof Fault) throw errorAt(error.code, error.message, pattern);
    throw error;
  }
}

function call(node: ASTNode & { op: "call" }, scope: Scope): Code {
  const [name, args] = node.args;
  if (name === "has") return presence(node, args, scope);
  const match = name === "matches" ? literalMatch(args, scope) : undefined;
  return match ?? invocation(node, name, functionNamed(name), args, scope);
}

/** A macro that binds a variable; undefined for other calls. */
function binding(node: ASTNode & { op: "rcall" }, scope: Scope): Code | undefined {
  const bound = bindingOf(node);
  const [body, value] = bound?.inside ?? [];
  if (bound === null || body === undefined) return undefined;
  const slot = scope.size === 0 ? 0 : Math.max(...scope.values()) + 1;
  const inner = new Map(scope).set(bound.name, slot);
  const outside = build(bound.outside, scope);
  const bodyCode = build(body, inner);
  const macro = macros.get(node.args[0]);
  if (macro === undefined) {
    return (frame) => {
      frame.locals[slot] = outside(frame);
      return bodyCode(frame);
    };
  }
  const weight = bound.inside.reduce((sum, part) => sum + countNodes(part), 1);
  return macro({
    items: outside,
    slot,
    weight,
    body: bodyCode,
    value: value === undefined ? null : build(value, inner),
  });
}

function methodCall(node: ASTNode & { op: "rcall" }, scope: Scope): Code {
  const macro = binding(node, scope);
  if (macro !== undefined) return macro;
  const [name, receiver, args] = node.args;
  const namespace = receiver.op === "id" && !scope.has(receiver.args) ? receiver.args : "";
  const qualified = qualifiedNamed(namespace, name);
  if (qualified !== undefined) return invocation(node, name, qualified, args, scope);
  const operands = [receiver, ...args];
  const match = name === "matches" ? literalMatch(operands, scope) : undefined;
  return match ?? invocation(node, name, methodNamed(name), operands, scope);
}

function ternary(node: ASTNode & { op: "?:" }, scope: Scope): Code {
  const condition = build(node.args[0], scope);
  const yes = build(node.args[1], scope);
  const no = build(node.args[2], scope);
  return (frame) => (truth(condition(frame)) ? yes(frame) : no(frame));
}

/**
 * The code of a node. Throws ExpressionError: `expression_unknown_function`,
 * `expression_pattern_invalid`, and `expression_syntax` for numbers out of range.
 */
export function build(node: ASTNode, scope: Scope = new Map()): Code {
  switch (node.op) {
    case "value":
      return constant(literal(node));
    case "id":
      return identifier(node.args, scope);
    case ".":
      return qualifiedType(node, scope) ?? selection(node, scope);
    case ".?":
    case "[]":
    case "[?]":
      return selection(node, scope);
    case "&&":
    case "||":
      return chain(node, scope);
    case "?:":
      return ternary(node, scope);
    case "!_": {
      const operand = build(node.args, scope);
      return (frame) => !truth(operand(frame));
    }
    case "-_":
      return negation(node, scope);
    case "list":
      return list(node.args, scope);
    case "map":
      return mapLiteral(node.args, scope);
    case "call":
      return call(node, scope);
    case "rcall":
      return methodCall(node, scope);
    case "+":
    case "-":
    case "*":
    case "/":
    case "%":
      return arithmetic(node, scope);
    default:
      return comparison(node, scope);
  }
}
