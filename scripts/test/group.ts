// What one group of the test run is: a named command with limits. This file must not know how a
// group is run or reported.
export interface Group {
  /**
   * `types`, `lint`, `format`, `tidy`, `release`, `unit/<package>` or `tests/<name>`: what `--only`
   * takes.
   */
  readonly name: string;
  /** Program and arguments; a bare program name is looked up in node_modules/.bin first. */
  readonly command: readonly [program: string, ...args: string[]];
  /** After this the group's processes are killed and the group has failed. */
  readonly timeoutMs: number;
  /** Whether the command reports counts of tests; a check without counts is itself one test. */
  readonly countsTests: boolean;
}

/** What a run of node:test files may differ in from its neighbours. */
export interface TestLimits {
  readonly timeoutMs: number;
  /** `none` shares one process among the files (fast), `process` gives each file its own. */
  readonly isolation: "none" | "process";
}

/** Whether `--only wanted` means the group: its full name or a leading part such as `unit`. */
export function isWanted(groupName: string, wanted: string): boolean {
  return groupName === wanted || groupName.startsWith(`${wanted}/`);
}
