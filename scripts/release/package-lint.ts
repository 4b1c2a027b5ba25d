// Packs a package and asks `attw` (do types and code resolve alike, in every way of resolving?) and
// `publint` (are the fields of package.json right, are the files there?). Any finding is a problem.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import type { Verdict } from "./verdict.ts";

/** Of a package's folder that is ready for `npm publish`. */
export async function lintPackage(folder: string): Promise<Verdict> {
  const tarball = pack(folder);
  const problems = [...(await askAttw(tarball)), ...(await askPublint(tarball))];
  const kilobytes = (tarball.byteLength / 1_000).toFixed(0);
  return { note: `tarball of ${kilobytes} kB, attw and publint`, problems };
}

function pack(folder: string): Uint8Array {
  const out = mkdtempSync(join(tmpdir(), "pawl-pack-"));
  try {
    const args = ["pack", "--json", "--pack-destination", out];
    const told = execFileSync("npm", args, { cwd: folder, encoding: "utf8", stdio: "pipe" });
    const [packed] = JSON.parse(told) as [{ filename: string }]; // proof: npm's documented output
    return readFileSync(join(out, packed.filename));
  } finally {
    rmSync(out, { recursive: true });
  }
}

async function askAttw(tarball: Uint8Array): Promise<string[]> {
  const result = await checkPackage(createPackageFromTarballData(tarball));
  if (!result.types) return ["attw: the package has no types"];
  return result.problems.map((problem) => `attw: ${JSON.stringify(problem)}`);
}

async function askPublint(tarball: Uint8Array): Promise<string[]> {
  const { buffer, byteOffset, byteLength } = tarball;
  const data = buffer.slice(byteOffset, byteOffset + byteLength);
  // proof: the bytes come from a file, so they are no shared memory
  const packed = { tarball: data as ArrayBuffer };
  const { messages, pkg } = await publint({ pack: packed, strict: true });
  return messages.map(
    (message) => `publint: ${formatMessage(message, pkg) ?? JSON.stringify(message)}`,
  );
}
