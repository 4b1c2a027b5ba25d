// Keeps the version that the server tells equal to that of its package; nothing else.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { look } from "../http/test-client.ts";
import { version } from "./version.ts";

test("the version is that of the package", () => {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  assert.equal(look(JSON.parse(text), "version"), version);
});
