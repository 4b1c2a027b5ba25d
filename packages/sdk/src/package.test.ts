// Promises of the package as a whole: its version, and that its core runs without Node's modules.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseAs } from "./test-kit.ts";
import { sdkVersion } from "./version.ts";

const root = join(import.meta.dirname, "..");

test("the version on the wire is that of the package, which depends on nothing", () => {
  const manifest = parseAs<{ version: string; dependencies?: object }>(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  assert.equal(sdkVersion, manifest.version);
  assert.deepEqual(Object.keys(manifest.dependencies ?? {}), []);
});

test("nothing is imported from Node or from npm", () => {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  const sources = files.filter((file) => file.endsWith(".ts") && !file.includes(".test"));
  assert.ok(sources.length > 30);
  for (const file of sources) {
    const text = readFileSync(join(root, "src", file), "utf8");
    for (const [, from = ""] of text.matchAll(/^(?:import|export|\}).* from "([^"]+)";/gm)) {
      assert.match(from, /^(\.{1,2}\/|@pawl\/protocol\/)/, `${file} imports ${from}`);
    }
  }
});
