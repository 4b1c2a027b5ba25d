// The compiler's word about types through two middlewares.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const tsc = fileURLToPath(new URL("../../node_modules/.bin/tsc", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));
const file = fileURLToPath(new URL("types/two-middlewares.ts", import.meta.url));
const config = fileURLToPath(new URL("types/.tsconfig.test.json", import.meta.url));

/** Checks one file with the compiler options of the repository. */
function check(path: string): { readonly code: number | null; readonly out: string } {
  const settings = {
    extends: "../../../tsconfig.base.json",
    compilerOptions: {
      composite: false,
      declaration: false,
      noEmit: true,
      noUnusedLocals: false,
      allowImportingTsExtensions: true,
    },
    files: [path],
  };
  writeFileSync(config, JSON.stringify(settings));
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, "-p", config], {
      cwd: root,
      encoding: "utf8",
    });
    return { code: status, out: stdout + stderr };
  } finally {
    rmSync(config);
  }
}

test("bug class 13: types go through two middlewares, steps and invocations unchanged", () => {
  const { code, out } = check(file);
  assert.equal(code, 0, out);
});

test("bug class 13: the check can fail: a wrong claim about the same file does not compile", () => {
  const wrong = file.replace(".ts", ".wrong.ts");
  writeFileSync(
    wrong,
    readFileSync(file, "utf8").replace("same<typeof since, Date>", "same<typeof since, string>"),
  );
  try {
    const { code, out } = check(wrong);
    assert.notEqual(code, 0);
    assert.match(out, /two-middlewares\.wrong\.ts\(\d+,\d+\): error TS2345/);
  } finally {
    rmSync(wrong);
  }
});
