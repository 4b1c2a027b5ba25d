// `pawl doctor`: examines the store of a server that is not running, and repairs it on demand.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { boundsOf, type RetentionPolicies } from "@pawl/server/loop/retention-policies";
import type { Sizes } from "@pawl/store/store";
import { CliError } from "../cli-error.ts";
import type { Arguments, Command, Terminal } from "../command.ts";
import type { CheckResult, RunProblem } from "../doctor/check.ts";
import { sizeReport, type RetentionFindings } from "../doctor/size-report.ts";
import { lineLog } from "../log.ts";
import { optionFlags, readOptions } from "../option-flags.ts";
import { chosenPolicies } from "../retention.ts";
import { storePath } from "../store-path.ts";

export const doctorCommand: Command = {
  name: "doctor",
  summary:
    "Examine the store of a stopped server: is the file sound, has every run a next wake-up, how large is it?",
  usage: "[flags]",
  positionalsMax: 0,
  flags: {
    fix: {
      kind: "flag",
      short: null,
      placeholder: "",
      help: "Give runs that wait for nothing a wake-up.",
      environment: null,
      fallback: null,
    },
    compact: {
      kind: "flag",
      short: null,
      placeholder: "",
      help: "Give room that is free back to the file system: the file is written anew.",
      environment: null,
      fallback: null,
    },
    ...optionFlags("doctor"),
  },
  run: doctor,
};

/** What was found; printed as it is with `--json`. */
interface Findings extends CheckResult {
  readonly path: string;
  readonly sizes: Sizes;
  readonly retention: RetentionFindings;
  readonly damage: readonly string[];
  readonly repaired: number;
  /** Problems that are still there. */
  readonly remaining: readonly RunProblem[];
}

async function doctor({ flags }: Arguments, terminal: Terminal): Promise<number> {
  const values = await readOptions(flags, terminal);
  const path = storePath(resolve(terminal.directory, values.dir));
  if (!existsSync(path)) {
    throw new CliError(
      "input_invalid",
      `There is no store at ${path}. Name the folder of one with --dir.`,
    );
  }
  const tell = values.json ? () => undefined : terminal.print;
  const policies = chosenPolicies(values);
  const [fix, compact] = [flags["fix"] === true, flags["compact"] === true];
  const findings = await examine({ path, policies, fix, compact, terminal, tell });
  if (values.json) terminal.print(JSON.stringify(findings));
  else for (const line of report(findings)) terminal.print(line);
  return findings.damage.length + findings.remaining.length === 0 ? 0 : 1;
}

interface Examination {
  readonly path: string;
  readonly policies: RetentionPolicies;
  readonly fix: boolean;
  readonly compact: boolean;
  readonly terminal: Terminal;
  readonly tell: (line: string) => void;
}

async function examine(examination: Examination): Promise<Findings> {
  const { path, policies, fix, compact, terminal, tell } = examination;
  const [{ createSqliteStore }, { checkRuns, problemsOf }, { defaultRetentionLimits }] =
    await Promise.all([
      import("@pawl/store-sqlite/sqlite-store"),
      import("../doctor/check.ts"),
      import("@pawl/server/loop/retention"),
    ]);
  const store = createSqliteStore({ path });
  const fence = await store.open();
  try {
    tell(`examining ${path}`);
    const damage = await store.verify();
    if (compact && damage.length === 0) await store.compact();
    const sizes = await store.list<"sizes">({ type: "sizes" });
    const bounds = boundsOf(policies, Date.now(), defaultRetentionLimits.spareMs);
    const beyond = await store.list<"beyond">({ type: "beyond", bounds });
    const retention = { policies, beyond };
    const found = await checkRuns(store, (looked) =>
      tell(`  ${String(looked)} unfinished runs examined`),
    );
    const runIds = found.problems.map(({ runId }) => runId);
    if (!fix || runIds.length === 0 || damage.length > 0) {
      return { path, sizes, retention, damage, ...found, repaired: 0, remaining: found.problems };
    }
    const { repairRuns } = await import("../doctor/repair.ts");
    await repairRuns(
      store,
      fence,
      runIds,
      lineLog("warn", false, () => Date.now(), terminal.complain),
    );
    const remaining = await problemsOf(store, runIds);
    const repaired = runIds.length - remaining.length;
    return { path, sizes, retention, damage, ...found, repaired, remaining };
  } finally {
    await store.close();
  }
}

const problemsShown = 20;

function report(findings: Findings): readonly string[] {
  const { sizes, retention, damage, unfinished, problems, repaired, remaining } = findings;
  const rows = [
    ["file", damage.length === 0 ? "sound" : `${String(damage.length)} damage(s)`],
    ["unfinished runs", String(unfinished)],
    ["without a wake-up", String(problems.length)],
    ["repaired", String(repaired)],
  ];
  const width = Math.max(...rows.map(([name = ""]) => name.length));
  return [
    ...sizeReport(sizes, retention),
    ...rows.map(([name = "", value = ""]) => `  ${name.padEnd(width)}  ${value}`),
    ...damage.map((line) => `damage: ${line}`),
    ...remaining.slice(0, problemsShown).map(({ problem }) => `problem: ${problem}`),
    ...(remaining.length > problemsShown
      ? [`… and ${String(remaining.length - problemsShown)} more; --json lists all`]
      : []),
    verdict(findings),
  ];
}

function verdict({ damage, remaining }: Findings): string {
  if (damage.length > 0)
    return "The file is damaged: restore it from a backup; nothing was repaired.";
  if (remaining.length === 0) return "Everything is in order.";
  return 'Run "pawl doctor --fix" to give these runs a wake-up.';
}
