// Checks what would be published: builds the SDK, asks the tools that know what goes wrong with
// packages, weighs it, and compares its API with the one on record. `--update` records API and size.
// It must not publish anything.
import "./pinned-node.mjs";
import { parseArgs } from "node:util";
import { buildSdk } from "./build/sdk.ts";
import { checkApi } from "./release/api.ts";
import { lintPackage } from "./release/package-lint.ts";
import { checkSize } from "./release/size.ts";

const usage = "node scripts/release-check.ts [--update]";
const { values } = parseArgs({ options: { update: { type: "boolean", default: false } } });

const { folder } = await buildSdk();
const checks = [
  ["package", await lintPackage(folder)],
  ["size", await checkSize(folder, values.update)],
  ["api", checkApi(values.update)],
] as const;
for (const [name, { note, problems }] of checks) {
  console.log(`${problems.length === 0 ? "✓" : "✗"} ${name}: ${note}`);
  for (const problem of problems) console.log(`  ${problem.replaceAll("\n", "\n  ")}`);
}
const failed = checks.some(([, { problems }]) => problems.length > 0);
if (failed) console.log(`If a change of API or size is meant: ${usage.replace(/[[\]]/g, "")}`);
process.exitCode = failed ? 1 : 0;
