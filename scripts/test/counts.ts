// The counts that the reporter, inside `node --test`, hands to the test run through a file, since
// an exit code cannot tell "all passed" from "nothing ran". It must not know who prints them.
import { readFileSync, writeFileSync } from "node:fs";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Files that hold no test: node:test counts each as one passed test, we do not. */
  readonly emptyFiles: readonly string[];
}

/** Environment variable with the path of the file. */
export const countsVariable = "PAWL_TEST_COUNTS";

/** Written once, when all tests have ended. */
export function writeCounts(path: string, counts: Counts): void {
  writeFileSync(path, JSON.stringify(counts));
}

/** Null when the reporter did not get as far as writing them. */
export function readCounts(path: string): Counts | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return null;
  }
  const value: unknown = JSON.parse(text);
  return isCounts(value) ? value : null;
}

function isCounts(value: unknown): value is Counts {
  if (typeof value !== "object" || value === null) return false;
  if (!("passed" in value && "failed" in value && "skipped" in value)) return false;
  const numbers = [value.passed, value.failed, value.skipped];
  const areNumbers = numbers.every((n) => typeof n === "number");
  return areNumbers && "emptyFiles" in value && Array.isArray(value.emptyFiles);
}
