// From source to syntax tree: the one place that knows the parser's library. Everything later
// sees only its tree. This file must not know what an expression means.
import { type ASTNode, Environment, ParseError } from "@marcbachmann/cel-js";
import { ExpressionError } from "./expression-error.ts";
import { expressionLimits } from "./limits.ts";
import { childrenOf, flatten } from "./tree.ts";

const unlimited = 1_000_000;

// Type checks and functions of the library play no part; the depth limit protects its recursion.
const environment = new Environment({
  unlistedVariablesAreDyn: true,
  homogeneousAggregateLiterals: false,
  enableOptionalTypes: true,
  limits: {
    maxDepth: expressionLimits.depthMax,
    maxAstNodes: unlimited,
    maxListElements: unlimited,
    maxMapEntries: unlimited,
    maxCallArguments: unlimited,
  },
});

/** An error at a node of the tree. */
export function errorAt(
  code: ExpressionError["code"],
  reason: string,
  node: ASTNode,
): ExpressionError {
  return new ExpressionError(code, reason, node.input, node.start, node.end);
}

function checkLimits(root: ASTNode): void {
  const pending = [{ node: root, depth: 1 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, depth } = next;
    if (depth > expressionLimits.depthMax) {
      throw errorAt("expression_too_deep", `nested deeper than ${expressionLimits.depthMax}`, node);
    }
    if (
      (node.op === "list" || node.op === "map") &&
      node.args.length > expressionLimits.literalItemsMax
    ) {
      throw errorAt(
        "expression_too_large",
        `more than ${expressionLimits.literalItemsMax} items`,
        node,
      );
    }
    const below = node.op === "&&" || node.op === "||" ? flatten(node) : childrenOf(node);
    for (const child of below) pending.push({ node: child, depth: depth + 1 });
  }
}

/**
 * Parses a source. Throws ExpressionError: `expression_too_long`, `expression_syntax`,
 * `expression_too_deep`, `expression_too_large`.
 */
export function parse(source: string): ASTNode {
  const { sourceCharsMax } = expressionLimits;
  if (source.length > sourceCharsMax) {
    throw new ExpressionError(
      "expression_too_long",
      `longer than ${sourceCharsMax}`,
      source,
      0,
      source.length,
    );
  }
  try {
    const { ast } = environment.parse(source);
    checkLimits(ast);
    return ast;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const code = error.code === "limit_exceeded" ? "expression_too_deep" : "expression_syntax";
    const { start, end } = error.range ?? { start: 0, end: source.length };
    throw new ExpressionError(code, error.summary, source, start, end);
  }
}
