// Spans against JSON.parse as the oracle, on random JSON in random spelling.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { assertJson, sliceArray, sliceObject, skipSpace, valueEnd } from "./json-span.ts";
import { ProtocolError } from "./protocol-error.ts";

const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/);

/** A string in a spelling of JSON: every unit plain where allowed, or escaped. */
const quoted = fc
  .array(fc.tuple(fc.string({ unit: "binary", maxLength: 3 }), fc.boolean()), { maxLength: 4 })
  .map(
    (parts) =>
      `"${parts.map(([text, escape]) => (escape ? escapeAll(text) : JSON.stringify(text).slice(1, -1))).join("")}"`,
  );

function escapeAll(text: string): string {
  let out = "";
  for (let at = 0; at < text.length; at += 1) {
    out += `\\u${text.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }
  return out;
}

const scalar = fc.oneof(
  quoted,
  fc.constantFrom("true", "false", "null", "0", "-0", "1e999", "12345678901234567890", "-1.50E-7"),
  fc.integer().map(String),
);

/** JSON text of any shape with whitespace wherever it may stand, and equal keys now and then. */
const anyJson = fc.letrec<{ json: string; array: string; object: string }>((tie) => ({
  json: fc.oneof({ maxDepth: 4 }, scalar, tie("array"), tie("object")),
  array: fc
    .array(fc.tuple(space, tie("json"), space), { maxLength: 4 })
    .map((items) => `[${items.map((item) => item.join("")).join(",") || " "}]`),
  object: fc
    .array(
      fc.tuple(
        space,
        fc.oneof(quoted, fc.constantFrom('"a"', '"__proto__"')),
        space,
        tie("json"),
        space,
      ),
      {
        maxLength: 4,
      },
    )
    .map(
      (items) =>
        `{${items.map(([a, key, b, value, c]) => `${a}${key}${b}:${b}${value}${c}`).join(",") || "\n"}}`,
    ),
}));

const around = (text: fc.Arbitrary<string>) =>
  fc.tuple(space, text, space).map((parts) => parts.join(""));

test("the spans of an array parse to its elements", () => {
  fc.assert(
    fc.property(around(anyJson.array), (text) => {
      assert.deepEqual(
        sliceArray(text).map((span): unknown => JSON.parse(span)),
        JSON.parse(text),
      );
    }),
    { numRuns: 1_000 },
  );
});

test("the spans of an object parse to its members, and of equal keys the last wins", () => {
  fc.assert(
    fc.property(around(anyJson.object), (text) => {
      // proof: the text is that of an object
      const parsed = JSON.parse(text) as Record<string, unknown>;
      const spans = [...sliceObject(text)].map(([key, span]) => [key, JSON.parse(span)] as const);
      assert.deepEqual(Object.fromEntries(spans), parsed);
      assert.equal(spans.length, Object.keys(parsed).length);
    }),
    { numRuns: 1_000 },
  );
});

test("a span is the text that arrived, without the whitespace around it", () => {
  const spans = sliceObject(
    ' { "n" : 12345678901234567890 , "s":"\\u00e9\\"}" ,"o": { "x" : [ 1 , 2 ] } } ',
  );
  assert.deepEqual(
    [...spans],
    [
      ["n", "12345678901234567890"],
      ["s", '"\\u00e9\\"}"'],
      ["o", '{ "x" : [ 1 , 2 ] }'],
    ],
  );
  assert.deepEqual(sliceArray('["\\\\", "\\\\\\"," , -0, 1.0]'), [
    '"\\\\"',
    '"\\\\\\","',
    "-0",
    "1.0",
  ]);
  assert.deepEqual(sliceArray(" [ ] "), []);
  assert.deepEqual([...sliceObject("{}")], []);
});

test("depth costs no stack", () => {
  const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
  assert.equal(sliceArray(`[${deep}]`)[0], deep);
});

test("other text is refused with json_invalid", () => {
  const refused = (call: () => unknown) =>
    assert.throws(call, (error) => error instanceof ProtocolError && error.code === "json_invalid");
  for (const text of ["", "{", "[1,]", "[1] x", "{'a':1}", "nul", '{"a":1', "\u00a0[]"]) {
    refused(() => sliceArray(text));
    refused(() => sliceObject(text));
    refused(() => assertJson(text));
  }
  refused(() => sliceArray("{}"));
  refused(() => sliceObject("[]"));
  refused(() => sliceArray("null"));
});

test("values one behind the other are told apart", () => {
  fc.assert(
    fc.property(
      fc.array(anyJson.object, { minLength: 1, maxLength: 5 }),
      space,
      (objects, between) => {
        const text = objects.join(between);
        const found: string[] = [];
        for (let at = 0; at < text.length; ) {
          const end = valueEnd(text, at);
          found.push(text.slice(at, end));
          at = skipSpace(text, end);
        }
        assert.deepEqual(found, objects);
      },
    ),
  );
});

test("the end of a value in text that is no JSON still moves on and stays inside", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, unit: fc.constantFrom("{", "}", "[", '"', "\\", ",", "a", " ") }),
      (text) => {
        for (let at = 0; at < text.length; at += 1) {
          const end = valueEnd(text, at);
          assert.ok(end > at && end <= text.length);
        }
      },
    ),
  );
});
