// The canonical form against the examples of RFC 8785 and its own laws.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalize } from "./jcs.ts";

test("the example of RFC 8785, section 3.2.3", () => {
  const text = String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`;
  assert.equal(
    canonicalize(text),
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
});

test("keys are ordered by UTF-16 units", () => {
  const text = String.raw`{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}`;
  assert.equal(canonicalize(text), '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}');
});

test("order of keys and whitespace do not matter, values do", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const canonical = canonicalize(JSON.stringify(value));
      assert.equal(canonicalize(JSON.stringify(reversed(value), null, 2)), canonical);
      assert.deepEqual(JSON.parse(canonical), JSON.parse(JSON.stringify(value)));
      assert.equal(canonicalize(canonical), canonical);
    }),
  );
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

test("what has no canonical form", () => {
  for (const text of [
    "",
    "{",
    "1e999",
    '{"a":[-1e999]}',
    `${"[".repeat(5_000)}${"]".repeat(5_000)}`,
  ]) {
    assert.throws(() => canonicalize(text), { code: "json_invalid" });
  }
  assert.equal(canonicalize('{"__proto__":{"b":1,"a":2}}'), '{"__proto__":{"a":2,"b":1}}');
});
