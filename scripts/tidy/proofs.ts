// Finds type assertions (`as T`, `!`) that no comment proves. It must not judge the proof itself.
import type { Node } from "oxc-parser";
import type { Finding } from "./finding.ts";
import { walk } from "./source.ts";
import type { Source } from "./source.ts";

const message = "prove it in a comment beside or above: `// proof: ...`, or narrow the type";

export function findUnproved(source: Source): Finding[] {
  const proofLines = linesCovered(source);
  const findings: Finding[] = [];
  walk(source.program, (node, ancestors) => {
    if (!isAssertion(node)) return;
    const line = source.lineOf(node.end);
    const lines = [line, source.lineOf(node.start), source.lineOf(statementOf(node, ancestors))];
    if (lines.some((at) => proofLines.has(at))) return;
    findings.push({ path: source.path, line, rule: "proof", message });
  });
  return findings;
}

/** Lines that hold a proof, and the first line below a block of comments that holds one. */
function linesCovered(source: Source): Set<number> {
  const covered = new Set<number>();
  let blockEnd = -1;
  let blockHasProof = false;
  for (const comment of source.comments) {
    const first = source.lineOf(comment.start);
    const isContinued = first === blockEnd + 1;
    blockHasProof = (isContinued && blockHasProof) || /\bproof:/i.test(comment.value);
    blockEnd = source.lineOf(comment.end);
    if (!blockHasProof) continue;
    for (let line = first; line <= blockEnd + 1; line++) covered.add(line);
  }
  return covered;
}

function isAssertion(node: Node): boolean {
  switch (node.type) {
    case "TSAsExpression":
    case "TSTypeAssertion":
      return !isConst(node.typeAnnotation);
    case "TSNonNullExpression":
      return true;
    case "VariableDeclarator":
    case "PropertyDefinition":
      return node.definite === true;
    default:
      return false;
  }
}

function isConst(type: Node): boolean {
  if (type.type !== "TSTypeReference" || type.typeName.type !== "Identifier") return false;
  return type.typeName.name === "const";
}

/** Where the innermost statement, class member or object member around the node starts. */
function statementOf(node: Node, ancestors: readonly Node[]): number {
  const statement = ancestors.findLast(
    ({ type }) =>
      /(?:Statement|Declaration|Definition|^Property)$/.test(type) && type !== "BlockStatement",
  );
  return (statement ?? node).start;
}
