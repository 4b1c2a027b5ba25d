// Which parts of its inputs an expression reads. This file must not know how expressions are
// evaluated, only how they are written.
import type { ASTNode } from "@marcbachmann/cel-js";
import type { JsonValue } from "@pawl/protocol/json-text";
import type { Compiled } from "./compile.ts";
import { timeDependent } from "./time-operations.ts";
import { bindingOf, childrenOf } from "./tree.ts";

/** A selection of plain members from a root: `event.data["odd key"]`. */
export interface Selection {
  readonly root: string;
  readonly path: readonly string[];
}

/** The selection that a node is; null when it is anything else, an index of a list included. */
export function selectionOf(node: ASTNode): Selection | null {
  const path: string[] = [];
  let inner = node;
  while (inner.op !== "id") {
    if (inner.op === "." || inner.op === ".?") path.push(inner.args[1]);
    else if (inner.op === "[]" || inner.op === "[?]") {
      const key = inner.args[1];
      if (key.op !== "value" || typeof key.args !== "string") return null;
      path.push(key.args);
    } else return null;
    inner = inner.args[0];
  }
  return { root: inner.args, path: path.reverse() };
}

function collect(node: ASTNode, bound: ReadonlySet<string>, found: Selection[]): void {
  const selection = selectionOf(node);
  if (selection !== null) {
    if (!bound.has(selection.root)) found.push(selection);
    return;
  }
  const binding = bindingOf(node);
  if (binding === null) {
    for (const child of childrenOf(node)) collect(child, bound, found);
    return;
  }
  collect(binding.outside, bound, found);
  const inside = new Set(bound).add(binding.name);
  for (const child of binding.inside) collect(child, inside, found);
}

/** Everything that a node reads from the bindings, in the order of the source. */
export function selectionsIn(node: ASTNode): readonly Selection[] {
  const found: Selection[] = [];
  collect(node, new Set(), found);
  return found;
}

/** Whether the value depends on when it is evaluated. */
export function readsTime(node: ASTNode): boolean {
  if (node.op === "call" && timeDependent.has(node.args[0])) return true;
  return childrenOf(node).some(readsTime);
}

/**
 * The paths below a root that an expression reads, distinct and in the order of the source; "all"
 * when it reads the root itself. A path stands for everything below it.
 */
export function readPaths(
  compiled: Compiled,
  root: string,
): readonly (readonly string[])[] | "all" {
  const paths = new Map<string, readonly string[]>();
  for (const selection of selectionsIn(compiled.ast)) {
    if (selection.root !== root) continue;
    if (selection.path.length === 0) return "all";
    paths.set(formatPath(selection.path), selection.path);
  }
  return [...paths.values()];
}

/** The names that an expression reads from its bindings, distinct, in the order of the source. */
export function rootsOf(compiled: Compiled): readonly string[] {
  return [...new Set(selectionsIn(compiled.ast).map(({ root }) => root))];
}

function isObject(value: JsonValue): value is { readonly [key: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function pruned(value: JsonValue, paths: readonly (readonly string[])[], depth: number): JsonValue {
  if (!isObject(value) || paths.some((path) => path.length === depth)) return value;
  const below = Map.groupBy(paths, (path) => path[depth] ?? "");
  const kept: [string, JsonValue][] = [];
  for (const [key, deeper] of below) {
    if (!Object.hasOwn(value, key)) continue;
    kept.push([key, pruned(value[key] ?? null, deeper, depth + 1)]);
  }
  return Object.fromEntries(kept);
}

/**
 * The value without the members that none of the paths reach. An expression that reads only these
 * paths cannot tell the result from the whole; what is not an object stays as it is.
 */
export function prune(value: JsonValue, paths: readonly (readonly string[])[] | "all"): JsonValue {
  return paths === "all" ? value : pruned(value, paths, 0);
}

const plainName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** One text per path: `data.userId`; names that are no identifiers in brackets: `data["odd key"]`. */
export function formatPath(path: readonly string[]): string {
  const parts = path.map((name) =>
    plainName.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`,
  );
  return parts.join("").replace(/^\./, "");
}

// The quoted form is a JSON string and nothing looser, so that JSON.parse takes it.
const pathPart =
  /(?:^|\.)([A-Za-z_][A-Za-z0-9_]*)|\[("(?:[^"\\\p{Cc}]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}|[\x7f-\x9f])*")\]/uy;

/** Reads what `formatPath` wrote; undefined for other text. */
export function parsePath(text: string): readonly string[] | undefined {
  const path: string[] = [];
  pathPart.lastIndex = 0;
  while (pathPart.lastIndex < text.length) {
    const part = pathPart.exec(text);
    if (part === null) return undefined;
    const [, name, quoted] = part;
    path.push(name ?? String(JSON.parse(quoted ?? '""')));
  }
  return path;
}

/** What `path` leads to through own members of objects; undefined when there is nothing. */
export function valueAt(value: JsonValue, path: readonly string[]): JsonValue | undefined {
  let inner = value;
  for (const name of path) {
    if (!isObject(inner) || !Object.hasOwn(inner, name)) return undefined;
    inner = inner[name] ?? null;
  }
  return inner;
}
