// Walking the syntax tree. This file must not know how expressions are evaluated.
import type { ASTNode } from "@marcbachmann/cel-js";

/** The nodes directly below a node, in the order of the source. */
export function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case "value":
    case "id":
      return [];
    case ".":
    case ".?":
      return [node.args[0]];
    case "!_":
    case "-_":
      return [node.args];
    case "call":
      return node.args[1];
    case "rcall":
      return [node.args[1], ...node.args[2]];
    case "map":
      return node.args.flat();
    default:
      return node.args;
  }
}

/** The operands of a chain of one operator: `a && b && c`, however it is bracketed. */
export function flatten(node: ASTNode): readonly ASTNode[] {
  if (node.op !== "&&" && node.op !== "||") return [node];
  const operands: ASTNode[] = [];
  const pending: ASTNode[] = [node];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next.op === node.op) pending.push(next.args[1], next.args[0]);
    else operands.push(next);
  }
  return operands;
}

export function countNodes(node: ASTNode): number {
  return childrenOf(node).reduce((sum, child) => sum + countNodes(child), 1);
}

/** The variable, when a call is a macro that binds one: `items.all(x, …)`, `cel.bind(x, …)`. */
export interface Binding {
  readonly name: string;
  /** Evaluated outside of the variable's scope. */
  readonly outside: ASTNode;
  /** Evaluated inside. */
  readonly inside: readonly ASTNode[];
}

const looping = new Set(["all", "exists", "exists_one", "existsOne", "filter", "map"]);

/** What a call binds; null when it is not such a macro. */
export function bindingOf(node: ASTNode): Binding | null {
  if (node.op !== "rcall") return null;
  const [name, receiver, [variable, second, third]] = node.args;
  if (variable?.op !== "id" || second === undefined) return null;
  if (name === "bind" && receiver.op === "id" && receiver.args === "cel") {
    return third === undefined ? null : { name: variable.args, outside: second, inside: [third] };
  }
  if (!looping.has(name) || node.args[2].length > (name === "map" ? 3 : 2)) return null;
  return {
    name: variable.args,
    outside: receiver,
    inside: third === undefined ? [second] : [second, third],
  };
}
