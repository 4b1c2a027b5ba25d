// Measures functions and files, in lines. It must not know which numbers are accepted: the ratchet
// does.
import type { Node } from "oxc-parser";
import { walk } from "./source.ts";
import type { Source } from "./source.ts";

export interface Measure {
  /** `path` for a file, `path#outer.inner` for a function. */
  readonly key: string;
  readonly line: number;
  readonly lines: number;
}

export function measureFile(source: Source): Measure {
  return { key: source.path, line: 1, lines: source.lineCount };
}

/** For code only: a suite of tests is a list of examples, not one thought. */
export function measureFunctions(source: Source): Measure[] {
  const measures: Measure[] = [];
  walk(source.program, (node, ancestors) => {
    if (!isFunction(node)) return;
    const line = source.lineOf(node.start);
    const lines = source.lineOf(node.end) - line + 1;
    const names = [...ancestors, node].map((each) => nameOf(each)).filter((name) => name !== null);
    measures.push({ key: `${source.path}#${names.join(".") || "anonymous"}`, line, lines });
  });
  return measures;
}

function isFunction(node: Node): boolean {
  return (
    node.type === "FunctionDeclaration" ||
    node.type === "FunctionExpression" ||
    node.type === "ArrowFunctionExpression"
  );
}

function nameOf(node: Node): string | null {
  switch (node.type) {
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ClassDeclaration":
    case "VariableDeclarator":
      return node.id?.type === "Identifier" ? node.id.name : null;
    case "MethodDefinition":
    case "PropertyDefinition":
    case "Property":
      if (node.key.type === "Identifier") return node.key.name;
      return node.key.type === "PrivateIdentifier" ? `#${node.key.name}` : null;
    default:
      return null;
  }
}
