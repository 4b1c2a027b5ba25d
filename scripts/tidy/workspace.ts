// The packages of the workspace: names, exports and declared dependencies, as their package.json
// tell. It must not know which package may import which.
import { globSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";

export interface WorkspacePackage {
  readonly name: string;
  /** Relative to the repository; empty for the root. */
  readonly folder: string;
  /** Target by subpath as in package.json: `./*` -> `./src/*.ts`. */
  readonly exports: ReadonlyMap<string, string>;
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
}

/** By name. Throws when a package.json is not JSON. */
export function loadWorkspace(root: string): Map<string, WorkspacePackage> {
  const patterns = [
    "package.json",
    "{packages,examples}/*/package.json",
    "{tests,bench}/package.json",
  ];
  const packages = globSync(patterns, { cwd: root }).map((path) =>
    readPackage(dirname(path), readFileSync(join(root, path), "utf8")),
  );
  return new Map(packages.map((each) => [each.name, each]));
}

export function readPackage(folder: string, text: string): WorkspacePackage {
  const manifest = asObject(JSON.parse(text));
  const keysOf = (...names: string[]): Set<string> =>
    new Set(names.flatMap((name) => Object.keys(asObject(manifest[name]))));
  const targets = Object.entries(asObject(manifest["exports"])).flatMap(([subpath, target]) => {
    const file = sourceTarget(target);
    return file === null ? [] : [[subpath, file] as const];
  });
  return {
    name: typeof manifest["name"] === "string" ? manifest["name"] : "",
    folder: folder === "." ? "" : folder,
    exports: new Map(targets),
    dependencies: keysOf("dependencies", "optionalDependencies", "peerDependencies"),
    devDependencies: keysOf("devDependencies"),
  };
}

/** Path of the source that a specifier means, relative to the repository; null when unknown. */
export function resolveExport(target: WorkspacePackage, specifier: string): string | null {
  const subpath = `.${specifier.slice(target.name.length)}`;
  const exact = target.exports.get(subpath);
  if (exact !== undefined) return posix.join(target.folder, exact);
  for (const [pattern, file] of target.exports) {
    const [before = "", after] = pattern.split("*", 2);
    if (after === undefined || !subpath.startsWith(before) || !subpath.endsWith(after)) continue;
    const middle = subpath.slice(before.length, subpath.length - after.length);
    return posix.join(target.folder, file.replace("*", middle));
  }
  return null;
}

/** Sources that packages export by an exact name: the doors of the public packages. */
export function listEntryPoints(workspace: ReadonlyMap<string, WorkspacePackage>): Set<string> {
  const files = [...workspace.values()].flatMap(({ folder, exports }) =>
    [...exports].flatMap(([subpath, file]) =>
      subpath.includes("*") ? [] : [posix.join(folder, file)],
    ),
  );
  return new Set(files);
}

/** `@scope/name` or `name`, without what is below it. */
export function packageNameOf(specifier: string): string {
  const parts = specifier.split("/");
  return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

/** Among conditions, the first that leads to a TypeScript source. */
function sourceTarget(target: unknown): string | null {
  if (typeof target === "string") return /\.tsx?$/.test(target) ? target : null;
  for (const each of Object.values(asObject(target))) {
    const file = sourceTarget(each);
    if (file !== null && !file.endsWith(".d.ts")) return file;
  }
  return null;
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
