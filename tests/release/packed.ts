// Packages as a user gets them: built, packed by npm, unpacked.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** Packs a package's folder; returns the tarball's path. */
export function pack(folder: string, destination: string): string {
  const args = ["pack", "--json", "--pack-destination", destination];
  const told = execFileSync("npm", args, { cwd: folder, encoding: "utf8", stdio: "pipe" });
  const [packed] = JSON.parse(told) as [{ filename: string }]; // proof: npm's documented output
  return join(destination, packed.filename);
}

/** Puts a tarball's content into `node_modules/<name>` of a project. */
export function unpack(tarball: string, project: string, name: string): void {
  const folder = join(project, "node_modules", name);
  mkdirSync(folder, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", folder]);
}

/** Node programs on this machine, the one that runs this first; each version once. */
export function nodesOnThisMachine(): { readonly major: number; readonly path: string }[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = new Map<number, string>();
  for (const path of [process.execPath, ...folders.map((folder) => join(folder, "node"))]) {
    const major = majorOf(path);
    if (major !== null && !found.has(major)) found.set(major, path);
  }
  return [...found].map(([major, path]) => ({ major, path }));
}

function majorOf(path: string): number | null {
  try {
    const args = ["-p", "process.versions.node"];
    const version = execFileSync(path, args, { encoding: "utf8", stdio: "pipe" });
    return Number.parseInt(version, 10);
  } catch {
    return null;
  }
}

/** This process's variables with the folder of a Node in front of the path, and no test runner. */
export function environmentOf(node: string): NodeJS.ProcessEnv {
  const path = [dirname(node), process.env["PATH"]].join(delimiter);
  return { ...process.env, PATH: path, NODE_TEST_CONTEXT: undefined };
}
