// Values survive: what comes back equals what went in, and what travels is plain JSON.
import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import fc from "fast-check";
import type { JsonValue } from "@pawl/protocol/json-text";
import { PawlError } from "../errors.ts";
import { decodeValue } from "./decode.ts";
import { encodeValue } from "./encode.ts";
import { fromWireError, toStepError, toWireError } from "./wire-error.ts";

/** As a server would carry it: through the text of JSON. */
function roundTrip(value: unknown): unknown {
  const text = JSON.stringify(encodeValue(value));
  const { data, types } = JSON.parse(text) as ReturnType<typeof encodeValue>; // proof: just written
  return decodeValue(data, types);
}

const special = fc.oneof(
  fc.date(),
  fc.bigInt(),
  fc.constantFrom(undefined, Number.NaN, Infinity, -Infinity, -0, /a\/b/giu),
  fc.webUrl().map((url) => new URL(url)),
  fc.uint8Array().map((bytes) => Uint8Array.from(bytes)),
  fc.float64Array().map((numbers) => Float64Array.from(numbers)),
  fc.bigUint64Array().map((numbers) => BigUint64Array.from(numbers)),
  fc.uint8Array().map((bytes) => Uint8Array.from(bytes).buffer),
);

const keys = fc.oneof(
  fc.string(),
  fc.constantFrom("__proto__", "a/b", "~", "~1", "0", "types", ""),
);

const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null), special),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(keys, tie("value"), { maxKeys: 5, noNullPrototype: true }),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => new Set(items)),
    fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 4 }).map((all) => new Map(all)),
  ),
}));

test("any supported value comes back equal", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      assert.deepStrictEqual(roundTrip(value), value);
    }),
    { numRuns: 500 },
  );
});

test("a second round trip changes nothing, so that first run and replay agree", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const once = encodeValue(value);
      assert.deepStrictEqual(encodeValue(decodeValue(once.data, once.types)), once);
    }),
  );
});

test("the data is plain JSON, and plain JSON has no sidecar", () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const text = JSON.stringify(value);
      const clean: unknown = JSON.parse(text);
      const encoded = encodeValue(clean);
      assert.deepStrictEqual(encoded, { data: clean, types: null });
    }),
  );
});

test("plain readers see what JSON.stringify would have given them", () => {
  const value = {
    at: new Date(5),
    gone: undefined,
    list: [undefined, Number.NaN, -0],
    u: new URL("http://a/"),
  };
  assert.equal(JSON.stringify(encodeValue(value).data), JSON.stringify(value));
});

test("the documented form of each kind", () => {
  const value = {
    when: new Date(0),
    big: 12n,
    map: new Map([["k", 1n]]),
    set: new Set(["a"]),
    bytes: new Uint8Array([1, 2]),
    pattern: /x/g,
    nothing: undefined,
  };
  assert.deepEqual(encodeValue(value), {
    data: {
      when: "1970-01-01T00:00:00.000Z",
      big: "12",
      map: [["k", "1"]],
      set: ["a"],
      bytes: "AQI=",
      pattern: { source: "x", flags: "g" },
    },
    types: {
      "/when": "date",
      "/big": "bigint",
      "/map": "map",
      "/map/0/1": "bigint",
      "/set": "set",
      "/bytes": "uint8array",
      "/pattern": "regexp",
      "/nothing": "undefined",
    },
  });
});

test("errors keep class, name, message, stack, cause and own properties", () => {
  const cause = Object.assign(new TypeError("inner"), { code: 7n });
  const error = Object.assign(new RangeError("outer", { cause }), { at: new Date(3) });
  const back = roundTrip(error);
  assert.ok(back instanceof RangeError);
  assert.equal(back.message, "outer");
  assert.equal(back.stack, error.stack);
  assert.deepEqual(Reflect.get(back, "at"), new Date(3));
  assert.ok(back.cause instanceof TypeError);
  assert.equal(Reflect.get(back.cause, "code"), 7n);
  assert.deepStrictEqual(roundTrip(back), back);
});

