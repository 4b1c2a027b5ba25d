// The estimate that keeps huge patterns from being compiled.
import { test } from "node:test";
import assert from "node:assert/strict";
import { Fault } from "./expression-error.ts";
import type { Frame } from "./frame.ts";
import { expressionLimits } from "./limits.ts";
import { estimateInstructions, matcherOf } from "./pattern.ts";

const frame = (): Frame => ({
  bindings: {},
  at: 0,
  locals: [],
  costLeft: expressionLimits.costMax,
});

test("repetitions count by their product", () => {
  assert.ok(estimateInstructions("((a{10}){10}){10}") >= 1000);
  assert.ok(estimateInstructions("\\Q[\\E(a{100}){100}") >= 10_000);
  assert.ok(estimateInstructions("[]](a{100}){100}") >= 10_000);
  assert.ok(estimateInstructions("(((a{100}){100}") >= 10_000);
  assert.ok(estimateInstructions("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{12}") < 300);
});

test("a pattern whose automaton has grown still answers the same", () => {
  const matches = matcherOf("(a|b)*a(a|b){9}[cd]");
  let text = "";
  for (let i = 0; i < 3000; i += 1) text += (i * i) % 7 < 3 ? "a" : "b";
  for (let round = 0; round < 3; round += 1) {
    assert.equal(matches(frame(), `${text}abbbbbbbbbc`), true);
    assert.equal(matches(frame(), `${text}bbbbbbbbbbc`), false);
  }
});

test("what is no pattern is a fault", () => {
  for (const pattern of ["(", "a**", "\\1", "(?=a)", "x".repeat(1001), "a{1001}"]) {
    assert.throws(() => matcherOf(pattern), Fault, pattern);
  }
});
