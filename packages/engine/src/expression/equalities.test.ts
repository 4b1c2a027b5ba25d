// Which equalities of an expression an index may use.
import { test } from "node:test";
import assert from "node:assert/strict";
import { compileExpression } from "./compile.ts";
import { equalityPairs } from "./equalities.ts";

function pairs(source: string): readonly string[] {
  return equalityPairs(compileExpression(source)).map(
    ({ asyncPath, other }) => `${asyncPath} = ${other.source}`,
  );
}

test("equalities of the outermost conjunction, in either order", () => {
  assert.deepEqual(pairs("async.data.userId == event.data.userId"), [
    "data.userId = event.data.userId",
  ]);
  assert.deepEqual(pairs("event.data.userId == async.data.userId"), [
    "data.userId = event.data.userId",
  ]);
  assert.deepEqual(
    pairs("async.data.a == 'x' && (event.data.n + 1 == async.data['b c'] && async.data.ok)"),
    ["data.a = 'x'", 'data["b c"] = event.data.n + 1'],
  );
});

test("what does not have to be equal, or is not known before, gives no pair", () => {
  const without = [
    "async.data.a == event.data.a || true",
    "!(async.data.a == event.data.a)",
    "async.data.a != event.data.a",
    "async.data.a == async.data.b",
    "async.data.a == event.data[async.name]",
    "async.data.items[0] == event.data.a",
    "async.?data.a == event.data.a",
    "async.data.at == string(now())",
    "async.data.a == steps.first",
    "async == event.data",
    "event.data.a == 'x'",
    "(async.data.a == event.data.a ? true : false)",
    "event.data.items.all(i, async.data.a == i)",
  ];
  for (const source of without) assert.deepEqual(pairs(source), [], source);
});

test("a pair whose value no event changes is constant", () => {
  const found = equalityPairs(compileExpression("async.data.a == 'x' && async.data.b == event.b"));
  assert.deepEqual(
    found.map(({ constant }) => constant),
    [true, false],
  );
  const [, second] = found;
  assert.deepEqual(second?.other.evaluate({ event: { b: 7 } }, 0), { ok: true, value: 7 });
});
