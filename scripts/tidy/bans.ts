// Finds what the code must not say: clocks, chance and timers in the pure packages, `any`, console
// output, barrels. It must not look at imports between files.
import type { Node } from "oxc-parser";
import type { Finding } from "./finding.ts";
import { walk } from "./source.ts";
import type { Source } from "./source.ts";

const clock = "time arrives as an argument: use `now` of the command";
const chance = "randomness arrives as an argument: use the seed of the command";
const ids = "ids arrive as arguments: use the id source of the command, or uuidFromName";
const timers = "waiting is the shell's work: return a timer effect, or take a callback";

/** Banned in the pure packages, as they are written: `object.property` or a bare global. */
const banned: ReadonlyMap<string, string> = new Map([
  ["Date.now", clock],
  ["performance.now", clock],
  ["Math.random", chance],
  ["crypto.getRandomValues", chance],
  ["crypto.randomUUID", ids],
  ["randomUUID", ids],
  ["setTimeout", timers],
  ["setInterval", timers],
  ["setImmediate", timers],
]);

/** Loggers by profession; everyone else takes a logger. */
const consoleWriters: readonly string[] = [
  "cli",
  "bench",
  "examples",
  "scripts",
  "tests",
  "packages/sdk/src/logger.ts",
];

/** Threads of stores: shells of their own, which nobody above can wait for. */
const threads: readonly string[] = ["packages/store-sqlite/src/thread/writer-thread.ts"];

/** Whether clocks, chance and timers are banned in an area. */
export function isPureArea(area: string): boolean {
  return ["protocol", "engine", "store"].includes(area) || area.startsWith("store-");
}

/** `entryPoints` are the paths where re-exporting is the job. */
export function findBans(source: Source, entryPoints: ReadonlySet<string>): Finding[] {
  const findings: Finding[] = [];
  const isThread = threads.includes(source.path);
  const isPure = source.isPackage && isPureArea(source.area) && !isThread;
  const mayPrint = consoleWriters.includes(source.area) || consoleWriters.includes(source.path);
  const add = (node: Node, rule: string, message: string): void => {
    findings.push({ path: source.path, line: source.lineOf(node.start), rule, message });
  };
  walk(source.program, (node, ancestors) => {
    if (node.type === "TSAnyKeyword") add(node, "any", "say what it is, or use `unknown`");
    const name = nameOf(node, ancestors.at(-1));
    const replacement = isPure && name !== null ? banned.get(name) : undefined;
    if (replacement !== undefined) add(node, "pure", `\`${name}\` is banned here: ${replacement}`);
    if (isPure && isBareDate(node)) add(node, "pure", `\`new Date()\` is banned here: ${clock}`);
    if (!mayPrint && name?.startsWith("console.") === true) {
      add(node, "console", "take a logger from the caller instead of printing");
    }
    if (node.type === "ExportAllDeclaration") {
      add(node, "barrel", "name what is exported; better, import it from where it is defined");
    }
  });
  if (!entryPoints.has(source.path) && isBarrel(source)) {
    const message = "a file that only re-exports: import from the defining file instead";
    findings.push({ path: source.path, line: 1, rule: "barrel", message });
  }
  return findings;
}

/** `a.b` for a member of a plain name, `a` for a name that is called, otherwise null. */
function nameOf(node: Node, parent: Node | undefined): string | null {
  if (node.type === "MemberExpression" && node.object.type === "Identifier") {
    if (node.property.type !== "Identifier") return null;
    return `${node.object.name}.${node.property.name}`;
  }
  const isCalled = parent?.type === "CallExpression" && parent.callee === node;
  return isCalled && node.type === "Identifier" ? node.name : null;
}

function isBareDate(node: Node): boolean {
  if (node.type !== "NewExpression" || node.arguments.length > 0) return false;
  return node.callee.type === "Identifier" && node.callee.name === "Date";
}

function isBarrel(source: Source): boolean {
  if (!source.isPackage) return false;
  const statements = source.program.body.filter(({ type }) => type !== "ImportDeclaration");
  return (
    statements.length > 0 &&
    statements.every(
      (node) =>
        node.type === "ExportAllDeclaration" ||
        (node.type === "ExportNamedDeclaration" && node.declaration === null),
    )
  );
}