test("an error leaves out what cannot be carried, and nothing else", () => {
  const error = Object.assign(new Error("no"), { socket: () => 0, code: "E1" });
  const back = roundTrip(error);
  assert.ok(back instanceof Error);
  assert.equal(Reflect.get(back, "code"), "E1");
  assert.equal("socket" in back, false);
});

test("values of another realm are known by their brand", () => {
  const foreign: unknown = vm.runInNewContext(
    "({ at: new Date(5), m: new Map([[1, 2]]), e: new TypeError('x') })",
  );
  const back = roundTrip(foreign) as { at: Date; m: Map<number, number>; e: Error }; // proof: as written above
  assert.deepEqual(back.at, new Date(5));
  assert.equal(back.m.get(1), 2);
  assert.ok(back.e instanceof TypeError);
});

test("objects with toJSON follow it", () => {
  class Money {
    toJSON() {
      return { amount: 5n };
    }
  }
  assert.deepStrictEqual(roundTrip({ price: new Money() }), { price: { amount: 5n } });
});

const cyclic: Record<string, unknown> = { name: "loop" };
cyclic["self"] = { again: cyclic };
let deep: unknown = 1;
for (let level = 0; level < 600; level += 1) deep = [deep];
class Account {
  readonly owner = "me";
}

const refused: readonly [string, unknown, string, RegExp][] = [
  ["a function", { a: { run: () => 1 } }, "value_unsupported", /"a\.run"/],
  ["a symbol", [Symbol("s")], "value_unsupported", /"0"/],
  ["a class instance", { account: new Account() }, "value_unsupported", /"account".*Account/],
  ["a cycle", cyclic, "value_cyclic", /"self\.again"/],
  ["too deep a value", deep, "value_too_deep", /500/],
];
for (const [what, value, code, message] of refused) {
  test(`${what} is refused by name and place`, () => {
    assert.throws(
      () => encodeValue(value),
      (error: unknown) =>
        error instanceof PawlError && error.code === code && message.test(error.message),
    );
  });
}

test("shared parts are no cycle", () => {
  const part = { n: 1 };
  assert.deepStrictEqual(roundTrip([part, part]), [{ n: 1 }, { n: 1 }]);
});

test("notes from outside that do not fit are ignored, and never pollute prototypes", () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.dictionary(
        fc.constantFrom("", "/0", "/a", "/__proto__", "/__proto__/x"),
        fc.constantFrom(
          "date",
          "map",
          "set",
          "bigint",
          "url",
          "regexp",
          "error",
          "uint16array",
          "nan",
          "undefined",
          "martian",
        ),
      ),
      (data, types) => {
        decodeValue(data as JsonValue, types); // proof: jsonValue makes JSON values
        assert.equal(Reflect.get({}, "x"), undefined);
      },
    ),
  );
  assert.equal(decodeValue("text", { "": "bigint" }), "text");
  assert.equal(decodeValue("not base64!", { "": "uint8array" }), "not base64!");
});

test("a thrown value becomes a wire error and a StepError with its chain of causes", () => {
  const thrown = new Error("top", { cause: new TypeError("root") });
  const wire: unknown = JSON.parse(JSON.stringify(toWireError(thrown)));
  const error = toStepError("charge", wire);
  assert.equal(error.name, "Error");
  assert.equal(error.stepId, "charge");
  assert.equal(error.stack, thrown.stack);
  assert.ok(error.cause instanceof TypeError);
  assert.equal(error.cause.message, "root");
});

test("anything can be thrown, and any wire error read", () => {
  assert.equal(toWireError("boom").message, "boom");
  assert.equal(toWireError({ a: 1 }).message, '{"a":1}');
  assert.equal(
    fromWireError({ message: "py", code: "c", name: "ValueError", stack: null }).name,
    "ValueError",
  );
  assert.ok(fromWireError(null) instanceof Error);
});
