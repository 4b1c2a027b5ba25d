// `pawl doctor` on the store of a stopped server, as a process of its own.
import { fileURLToPath } from "node:url";
import { Child } from "../support/child.ts";

const program = fileURLToPath(import.meta.resolve("pawl-cli/bin/pawl.js"));

export interface Examination {
  /** 0: the file is sound, and every unfinished run has a next wake-up. */
  readonly code: number | null;
  readonly output: string;
  /** Runs in the store, and how many of them have not ended; null when the doctor did not say. */
  readonly runs: number | null;
  readonly unfinished: number | null;
}

/** Examines the store in the folder; repairs nothing. */
export async function examine(dir: string): Promise<Examination> {
  const child = await Child.start({ args: [program, "doctor", "--dir", dir, "--json"], cwd: dir });
  const { code } = await child.exited;
  const { output } = child;
  const line = output.split("\n").find((text) => text.startsWith("{"));
  if (line === undefined) return { code, output, runs: null, unfinished: null };
  // proof: the documented findings of `pawl doctor --json`
  const found = JSON.parse(line) as { unfinished: number; sizes: { tables: { runs: number } } };
  return { code, output, runs: found.sizes.tables.runs, unfinished: found.unfinished };
}
