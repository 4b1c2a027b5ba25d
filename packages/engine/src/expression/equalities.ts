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

function pathOf(node: ASTNode, root: string): string | null {
  const selection = selectionOf(node);
  if (selection === null || selection.root !== root || selection.path.length === 0) return null;
  // An optional never equals a plain value, and its path may be missing.
  return hasOptional(node) ? null : formatPath(selection.path);
}

function hasOptional(node: ASTNode): boolean {
  if (node.op === ".?" || node.op === "[?]") return true;
  return (node.op === "." || node.op === "[]") && hasOptional(node.args[0]);
}

/** The pair that `left == right` is, when `left` is the side of the incoming event. */
function pairOf(left: ASTNode, right: ASTNode): EqualityPair | null {
  const asyncPath = pathOf(left, "async");
  if (asyncPath === null || readsTime(right)) return null;
  const reads = selectionsIn(right);
  if (reads.some(({ root }) => root !== "event")) return null;
  return { asyncPath, other: compilePart(right), constant: reads.length === 0 };
}

/** Both sides of each equality among the operands of the outermost `&&`. */
function equalitiesOf({ ast }: Compiled): readonly (readonly [ASTNode, ASTNode])[] {
  const operands = ast.op === "&&" ? flatten(ast) : [ast];
  return operands.flatMap((operand) => (operand.op === "==" ? [operand.args] : []));
}

/** For every event, bound as `event`, for which the expression is true: the value at this path. */
export interface ConstantEquality {
  readonly path: string;
  /** Computes the value; it reads nothing. */
  readonly value: Compiled;
}

/** What an expression over one event demands of it whatever else there is, in the order of the source. */
export function constantEqualities(compiled: Compiled): readonly ConstantEquality[] {
  return equalitiesOf(compiled).flatMap(([left, right]) => {
    const found = constantOf(left, right) ?? constantOf(right, left);
    return found === null ? [] : [found];
  });
}

function constantOf(left: ASTNode, right: ASTNode): ConstantEquality | null {
  const path = pathOf(left, "event");
  if (path === null || readsTime(right) || selectionsIn(right).length > 0) return null;
  return { path, value: compilePart(right) };
}

const known = new WeakMap<Compiled, readonly EqualityPair[]>();

/** The equalities among the operands of the outermost `&&`, in the order of the source. */
export function equalityPairs(compiled: Compiled): readonly EqualityPair[] {
  const earlier = known.get(compiled);
  if (earlier !== undefined) return earlier;
  const pairs: EqualityPair[] = [];
  for (const [left, right] of equalitiesOf(compiled)) {
    const pair = pairOf(left, right) ?? pairOf(right, left);
    if (pair !== null) pairs.push(pair);
  }
  known.set(compiled, pairs);
  return pairs;
}
