// Finds circles of imports, of types too: files in a circle can only be understood together. It
// must not know about layers.
import type { Finding } from "./finding.ts";
import type { Import } from "./imports.ts";

/** One finding a group of files that all reach one another, with a shortest circle as the proof. */
export function findCycles(imports: readonly Import[]): Finding[] {
  const edges = new Map<string, Set<string>>();
  for (const { from, target } of imports) {
    if (target === null) continue;
    const targets = edges.get(from.path);
    if (targets === undefined) edges.set(from.path, new Set([target]));
    else targets.add(target);
  }
  return new Components(edges).found.flatMap((files) => {
    const [first = ""] = files.toSorted();
    const circle = shortestCircle(first, edges, new Set(files));
    if (circle === null) return [];
    const edge = imports.find((each) => each.from.path === first && each.target === circle[1]);
    const size = files.length > circle.length - 1 ? ` (one of several among ${files.length})` : "";
    const message = `imports run in a circle${size}: ${circle.join(" -> ")}`;
    return [{ path: first, line: edge?.line ?? 1, rule: "cycle", message }];
  });
}

/** Strongly connected components of a graph (Tarjan's algorithm). */
class Components {
  readonly found: string[][] = [];
  readonly #edges: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #order = new Map<string, number>();
  readonly #stack: string[] = [];
  readonly #onStack = new Set<string>();

  constructor(edges: ReadonlyMap<string, ReadonlySet<string>>) {
    this.#edges = edges;
    for (const file of edges.keys()) if (!this.#order.has(file)) this.#visit(file);
  }

  #visit(file: string): number {
    const order = this.#order.size;
    this.#order.set(file, order);
    this.#stack.push(file);
    this.#onStack.add(file);
    let low = order;
    for (const next of this.#edges.get(file) ?? []) {
      const seen = this.#order.get(next);
      if (seen === undefined) low = Math.min(low, this.#visit(next));
      else if (this.#onStack.has(next)) low = Math.min(low, seen);
    }
    if (low === order) {
      const files = this.#stack.splice(this.#stack.lastIndexOf(file));
      for (const each of files) this.#onStack.delete(each);
      this.found.push(files);
    }
    return low;
  }
}

/** Breadth first from `start` back to itself within `files`; null when there is none. */
function shortestCircle(
  start: string,
  edges: ReadonlyMap<string, ReadonlySet<string>>,
  files: ReadonlySet<string>,
): string[] | null {
  const paths: string[][] = [[start]];
  const seen = new Set<string>();
  for (const path of paths) {
    for (const next of edges.get(path.at(-1) ?? "") ?? []) {
      if (next === start) return [...path, start];
      if (!files.has(next) || seen.has(next)) continue;
      seen.add(next);
      paths.push([...path, next]);
    }
  }
  return null;
}
