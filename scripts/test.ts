// The project's test command: runs every check and every group of tests, one after the other, each
// for a bounded time, and closes with one line of counts. It must not know what a check is about.
import "./pinned-node.mjs";
import { fileURLToPath } from "node:url";
import { isWanted } from "./test/group.ts";
import type { Group } from "./test/group.ts";
import { readOptions, usage } from "./test/options.ts";
import type { Options } from "./test/options.ts";
import { planGroups } from "./test/plan.ts";
import { runGroup } from "./test/run-group.ts";
import type { Outcome } from "./test/run-group.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return 2;
  }
  const all = planGroups(root, options.nodeArgs);
  const unknown = options.only.filter((wanted) => !all.some(({ name }) => isWanted(name, wanted)));
  if (unknown.length > 0) {
    const names = all.map(({ name }) => name).join(", ");
    console.error(`no group is called ${unknown.join(", ")}; there are: ${names}\n${usage}`);
    return 2;
  }
  const chosen = all.filter(
    ({ name }) =>
      options.only.length === 0 || options.only.some((wanted) => isWanted(name, wanted)),
  );
  if (options.list) {
    for (const { name } of chosen) console.log(name);
    return 0;
  }
  return summarize(await runAll(chosen, options), chosen.length);
}

async function runAll(groups: readonly Group[], options: Options): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const group of groups) {
    console.log(`\n── ${group.name} `.padEnd(60, "─"));
    const outcome = await runGroup(group, { root, mayBeEmpty: options.nodeArgs.length > 0 });
    outcomes.push(outcome);
    console.log(describe(outcome));
    if (options.bail && outcome.failed > 0) break;
  }
  return outcomes;
}

function describe(outcome: Outcome): string {
  const mark = outcome.failed === 0 ? "✓" : "✗";
  const parts = [`${outcome.passed} passed`];
  if (outcome.failed > 0) parts.push(`${outcome.failed} failed`);
  if (outcome.skipped > 0) parts.push(`${outcome.skipped} skipped`);
  const seconds = (outcome.durationMs / 1000).toFixed(1);
  const problem = outcome.problem === null ? "" : `: ${outcome.problem}`;
  return `${mark} ${outcome.group}  ${parts.join(", ")} in ${seconds} s${problem}`;
}

/** Prints what failed and the closing line; returns the exit code. */
function summarize(outcomes: readonly Outcome[], groupsPlanned: number): number {
  const total = { passed: 0, failed: 0, skipped: 0, durationMs: 0 };
  for (const outcome of outcomes) {
    total.passed += outcome.passed;
    total.failed += outcome.failed;
    total.skipped += outcome.skipped;
    total.durationMs += outcome.durationMs;
  }
  const failed = outcomes.filter((outcome) => outcome.failed > 0);
  console.log(`\n${"═".repeat(59)}`);
  for (const outcome of failed) console.log(describe(outcome));
  const left = groupsPlanned - outcomes.length;
  if (left > 0) console.log(`${left} groups not run (--bail)`);
  console.log(`${outcomes.length} groups in ${(total.durationMs / 1000).toFixed(0)} s`);
  const ranNothing = total.passed + total.failed === 0;
  if (ranNothing) console.log("no test has run");
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
  console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
  return failed.length > 0 || ranNothing ? 1 : 0;
}

process.exitCode = await main();
