// The limits of every group of the test run, in one table: this is the file to edit when a group
// needs its own processes or more time. It must not know which groups exist on disk.
import type { TestLimits } from "./group.ts";

/** For a static check such as the compiler or the linter. */
export const checkTimeoutMs = 180_000;

const unitDefaults: TestLimits = { timeoutMs: 120_000, isolation: "none" };
const blackBoxDefaults: TestLimits = { timeoutMs: 180_000, isolation: "process" };

/** Exceptions by group name, each with its reason. */
const exceptions: Readonly<Record<string, Partial<TestLimits>>> = {
  // Worker threads and open files of one test file must not outlive it into the next.
  "unit/store-sqlite": { isolation: "process" },
  // Installs from the registry, which may be slow.
  "tests/release": { timeoutMs: 300_000 },
  // Kills and restarts real processes many times.
  "tests/crash": { timeoutMs: 300_000 },
  // Six groups of apps and servers, many of whose steps sleep for whole seconds.
  "tests/sdk": { timeoutMs: 300_000 },
};

/** The limits of a group of test files, from the table above. */
export function limitsOf(groupName: string): TestLimits {
  const defaults = groupName.startsWith("tests/") ? blackBoxDefaults : unitDefaults;
  return { ...defaults, ...exceptions[groupName] };
}
