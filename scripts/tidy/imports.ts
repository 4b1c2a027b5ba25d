// Lists what each file imports and where that leads. It must not judge any import.
import { posix } from "node:path";
import type { Node } from "oxc-parser";
import { walk } from "./source.ts";
import type { Source } from "./source.ts";
import { packageNameOf, resolveExport } from "./workspace.ts";
import type { WorkspacePackage } from "./workspace.ts";

export interface Import {
  readonly from: Source;
  readonly line: number;
  readonly specifier: string;
  /** Gone when the program runs: `import type`, `export type`, `import("...").T`. */
  readonly isTypeOnly: boolean;
  /** The file of the project it leads to, relative to the repository; null when outside. */
  readonly target: string | null;
  /** The workspace package of the target when it was named; null for relative and foreign ones. */
  readonly package: WorkspacePackage | null;
}

/** In the order of the text. */
export function listImports(
  source: Source,
  workspace: ReadonlyMap<string, WorkspacePackage>,
): Import[] {
  const imports: Import[] = [];
  walk(source.program, (node) => {
    const found = specifierOf(node);
    if (found === null) return;
    const { specifier, isTypeOnly } = found;
    const line = source.lineOf(node.start);
    const named = workspace.get(packageNameOf(specifier)) ?? null;
    const target = specifier.startsWith(".")
      ? posix.join(posix.dirname(source.path), specifier)
      : named && resolveExport(named, specifier);
    imports.push({ from: source, line, specifier, isTypeOnly, target, package: named });
  });
  return imports;
}

function specifierOf(node: Node): { specifier: string; isTypeOnly: boolean } | null {
  switch (node.type) {
    case "ImportDeclaration":
      return { specifier: node.source.value, isTypeOnly: node.importKind === "type" };
    case "ExportNamedDeclaration":
      if (node.source === null) return null;
      return { specifier: node.source.value, isTypeOnly: node.exportKind === "type" };
    case "ExportAllDeclaration":
      return { specifier: node.source.value, isTypeOnly: node.exportKind === "type" };
    case "ImportExpression": {
      const { source } = node;
      const isText = source.type === "Literal" && typeof source.value === "string";
      return isText ? { specifier: source.value, isTypeOnly: false } : null;
    }
    case "TSImportType":
      return { specifier: node.source.value, isTypeOnly: true };
    default:
      return null;
  }
}
