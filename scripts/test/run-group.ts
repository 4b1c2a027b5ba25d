// Runs one group and judges it: what counts as passed, failed and skipped. It must not know about
// other groups.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { countsVariable, readCounts } from "./counts.ts";
import type { Counts } from "./counts.ts";
import type { Group } from "./group.ts";
import { runBounded } from "./run-bounded.ts";
import type { Ending } from "./run-bounded.ts";

export interface Outcome {
  readonly group: string;
  readonly passed: number;
  /** Zero if and only if the group has passed. */
  readonly failed: number;
  readonly skipped: number;
  /** What a reader must know beyond the printed failures; null when there is nothing. */
  readonly problem: string | null;
  readonly durationMs: number;
}

export interface Surroundings {
  /** The repository. */
  readonly root: string;
  /** Arguments may filter tests away, so files and groups without tests are no failure. */
  readonly mayBeEmpty: boolean;
}

export async function runGroup(group: Group, { root, mayBeEmpty }: Surroundings): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "pawl-test-"));
  const countsFile = join(folder, "counts.json");
  try {
    const env = {
      ...process.env,
      PATH: [join(root, "node_modules/.bin"), process.env["PATH"]].join(delimiter),
      [countsVariable]: countsFile,
      // Set when the test run is itself under test; node would refuse to run tests within tests.
      NODE_TEST_CONTEXT: undefined,
    };
    const { command, timeoutMs } = group;
    const ending = await runBounded({ command, cwd: root, env, timeoutMs });
    return judge(group, ending, readCounts(countsFile), mayBeEmpty);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `counts` is null when the command wrote none. */
export function judge(
  group: Group,
  ending: Ending,
  counts: Counts | null,
  mayBeEmpty: boolean,
): Outcome {
  const problem = problemOf(group, ending, counts, mayBeEmpty);
  const failed = counts?.failed ?? 0;
  const hasFailed = problem !== null || failed > 0 || ending.exitCode !== 0;
  return {
    group: group.name,
    passed: group.countsTests ? (counts?.passed ?? 0) : Number(!hasFailed),
    failed: hasFailed ? Math.max(failed, 1) : 0,
    skipped: counts?.skipped ?? 0,
    problem,
    durationMs: ending.durationMs,
  };
}

function problemOf(
  group: Group,
  ending: Ending,
  counts: Counts | null,
  mayBeEmpty: boolean,
): string | null {
  if (ending.startError !== null) return `could not start: ${ending.startError}`;
  if (ending.timedOut) return `stopped: still running after ${group.timeoutMs / 1000} s`;
  if (!group.countsTests) return null;
  if (counts === null) return "ended before its tests were counted";
  if (mayBeEmpty) return null;
  if (counts.emptyFiles.length > 0) return `no test in ${counts.emptyFiles.join(", ")}`;
  return counts.passed + counts.failed === 0 ? "ran no test" : null;
}
