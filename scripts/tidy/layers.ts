// Checks that imports point one way: which package may import which, what the pure packages and the
// SDK may use of the outside, and that every import is declared. It must not look for cycles.
import type { Finding } from "./finding.ts";
import type { Import } from "./imports.ts";
import { packageNameOf } from "./workspace.ts";
import type { WorkspacePackage } from "./workspace.ts";

/** For each package, whose code its own may import: the layers of the architecture. */
const layers: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  engine: ["protocol"],
  store: ["protocol", "engine"],
  "store-sqlite": ["protocol", "engine", "store"],
  sdk: ["protocol"],
  server: ["protocol", "engine", "store"],
  // The simulator runs the real shells, with a clock, a store and apps of its own.
  simulator: ["protocol", "engine", "store", "server"],
  cli: ["protocol", "engine", "store", "store-sqlite", "server"],
};

/** No I/O: nothing of Node at all, beyond the test runner in contract suites. */
const withoutNode: readonly string[] = ["protocol", "engine", "store"];
const contractImports = /^node:(?:test|assert(?:\/strict)?)$/;

/** The files of the SDK that only ever run on Node. */
const sdkOnNode =
  /^packages\/sdk\/src\/(?:adapters\/)?(?:node|express|fastify|koa|lambda)[^/]*\.ts$/;

export function findLayerFaults(
  imports: readonly Import[],
  workspace: ReadonlyMap<string, WorkspacePackage>,
): Finding[] {
  const judge = new Judge(workspace);
  for (const each of imports) judge.judge(each);
  return judge.findings;
}

class Judge {
  readonly findings: Finding[] = [];
  readonly #folders: ReadonlyMap<string, WorkspacePackage>;

  constructor(workspace: ReadonlyMap<string, WorkspacePackage>) {
    this.#folders = new Map([...workspace.values()].map((each) => [each.folder, each]));
  }

  judge(each: Import): void {
    if (each.specifier.startsWith(".")) this.#judgeRelative(each);
    else if (each.specifier.startsWith("node:")) this.#judgeNode(each);
    else {
      if (each.package !== null && each.from.isPackage) this.#judgeLayer(each, each.package);
      this.#judgeDeclared(each);
    }
  }

  #judgeRelative(each: Import): void {
    const home = homeOf(each.from.path);
    if (each.target?.startsWith(`${home}/`) === true) return;
    // Leaves of the tree may read the scripts and one another's helpers, packages may not.
    if (!each.from.isPackage && each.target?.startsWith("packages/") === false) return;
    this.#add(each, "layer", "leave a package by name, not by path: `@pawl/store/...`");
  }

  #judgeNode(each: Import): void {
    const { from, specifier } = each;
    if (!from.isPackage || from.isTest) return;
    if (withoutNode.includes(from.area) && !contractImports.test(specifier)) {
      this.#add(each, "layer", `${from.area} does no I/O: \`${specifier}\` belongs in a shell`);
    }
    if (from.area === "sdk" && !each.isTypeOnly && !sdkOnNode.test(from.path)) {
      this.#add(each, "layer", `the SDK runs everywhere: \`${specifier}\` only in Node adapters`);
    }
  }

  #judgeLayer(each: Import, target: WorkspacePackage): void {
    const from = each.from.area;
    const to = target.folder.replace(/^packages\//, "");
    if (from === to) {
      this.#add(each, "layer", "import the own package by relative path");
      return;
    }
    const allowed = layers[from];
    if (allowed === undefined) {
      this.#add(each, "layer", `give ${from} its place in the table of scripts/tidy/layers.ts`);
      return;
    }
    if (allowed.includes(to)) return;
    // Tests may look sideways and down, never at a package that is built on their own.
    if (each.from.isTest && layers[to]?.includes(from) === false) return;
    const list = allowed.length === 0 ? "no other package" : allowed.join(", ");
    this.#add(each, "layer", `${from} may import ${list}; not ${to}`);
  }

  #judgeDeclared(each: Import): void {
    const name = packageNameOf(each.specifier);
    const home = this.#folders.get(homeFolder(each.from.path));
    const rootPackage = this.#folders.get("");
    if (home === undefined || home.dependencies.has(name)) return;
    // Some packages are nothing but types, under this name.
    if (each.isTypeOnly && home.dependencies.has(`@types/${name}`)) return;
    const { from } = each;
    const mayUseTools = from.isTest || each.isTypeOnly || !from.isPackage || each.package !== null;
    if (mayUseTools && home.devDependencies.has(name)) return;
    if ((from.isTest || !from.isPackage) && rootPackage?.devDependencies.has(name) === true) return;
    const where = home.folder === "" ? "" : `${home.folder}/`;
    this.#add(each, "undeclared", `add \`${name}\` to the dependencies of ${where}package.json`);
  }

  #add(each: Import, rule: string, message: string): void {
    this.findings.push({ path: each.from.path, line: each.line, rule, message });
  }
}

/** `packages/engine/src`, `examples/shop`, `tests`: what relative imports should stay in. */
function homeOf(path: string): string {
  const parts = path.split("/");
  if (parts[0] === "packages") return parts.slice(0, 3).join("/");
  return parts.slice(0, parts[0] === "examples" ? 2 : 1).join("/");
}

/** Folder of the package.json that speaks for a file. */
function homeFolder(path: string): string {
  const [top = "", second = ""] = path.split("/");
  if (top === "packages" || top === "examples") return `${top}/${second}`;
  return top === "scripts" ? "" : top;
}
