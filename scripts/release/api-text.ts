// Writes the API of a package as text: the names that each subpath exports, and the declarations
// behind them. Works on declarations alone and must not know which package they are of.
import { dirname, resolve } from "node:path";
import type { Node } from "oxc-parser";
import type { DeclarationFile } from "../build/declarations.ts";
import { walk } from "../tidy/source.ts";

/** A name at the top of a file: what it says, and the names it mentions. */
interface Declaration {
  readonly file: DeclarationFile;
  /** Overloads of one name are several texts. */
  readonly texts: string[];
  readonly mentions: Set<string>;
}

/** A name of one file that stands for one of another. */
interface Link {
  readonly file: string;
  /** Null: the other file as a whole. */
  readonly name: string | null;
}

interface Scope {
  readonly declarations: Map<string, Declaration>;
  readonly links: Map<string, Link>;
  /** Exported name -> local name. */
  readonly exports: Map<string, string>;
}

/** `entries` is the source file by subpath; `files` are theirs and all that they refer to. */
export function describeApi(
  entries: ReadonlyMap<string, string>,
  files: readonly DeclarationFile[],
): string {
  const scopes = new Map(files.map((file) => [file.name, readScope(file)]));
  const nameOf = new Map(files.map((file) => [file.source, file.name]));
  const sections: string[] = [];
  const reached = new Set<Declaration>();
  for (const [subpath, source] of entries) {
    const scope = scopes.get(nameOf.get(source) ?? "");
    if (scope === undefined) throw new TypeError(`${subpath} has no declarations`);
    const names = [...scope.exports.keys()].toSorted();
    for (const local of scope.exports.values()) reach(scopes, scope, local, reached);
    sections.push(`- \`${subpath}\`: ${names.map((name) => `\`${name}\``).join(", ")}`);
  }
  return `${head}\n## Exports\n\n${sections.join("\n")}\n${printDeclarations(files, scopes, reached)}`;
}

const head = `# API on record

Written by \`node scripts/release-check.ts --update\`. A change here is a change of the public API.
`;

function printDeclarations(
  files: readonly DeclarationFile[],
  scopes: ReadonlyMap<string, Scope>,
  reached: ReadonlySet<Declaration>,
): string {
  const blocks = files.flatMap(({ name }) => {
    const all = [...(scopes.get(name)?.declarations ?? [])];
    const shown = all.filter(([, each]) => reached.has(each));
    if (shown.length === 0) return [];
    const texts = shown.toSorted(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, each]) => each.texts);
    return [`\n## ${name}\n\n\`\`\`ts\n${texts.join("\n")}\n\`\`\`\n`];
  });
  return blocks.join("");
}

/** Marks what a name stands for, and everything that mentions lead to. */
function reach(
  scopes: ReadonlyMap<string, Scope>,
  scope: Scope,
  name: string,
  reached: Set<Declaration>,
): void {
  const link = scope.links.get(name);
  if (link !== undefined) {
    const target = scopes.get(link.file);
    if (target === undefined) return;
    const names = link.name === null ? [...target.exports.keys()] : [link.name];
    for (const each of names) reach(scopes, target, target.exports.get(each) ?? each, reached);
    return;
  }
  const declaration = scope.declarations.get(name);
  if (declaration === undefined || reached.has(declaration)) return;
  reached.add(declaration);
  for (const each of declaration.mentions) reach(scopes, scope, each, reached);
}

function readScope(file: DeclarationFile): Scope {
  const scope: Scope = { declarations: new Map(), links: new Map(), exports: new Map() };
  for (const statement of file.parsed.program.body) readStatement(file, scope, statement);
  return scope;
}

function readStatement(file: DeclarationFile, scope: Scope, statement: Node): void {
  switch (statement.type) {
    case "ImportDeclaration":
      for (const each of statement.specifiers) {
        const target = targetOf(file, statement.source.start);
        const name = each.type === "ImportSpecifier" ? nameOf(each.imported) : null;
        scope.links.set(each.local.name, { file: target, name });
      }
      return;
    case "ExportNamedDeclaration":
      if (statement.declaration !== null) {
        const name = declare(file, scope, statement.declaration, statement);
        if (name !== null) scope.exports.set(name, name);
        return;
      }
      for (const each of statement.specifiers) {
        const [local, exported] = [nameOf(each.local), nameOf(each.exported)];
        scope.exports.set(exported, local);
        if (statement.source === null) continue;
        scope.links.set(local, { file: targetOf(file, statement.source.start), name: local });
      }
      return;
    case "ExportAllDeclaration":
      throw new TypeError(`${file.source}: export each name by itself`);
    default:
      declare(file, scope, statement, statement);
  }
}

function declare(file: DeclarationFile, scope: Scope, node: Node, statement: Node): string | null {
  const name = declaredName(node);
  if (name === null) return null;
  const known = scope.declarations.get(name);
  const declaration = known ?? { file, texts: [], mentions: new Set<string>() };
  declaration.texts.push(withoutComments(file, statement));
  // Every identifier counts: too much is only a longer text, too little would hide a change.
  walk(file.parsed.program, (each) => {
    const inside = each.start >= node.start && each.end <= node.end;
    if (inside && each.type === "Identifier" && each.name !== name) {
      declaration.mentions.add(each.name);
    }
  });
  scope.declarations.set(name, declaration);
  return name;
}

function declaredName(node: Node): string | null {
  switch (node.type) {
    case "TSInterfaceDeclaration":
    case "TSTypeAliasDeclaration":
      return node.id.name;
    case "ClassDeclaration":
    case "TSDeclareFunction":
    case "FunctionDeclaration":
      return node.id?.name ?? null;
    case "VariableDeclaration": {
      const [first] = node.declarations;
      return first?.id.type === "Identifier" ? first.id.name : null;
    }
    default:
      return null;
  }
}

function withoutComments(file: DeclarationFile, { start, end }: Node): string {
  const inside = file.parsed.comments.filter((each) => each.start >= start && each.end <= end);
  let text = "";
  let at = start;
  for (const comment of inside) {
    text += file.parsed.text.slice(at, comment.start);
    at = comment.end;
  }
  text += file.parsed.text.slice(at, end);
  return text.replaceAll(/^\s*\n/gm, "");
}

/** The file that the specifier at a position leads to. */
function targetOf(file: DeclarationFile, start: number): string {
  const reference = file.references.find((each) => each.start === start);
  return reference?.name ?? resolve(dirname(file.source));
}

function nameOf(node: Node): string {
  if (node.type === "Identifier") return node.name;
  return node.type === "Literal" && typeof node.value === "string" ? node.value : "";
}
