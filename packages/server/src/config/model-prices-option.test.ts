// The prices of models as flag, variable and file give them, and what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { priceOf } from "@pawl/engine/metadata/model-prices";
import { resolveOptions } from "./resolve.ts";

const none = { flags: {}, environment: {}, file: null };

test("prices are JSON, or an object in a file; names match without provider and date", () => {
  const values = {
    "My-Model": { input: 0.5, output: 2 },
    "gpt-5-2025-08-07": { input: 0, output: 0 },
  };
  const json = JSON.stringify(values);
  for (const sources of [
    { ...none, flags: { "model-prices": json } },
    { ...none, environment: { PAWL_MODEL_PRICES: json } },
    { ...none, file: { path: "/pawl.json", values: { "model-prices": values } } },
  ]) {
    const prices = resolveOptions(sources)["model-prices"];
    assert.deepEqual(priceOf(prices, "own/my-model-2026-01-31"), { input: 0.5, output: 2 });
    assert.deepEqual(priceOf(prices, "gpt-5-2025-08-07"), { input: 0, output: 0 });
    assert.equal(priceOf(prices, "gpt-5"), undefined);
  }
  assert.equal(resolveOptions(none)["model-prices"].size, 0);
});

test("anything else is refused with what is expected", () => {
  for (const text of [
    "no json",
    "[]",
    "1",
    '{"m":1}',
    '{"m":{"input":1}}',
    '{"m":{"input":-1,"output":1}}',
    '{"m":{"input":"1","output":1}}',
    '{"m":{"input":1,"output":1,"cached":1}}',
  ]) {
    assert.throws(
      () => resolveOptions({ ...none, flags: { "model-prices": text } }),
      /model-prices must be .*"input"/,
      text,
    );
  }
});
