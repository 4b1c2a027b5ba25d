// Tests of the test run itself, with real processes: what it counts, what it refuses, and that
// nothing it started stays alive.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { isWanted } from "./group.ts";
import type { Group } from "./group.ts";
import { limitsOf } from "./limits.ts";
import { readOptions } from "./options.ts";
import { filesByGroup, planGroups } from "./plan.ts";
import { runBounded } from "./run-bounded.ts";
import { runGroup } from "./run-group.ts";
import type { Outcome } from "./run-group.ts";

/** A folder with the given files, gone after the test. */
function folderWith(t: TestContext, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "pawl-run-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** Runs the one group that the files make up and returns its outcome. */
async function run(t: TestContext, path: string, text: string, args: string[] = []) {
  const root = folderWith(t, { [path]: text });
  const quiet = `--test-reporter-destination=${join(root, "printed.txt")}`;
  const group = planGroups(root, [quiet, ...args]).find((each) => each.countsTests);
  assert.ok(group);
  return runGroup(group, { root, mayBeEmpty: args.length > 0 });
}

function counts({ passed, failed, skipped }: Outcome): number[] {
  return [passed, failed, skipped];
}

const mixed = `import { suite, test } from "node:test";
test("passes", () => {});
test.skip("is skipped", () => {});
suite("suite", () => { test("fails", async (t) => {
  await t.test("inner fails", () => { throw new Error("no"); });
}); });`;

suite("groups", () => {
  test("a package is a group, so is each folder or file of tests/", (t) => {
    const root = folderWith(t, {
      "packages/engine/src/rules/retry.test.ts": "",
      "packages/engine/src/node_modules/x/y.test.ts": "",
      "packages/engine/dist/tsc/retry.test.ts": "",
      "tests/crash/kill.test.ts": "",
      "tests/cli.test.ts": "",
      "scripts/tidy/x.test.ts": "",
    });
    assert.deepEqual([...filesByGroup(root).keys()].toSorted(), [
      "tests/cli",
      "tests/crash",
      "unit/engine",
      "unit/scripts",
    ]);
  });

  test("a wanted name is a whole part of the path", () => {
    assert.ok(isWanted("unit/store", "unit"));
    assert.ok(isWanted("unit/store", "unit/store"));
    assert.ok(!isWanted("unit/store-sqlite", "unit/store"));
  });

  test("black-box tests never share a process", () => {
    assert.equal(limitsOf("tests/anything").isolation, "process");
    assert.equal(limitsOf("unit/engine").isolation, "none");
  });

  test("options: what follows -- is for node, unknown ones are refused", () => {
    const options = readOptions(["--only", "unit", "--bail", "--", "--test-only"]);
    assert.deepEqual(options.only, ["unit"]);
    assert.ok(options.bail);
    assert.deepEqual(options.nodeArgs, ["--test-only"]);
    assert.throws(() => readOptions(["--fast"]), TypeError);
  });
});

suite("outcomes", () => {
  for (const path of ["packages/x/src/x.test.ts", "tests/x/x.test.ts"]) {
    test(`each test is counted once (${path})`, async (t) => {
      assert.deepEqual(counts(await run(t, path, mixed)), [1, 1, 1]);
    });

    test(`a file without a test fails (${path})`, async (t) => {
      const outcome = await run(t, path, "export {};");
      assert.deepEqual(counts(outcome), [0, 1, 0]);
      assert.match(outcome.problem ?? "", /no test in .*x\.test\.ts/);
    });

    test(`a file that cannot be loaded fails (${path})`, async (t) => {
      assert.deepEqual(counts(await run(t, path, `throw new Error("broken");`)), [0, 1, 0]);
    });
  }

  test("arguments may filter all tests of a group away", async (t) => {
    const outcome = await run(t, "tests/x/x.test.ts", mixed, ["--test-name-pattern=nothing"]);
    assert.deepEqual(counts(outcome), [0, 0, 0]);
  });

  test("a check is one test, passed by its exit code", async (t) => {
    const root = folderWith(t, {});
    const check = (code: string): Group => ({
      name: "check",
      command: [process.execPath, "-e", code],
      timeoutMs: 30_000,
      countsTests: false,
    });
    const surroundings = { root, mayBeEmpty: false };
    assert.deepEqual(counts(await runGroup(check(""), surroundings)), [1, 0, 0]);
    assert.deepEqual(counts(await runGroup(check("process.exit(3)"), surroundings)), [0, 1, 0]);
  });

  test("a program that does not exist is a failure with a reason", async (t) => {
    const root = folderWith(t, {});
    const group: Group = {
      name: "x",
      command: ["no-such-program-of-pawl"],
      timeoutMs: 30_000,
      countsTests: false,
    };
    const outcome = await runGroup(group, { root, mayBeEmpty: false });
    assert.equal(outcome.failed, 1);
    assert.match(outcome.problem ?? "", /could not start/);
  });
});

suite("bounds", () => {
  test("a command that outlives its time is stopped with all it started", async (t) => {
    const root = folderWith(t, {});
    const pidFile = join(root, "pid");
    const code = `
      const child = require("node:child_process").spawn("sleep", ["300"]);
      require("node:fs").writeFileSync(${JSON.stringify(pidFile)}, String(child.pid));
      process.on("SIGTERM", () => {});`;
    const ending = await runBounded({
      command: [process.execPath, "-e", code],
      cwd: root,
      env: process.env,
      timeoutMs: 2_000,
    });
    assert.ok(ending.timedOut);
    assert.ok(await isGone(Number(readFileSync(pidFile, "utf8"))));
  });
});

/** Whether the process ends within a bounded number of looks; a zombie has ended. */
async function isGone(pid: number): Promise<boolean> {
  for (let look = 0; look < 100; look++) {
    try {
      if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) return true;
    } catch {
      return true;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return false;
}
