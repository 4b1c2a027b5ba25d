// The tidy test: house rules that neither the compiler nor the linter can check. Exits with 1 when
// a rule is broken. `--update` lowers the numbers of tidy-ratchet.json; raising one is an edit by
// hand, with its reason in the commit. It must not know the rules, only where the files are.
import "./pinned-node.mjs";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { checkSources } from "./tidy/check.ts";
import { formatFinding } from "./tidy/finding.ts";
import { readRatchet } from "./tidy/ratchet.ts";
import { loadSources } from "./tidy/source.ts";
import { loadWorkspace } from "./tidy/workspace.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const ratchetFile = fileURLToPath(new URL("tidy-ratchet.json", import.meta.url));

const { values } = parseArgs({ options: { update: { type: "boolean", default: false } } });
const startedAt = performance.now();
const sources = loadSources(root);
const workspace = loadWorkspace(root);
const ratchet = readRatchet(readFileSync(ratchetFile, "utf8"));
let tidiness = checkSources(sources, workspace, ratchet);
if (values.update) {
  writeFileSync(ratchetFile, `${JSON.stringify(tidiness.lowered, null, 2)}\n`);
  tidiness = checkSources(sources, workspace, tidiness.lowered);
}

for (const finding of tidiness.findings) console.log(formatFinding(finding));
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
const count = tidiness.findings.length;
console.log(
  `tidy: ${sources.length} files, ${count === 0 ? "no" : count} findings in ${seconds} s`,
);
process.exitCode = count === 0 ? 0 : 1;
