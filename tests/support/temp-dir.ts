// Folders for one test, gone when the test process ends.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const made = new Set<string>();
let willTidy = false;

/** A new empty folder. Removed at the end of this process. */
export function makeTempDir(name = "test"): string {
  if (!willTidy) {
    willTidy = true;
    process.once("exit", () => {
      for (const dir of made) rmSync(dir, { recursive: true, force: true });
    });
  }
  const dir = mkdtempSync(join(tmpdir(), `pawl-${name}-`));
  made.add(dir);
  return dir;
}
