// Keys of waits and events: examples, and the guarantee that a match is never missed.
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import type { JsonValue } from "@pawl/protocol/json-text";
import { compileExpression } from "../expression/compile.ts";
import { randomEvent, randomExpression, randomJson } from "../testing/random-expressions.ts";
import { constantKeys, eventKeys, waitKey } from "./key.ts";

const at = 1_700_000_000_000;

test("the wait's key is the event's key at its path", () => {
  const key = waitKey("event.data.userId == async.data.userId", { data: { userId: "u1" } }, at);
  assert.equal(key?.path, "data.userId");
  assert.match(key?.hash ?? "", /^[0-9a-f]{16}$/);
  assert.deepEqual(eventKeys({ data: { userId: "u1" } }, ["data.userId"]), [key]);
  assert.notDeepEqual(eventKeys({ data: { userId: "u2" } }, ["data.userId"]), [key]);
});

test("equal numbers have one key, a number and its text two", () => {
  const keyOf = (source: string) => waitKey(`async.a == ${source}`, {}, at)?.hash;
  assert.equal(keyOf("1"), keyOf("1.0"));
  assert.equal(keyOf("1u"), keyOf("2 - 1.0"));
  assert.equal(keyOf("0.0"), keyOf("-0.0"));
  assert.notEqual(keyOf("1"), keyOf("'1'"));
  assert.notEqual(keyOf("true"), keyOf("'true'"));
});

test("null, lists and objects have no key", () => {
  for (const event of [
    {},
    { data: null },
    { data: { a: null } },
    { data: { a: [1] } },
    { data: { a: { b: 1 } } },
  ]) {
    assert.equal(waitKey("async.data.a == event.data.a", event, at), null);
    assert.deepEqual(eventKeys(event, ["data.a", "", "not a path"]), []);
  }
});

test("no expression, no equality, or a fault: no key", () => {
  assert.equal(waitKey(null, {}, at), null);
  assert.equal(waitKey("async.data.a > 1", {}, at), null);
  assert.equal(waitKey("async.data.a == 1 / 0", {}, at), null);
});

test("the most selective equality wins", () => {
  const expression =
    "async.ok == true && async.kind == 'x' && async.on == event.on && async.id == event.id && async.n == event.n";
  const event = { on: true, id: "i", n: 1 };
  assert.equal(waitKey(expression, event, at)?.path, "id");
  assert.equal(waitKey(expression, { ...event, id: null }, at)?.path, "n");
  assert.equal(waitKey(expression, {}, at)?.path, "kind");
  assert.equal(waitKey("async.ok == true && async.on == event.on", event, at)?.path, "on");
});

function assertFound(expression: string, trigger: JsonValue, event: JsonValue): boolean {
  const matches = compileExpression(expression).test({ event: trigger, async: event }, at);
  const key = waitKey(expression, trigger, at);
  if (!matches || key === null) return false;
  assert.deepEqual(eventKeys(event, [key.path]), [key], expression);
  return true;
}

const field = fc.constantFrom(
  "a",
  "b",
  "data.a",
  "data.b",
  'data["odd key"]',
  "data.a.b",
  "data.__proto__",
);
const known = fc.oneof(
  field.map((path) => `event.${path}`),
  fc.constantFrom(
    "1",
    "1.0",
    "2u",
    "'a'",
    "true",
    "null",
    "[]",
    "9007199254740993",
    "1e308 * 10.0",
    "event.a + 1",
    "string(event.a)",
    "now()",
  ),
);
const equality = fc
  .tuple(field, known, fc.boolean())
  .map(([path, other, turned]) =>
    turned ? `${other} == async.${path}` : `async.${path} == ${other}`,
  );
const demand = fc.oneof(
  { weight: 3, arbitrary: equality },
  { weight: 1, arbitrary: randomExpression.map((text) => `(${text})`) },
);

/** Few values of every kind, some of them equal under the rules of expressions. */
const value = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom<JsonValue>(
      null,
      0,
      -0,
      1,
      2,
      "a",
      "1",
      true,
      9007199254740992,
      Number.POSITIVE_INFINITY,
    ),
  },
  { weight: 1, arbitrary: randomJson },
);
const event = fc
  .record(
    {
      a: value,
      b: value,
      data: fc.record({ a: value, b: value, "odd key": value }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  )
  .map((made): JsonValue => made);

test("whatever matches has the key of the wait", () => {
  let found = 0;
  fc.assert(
    fc.property(
      fc.array(demand, { minLength: 1, maxLength: 3 }),
      event,
      event,
      (demands, trigger, incoming) => {
        const expression = demands.join(" && ");
        if (assertFound(expression, trigger, incoming)) found += 1;
        if (assertFound(expression, trigger, trigger)) found += 1;
      },
    ),
    { numRuns: 4000, seed: 7 },
  );
  // The property would be empty if nothing ever matched.
  assert.ok(found > 50, `only ${found} matches`);
});

test("random expressions keep the guarantee", () => {
  fc.assert(
    fc.property(randomExpression, randomEvent, randomEvent, (expression, trigger, incoming) => {
      fc.pre(compiles(expression));
      assertFound(expression, trigger, incoming);
    }),
    { numRuns: 1000 },
  );
});

test("a search knows what its constants demand, flags last", () => {
  const paths = (expression: string) =>
    constantKeys(compileExpression(expression), at).map(({ key, value }) => [key.path, value]);
  assert.deepEqual(paths("event.data.ok == true && 'x' == event.name && event.data.n == 1 + 1"), [
    ["name", "x"],
    ["data.n", 2],
    ["data.ok", true],
  ]);
  assert.deepEqual(paths("event.data.a == event.data.b || event.data.c == 1"), []);
  assert.deepEqual(paths("event.data.a == other && event.data.?b == 1"), []);
  assert.deepEqual(paths("event.data.a == null && event.data.b == [1]"), []);
});

test("whatever a search finds has its keys", () => {
  let found = 0;
  fc.assert(
    fc.property(fc.array(demand, { minLength: 1, maxLength: 2 }), event, (demands, candidate) => {
      const compiled = compileExpression(demands.join(" && ").replaceAll("async.", "event."));
      if (!compiled.test({ event: candidate }, at)) return;
      for (const { key } of constantKeys(compiled, at)) {
        assert.deepEqual(eventKeys(candidate, [key.path]), [key], compiled.source);
        found += 1;
      }
    }),
    { numRuns: 10_000, seed: 7 },
  );
  assert.ok(found > 50, `only ${found} keys`);
});

function compiles(expression: string): boolean {
  try {
    compileExpression(expression);
    return true;
  } catch {
    return false;
  }
}
