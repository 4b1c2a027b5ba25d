import assert from "node:assert/strict";
import { test } from "node:test";
import { sdkSpanId } from "./sdk-span-id.ts";

test("span ids of steps are those that the npm package inngest 4.24.0 makes", () => {
  const step = "5dbc716c4600097b85b9e51d6aeb77a4363b03ed";
  assert.deepEqual(["", "abc", step, `${step}:0`].map(sdkSpanId), [
    "dd9fc5ea353468a4",
    "a71d428904cedca5",
    "0a46ce8a5f882f0e",
    "b3ce2a549a34f121",
  ]);
});
