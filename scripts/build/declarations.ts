// Finds the declarations that the types of a package consist of, across the private packages they
// come from, and makes them one tree that needs nothing else. It must not know which package.
import { readFileSync } from "node:fs";
import { dirname, join, posix, relative, resolve } from "node:path";
import { parseSource, walk, type Source } from "../tidy/source.ts";
import { loadWorkspace, packageNameOf, resolveExport } from "../tidy/workspace.ts";
import { root } from "./package.ts";

/** A file of declarations. */
export interface DeclarationFile {
  /** The file it was compiled from, absolute. */
  readonly source: string;
  /** Path in the published tree, without extension: `sdk/serve/handler`. */
  readonly name: string;
  readonly parsed: Source;
  readonly references: readonly Reference[];
}

/** Where a file names another one. */
export interface Reference {
  /** Of the specifier with its quotes. */
  readonly start: number;
  readonly end: number;
  /** The file it means, as `DeclarationFile.name`. */
  readonly name: string;
}

/**
 * The declarations of the sources and of everything they refer to, as `tsc -b` has left them. Throws
 * when one refers to what is not published with it.
 */
export function collectDeclarations(sources: readonly string[]): DeclarationFile[] {
  const workspace = loadWorkspace(root);
  const found = new Map<string, DeclarationFile>();
  const waiting = [...sources];
  for (let source = waiting.pop(); source !== undefined; source = waiting.pop()) {
    if (found.has(source)) continue;
    const path = compiledPath(source);
    const parsed = parseSource(relative(root, path), readFileSync(path, "utf8"));
    const references: Reference[] = [];
    for (const { specifier, start, end } of specifiersOf(parsed)) {
      const named = workspace.get(packageNameOf(specifier));
      const own = specifier.startsWith(".")
        ? resolve(dirname(source), specifier)
        : named && join(root, resolveExport(named, specifier) ?? "");
      if (own === undefined) {
        throw new TypeError(`${source} has types of ${specifier}, which would not be published`);
      }
      references.push({ start, end, name: nameOf(own) });
      waiting.push(own);
    }
    found.set(source, { source, name: nameOf(source), parsed, references });
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The text of a file with its references made relative, ending in `extension` (`js` or `cjs`). */
export function relocate(file: DeclarationFile, extension: string): string {
  let { text } = file.parsed;
  const here = posix.dirname(file.name);
  for (const { start, end, name } of file.references.toSorted((a, b) => b.start - a.start)) {
    const path = posix.relative(here, name);
    const specifier = `${path.startsWith(".") ? "" : "./"}${path}.${extension}`;
    text = `${text.slice(0, start)}"${specifier}"${text.slice(end)}`;
  }
  return text.replace(/\/\/# sourceMappingURL=.*\n?/, "");
}

/** `packages/sdk/src/serve/handler.ts` -> `packages/sdk/dist/tsc/serve/handler.d.ts`, absolute. */
function compiledPath(source: string): string {
  return source.replace("/src/", "/dist/tsc/").replace(/\.ts$/, ".d.ts");
}

/** `packages/sdk/src/serve/handler.ts` -> `sdk/serve/handler`. */
function nameOf(source: string): string {
  const path = relative(join(root, "packages"), source);
  return path.replace("/src/", "/").replace(/\.ts$/, "");
}

function specifiersOf(source: Source): { specifier: string; start: number; end: number }[] {
  const specifiers: { specifier: string; start: number; end: number }[] = [];
  walk(source.program, (node) => {
    switch (node.type) {
      case "ImportDeclaration":
      case "ExportNamedDeclaration":
      case "ExportAllDeclaration":
      case "TSImportType": {
        if (node.source === null) return;
        const { value, start, end } = node.source;
        specifiers.push({ specifier: value, start, end });
        return;
      }
      default:
    }
  });
  return specifiers;
}
