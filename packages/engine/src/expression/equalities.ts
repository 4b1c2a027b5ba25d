// What an expression demands of the incoming event by equality, so that waits can be found by an
// index. The trigger event is called `event`, the incoming one `async` (protocol.md 5.4). This
// file must not know how an index looks.
import type { ASTNode } from "@marcbachmann/cel-js";
import { compilePart, type Compiled } from "./compile.ts";
import { formatPath, readsTime, selectionOf, selectionsIn } from "./paths.ts";
import { flatten } from "./tree.ts";

/** Every event for which the expression is true has, at this path, the value of `other`. */
export interface EqualityPair {
  /** Path below the incoming event, as `formatPath` writes it: `data.userId`. */
  readonly asyncPath: string;
  /** Computes the value from the trigger event, bound as `event`. */
  readonly other: Compiled;
  /** The value is the same for every trigger event. */
  readonly constant: boolean;
}

function pathOf(node: ASTNode): string | null {
  const selection = selectionOf(node);
  if (selection === null || selection.root !== "async" || selection.path.length === 0) return null;
  // An optional never equals a plain value, and its path may be missing.
  return hasOptional(node) ? null : formatPath(selection.path);
}

function hasOptional(node: ASTNode): boolean {
  if (node.op === ".?" || node.op === "[?]") return true;
  return (node.op === "." || node.op === "[]") && hasOptional(node.args[0]);
}

/** The pair that `left == right` is, when `left` is the side of the incoming event. */
function pairOf(left: ASTNode, right: ASTNode): EqualityPair | null {
  const asyncPath = pathOf(left);
  if (asyncPath === null || readsTime(right)) return null;
  const reads = selectionsIn(right);
  if (reads.some(({ root }) => root !== "event")) return null;
  return { asyncPath, other: compilePart(right), constant: reads.length === 0 };
}

const known = new WeakMap<Compiled, readonly EqualityPair[]>();

/** The equalities among the operands of the outermost `&&`, in the order of the source. */
export function equalityPairs(compiled: Compiled): readonly EqualityPair[] {
  const earlier = known.get(compiled);
  if (earlier !== undefined) return earlier;
  const operands = compiled.ast.op === "&&" ? flatten(compiled.ast) : [compiled.ast];
  const pairs: EqualityPair[] = [];
  for (const operand of operands) {
    if (operand.op !== "==") continue;
    const [left, right] = operand.args;
    const pair = pairOf(left, right) ?? pairOf(right, left);
    if (pair !== null) pairs.push(pair);
  }
  known.set(compiled, pairs);
  return pairs;
}
