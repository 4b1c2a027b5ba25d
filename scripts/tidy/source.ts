// A parsed TypeScript file as the tidy rules see it, and the walk over its syntax tree. This file
// must not know any rule.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync, visitorKeys } from "oxc-parser";
import type { Comment, Node, Program } from "oxc-parser";

export interface Source {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly program: Program;
  readonly comments: readonly Comment[];
  /** Folder name below packages/, otherwise the top folder: `engine`, `scripts`, `examples`, ... */
  readonly area: string;
  /** Below packages/<area>/src. */
  readonly isPackage: boolean;
  /** A test, or what only tests use: contract suites and folders called `testing`. */
  readonly isTest: boolean;
  /** Line of a position in the text, counted from one. */
  readonly lineOf: (offset: number) => number;
  readonly lineCount: number;
}

/** Reads every TypeScript file of the project under `root`. Throws when one cannot be parsed. */
export function loadSources(root: string): Source[] {
  const patterns = ["packages/*/src", "scripts", "tests", "bench", "examples"];
  const files = globSync(
    patterns.map((folder) => `${folder}/**/*.{ts,tsx,mts,cts}`),
    { cwd: root, exclude: ["**/node_modules/**", "**/dist/**", "**/fixtures/**"] },
  );
  return files.toSorted().map((path) => parseSource(path, readFileSync(join(root, path), "utf8")));
}

/** Throws SyntaxError with the path when the text is not TypeScript. */
export function parseSource(path: string, text: string): Source {
  const { program, comments, errors } = parseSync(path, text, { preserveParens: false });
  const [error] = errors;
  if (error !== undefined) throw new SyntaxError(`${path}: ${error.message}`);
  const [top = "", second = ""] = path.split("/");
  const isPackage = top === "packages";
  const starts = lineStarts(text);
  return {
    path,
    text,
    program,
    comments,
    area: isPackage ? second : top,
    isPackage,
    isTest: /\.test(?:-d)?\.tsx?$|\/src\/(?:.*\/)?(?:contract|testing)\//.test(path),
    lineOf: (offset) => lineAt(starts, offset),
    lineCount: text.endsWith("\n") ? starts.length - 1 : starts.length,
  };
}

/** Calls `visit` for each node, outermost first; `ancestors` are given from the outermost in. */
export function walk(
  program: Program,
  visit: (node: Node, ancestors: readonly Node[]) => void,
): void {
  const ancestors: Node[] = [];
  const enter = (node: Node): void => {
    visit(node, ancestors);
    ancestors.push(node);
    for (const key of visitorKeys[node.type] ?? []) {
      const value: unknown = Reflect.get(node, key);
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) enter(child);
    }
    ancestors.pop();
  };
  enter(program);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function lineAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (low + 1 < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? Infinity) <= offset) low = middle;
    else high = middle;
  }
  return low + 1;
}
