// Finds the groups of the test run on disk, in the order in which they run: cheap checks first,
// black-box tests last. It must not run anything.
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Group } from "./group.ts";
import { checkTimeoutMs, limitsOf } from "./limits.ts";

const reporter = fileURLToPath(new URL("./test-reporter.ts", import.meta.url));

/** All groups under `root`, the repository; `nodeArgs` go to `node --test` unchanged. */
export function planGroups(root: string, nodeArgs: readonly string[]): Group[] {
  const node = process.execPath;
  return [
    check("types", ["tsc", "-b"]),
    check("lint", ["oxlint", "--deny-warnings"]),
    check("format", ["oxfmt", "--check"]),
    check("tidy", [node, "scripts/tidy.ts"]),
    check("release", [node, "scripts/release-check.ts"]),
    ...testGroups(root, nodeArgs),
  ];
}

/** Test files by group name, relative to `root`, sorted. */
export function filesByGroup(root: string): Map<string, string[]> {
  const patterns = [
    "packages/*/src/**/*.test.{ts,tsx}",
    "scripts/**/*.test.ts",
    "tests/**/*.test.{ts,tsx}",
  ];
  const exclude = ["**/node_modules/**", "**/dist/**"];
  const groups = new Map<string, string[]>();
  for (const file of globSync(patterns, { cwd: root, exclude }).toSorted()) {
    const name = groupOf(file);
    const files = groups.get(name);
    if (files === undefined) groups.set(name, [file]);
    else files.push(file);
  }
  return groups;
}

function groupOf(file: string): string {
  const [top, second = ""] = file.split("/");
  if (top === "packages") return `unit/${second}`;
  if (top === "scripts") return "unit/scripts";
  return `tests/${second.replace(/\.test\.tsx?$/, "")}`;
}

function testGroups(root: string, nodeArgs: readonly string[]): Group[] {
  const groups = [...filesByGroup(root)].toSorted(([a], [b]) => rank(a) - rank(b));
  return groups.map(([name, files]) => {
    const { timeoutMs, isolation } = limitsOf(name);
    const args = ["--test", `--test-isolation=${isolation}`, `--test-reporter=${reporter}`];
    // Files that each start servers would only slow one another down on a small machine.
    if (isolation === "process") args.push("--test-concurrency=1");
    return {
      name,
      command: [process.execPath, ...args, ...nodeArgs, ...files],
      timeoutMs,
      countsTests: true,
    };
  });
}

/** Units follow the layers, so that the deepest cause of a failure is shown first. */
function rank(name: string): number {
  const layers = ["unit/scripts", "unit/protocol", "unit/engine", "unit/store"];
  const layer = layers.indexOf(name);
  if (layer >= 0) return layer;
  return name.startsWith("unit/") ? layers.length : layers.length + 1;
}

function check(name: string, command: Group["command"]): Group {
  return { name, command, timeoutMs: checkTimeoutMs, countsTests: false };
}
