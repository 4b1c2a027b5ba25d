// What the builds of all packages share: where they read from, and writing a package's folder. It
// must not know any package.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** A package, ready for `npm publish`. */
export interface BuiltPackage {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
}

/** What builds read from a package.json of the workspace. */
export interface SourceManifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** Target by subpath. */
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly engines: Readonly<Record<string, string>>;
}

/** Of the package in a folder of the repository. */
export function readManifest(folder: string): SourceManifest {
  const text = readFileSync(join(root, folder, "package.json"), "utf8");
  const manifest = JSON.parse(text) as Partial<SourceManifest>; // proof: our own package.json
  const { name, version, license, exports = {}, dependencies = {}, engines = {} } = manifest;
  if (name === undefined || version === undefined || license === undefined) {
    throw new TypeError(`${folder}/package.json needs a name, a version and a license`);
  }
  return { name, version, license, exports, dependencies, engines };
}

/** An empty folder, whatever was in it. */
export function emptyFolder(path: string): string {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  return path;
}

/** Writes a file below a package's folder. */
export function put(folder: string, path: string, content: string | Uint8Array): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** Copies files of the repository into the top of a package's folder. */
export function copyInto(folder: string, paths: readonly string[]): void {
  for (const path of paths) copyFileSync(join(root, path), join(folder, path.replace(/.*\//, "")));
}

/** Writes package.json. */
export function putManifest(folder: string, manifest: Readonly<Record<string, unknown>>): void {
  put(folder, "package.json", `${JSON.stringify(manifest, null, 2)}\n`);
}
