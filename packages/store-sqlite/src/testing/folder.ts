// A folder for one test.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs the work with the path of a database that does not exist yet, and removes all after it. */
export async function withPath(work: (path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "pawl-sqlite-"));
  try {
    await work(join(folder, "pawl.db"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
