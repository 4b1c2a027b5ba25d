import assert from "node:assert/strict";
import { test } from "node:test";
import { CallTimesMeter } from "./call-times.ts";

test("the mean of few calls is exact, later ones weigh more, functions are apart", () => {
  const times = new CallTimesMeter();
  assert.equal(times.of("a"), null);
  for (const ms of [100, 200, 300]) times.observe("a", ms);
  times.observe("b", 5);
  assert.deepEqual(times.of("b"), { meanMs: 5, count: 1 });
  const { meanMs = 0, count } = times.of("a") ?? {};
  assert.ok(Math.abs(meanMs - 200) < 1e-9);
  assert.equal(count, 3);
  for (let n = 0; n < 100; n += 1) times.observe("a", 1_000);
  assert.ok((times.of("a")?.meanMs ?? 0) > 990);
});

test("what is remembered is bounded", () => {
  const times = new CallTimesMeter();
  for (let n = 0; n <= 10_000; n += 1) times.observe(`f${String(n)}`, n);
  assert.equal(times.of("f0"), null);
  assert.equal(times.of("f10000")?.count, 1);
});
