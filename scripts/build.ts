// Builds what is published: packages/sdk/dist/npm (`pawl`) and packages/cli/dist/npm (`pawl-cli`).
// It must not know how a package is checked.
import "./pinned-node.mjs";
import { relative } from "node:path";
import { buildCli } from "./build/cli.ts";
import { buildSdk } from "./build/sdk.ts";
import { root } from "./build/package.ts";

for (const build of [buildSdk, buildCli]) {
  const startedAt = performance.now();
  const { name, version, folder } = await build();
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  console.log(`${name} ${version} in ${relative(root, folder)}  (${seconds} s)`);
}
