// The language, row by row: cases of strict CEL over JSON, then the leniencies of README.md.
import { test } from "node:test";
import assert from "node:assert/strict";
import type { JsonValue } from "@pawl/protocol/json-text";
import { compileExpression } from "./compile.ts";
import { ExpressionError } from "./expression-error.ts";

const at = Date.UTC(2024, 5, 1, 12);

const bindings = {
  event: {
    name: "app/user.created",
    id: "01H",
    ts: 1700000000000,
    data: {
      userId: "u1",
      total: 142,
      price: 9.99,
      tags: ["a", "b", "c"],
      nested: { a: { b: 1 } },
      nul: null,
      empty: "",
      flag: true,
      items: [
        { sku: "x", qty: 2 },
        { sku: "y", qty: 5 },
      ],
      "odd-key": 1,
      when: "2024-01-01T00:00:00Z",
      emoji: "héllo😀",
      status: "200",
      encoded: "eyJhIjp7ImIiOiJ5ZXMifX0=",
    },
  },
  async: { name: "b", data: { userId: "u1", total: 200 } },
  steps: {},
};

const fault = Symbol("a fault");

type Case = readonly [source: string, expected: JsonValue | typeof fault];

/** Cases written for strict CEL whose result is the same here. */
const strictCases: readonly Case[] = [
  ["event.data.userId == async.data.userId && event.data.total > 100", true],
  ["has(event.data.missing)", false],
  ["has(event.data.userId)", true],
  ["has(event.data.nul)", true],
  ["event.data.nul == null", true],
  ["event.data.missing.deep == 1 || true", true],
  ["true || event.data.missing.deep == 1", true],
  ["event.data.missing == 1 && false", false],
  ["event.data.total == 142", true],
  ["event.data.total == 142.0", true],
  ["event.data.total + 1.0", 143],
  ["7 / 2", 3],
  ["-7 / 2", -3],
  ["7.0 / 2.0", 3.5],
  ["1 / 0", fault],
  ["-5 % 3", -2],
  ['"b" in event.data.tags', true],
  ['"userId" in event.data', true],
  ['event.data.tags[1] == "b"', true],
  ['event.data["odd-key"] == 1', true],
  ['event.data.tags.exists(t, t == "c")', true],
  ["event.data.tags.all(t, size(t) == 1)", true],
  ["event.data.items.filter(i, i.qty > 3).map(i, i.sku)", ["y"]],
  ['event.data.items.exists_one(i, i.sku == "x")', true],
  ["event.data.items.map(i, i.qty > 3, i.sku)", ["y"]],
  ["size(event.data.emoji)", 6],
  ['event.data.userId.startsWith("u") && event.data.userId.endsWith("1")', true],
  ['event.data.userId.matches("^u[0-9]+$")', true],
  ['timestamp(event.data.when) < timestamp("2024-06-01T00:00:00Z")', true],
  ['timestamp(event.data.when) + duration("24h") == timestamp("2024-01-02T00:00:00Z")', true],
  ['timestamp("2024-01-01T00:00:00Z").getFullYear() == 2024', true],
  ['timestamp("2024-01-01T05:00:00Z").getHours("America/New_York") == 0', true],
  ['duration("1h30m").getMinutes() == 90', true],
  ['event.data.flag ? "yes" : "no"', "yes"],
  ["int(event.data.price) == 9", true],
  ['string(event.data.total) == "142"', true],
  ["type(event.data.total) == double", true],
  ["9223372036854775807 + 1", fault],
  ['"abc" < "abd"', true],
  ["[1,2] + [3] == [1,2,3]", true],
  ['{"a":1}.a == 1', true],
  ['event.data.total == "142"', false],
  ['event.data.total > "100"', fault],
  ["event.data.nested.a.b in [1, 2, 3]", true],
  ["!has(event.data.missing) || event.data.missing > 3", true],
  ['"ell" in "hello"', fault],
  ['b"abc" == bytes("abc")', true],
  ['r"\\d+" == "\\\\d+"', true],
  ["event.ts > 1600000000000", true],
  ["0.1 + 0.2 == 0.3", false],
  ["1 < 1.5", true],
  ["event.data.tags.size() == 3", true],
  ['"\\u00e9" == "é"', true],
  ["1 == 1 // hi", true],
  ["uint(3) == 3u", true],
  ["event.data.userId.upperAscii()", "U1"],
  ["event.data.price > 9 && event.data.price < 10", true],
  ['duration("90s") > duration("1m")', true],
  ['event.data.tags == ["a","b","c"]', true],
  ["[1, 2.0, 3u].exists(x, x == 2)", true],
];

/** Cases in which strict CEL fails, and a row of README.md wins. */
const lenientWins: readonly Case[] = [
  ["event.data.missing == null", true],
  ["event.data.total + 1", 143],
  ['event.data.tags[10] == "x"', false],
  ["(event.data.missing == 1) ? 1 : 2", 2],
  ["has(event.data.nope.a)", false],
  ["event.data.nul.x == 1", false],
];

/** The rows of README.md, in its order. */
const leniencies: readonly Case[] = [
  ["event.data.a.b.c", null],
  ["event.data.nul.field.deeper", null],
  ["steps.first.output", null],
  ["unknown.root", null],
  ["event.data.userId.length", null],
  ["event.data.tags.length", null],
  ["event.data.tags[-1]", null],
  ["event.data.missing == 'x'", false],
  ["event.data.missing != 'x'", true],
  ["2 > event.data.missing", true],
  ["2 <= null", false],
  ["null > 0", false],
  ["event.data.price <= null && event.data.total < null", false],
  ["event.data.missing < -1000000", true],
  ["null <= null && null >= null && !(null < null)", true],
  ["size(event.data.missing) == 0", true],
  ["size(event.data.missing) > 0", false],
  ["event.data.missing.exists(x, x == 'a')", false],
  ["event.data.missing.all(x, x == 'a')", true],
  ["event.data.missing.map(x, x)", []],
  ["event.data.missing.contains('a')", false],
  ["'a'.contains(event.data.missing)", false],
  ["event.data.missing.matches('a')", false],
  ["'item' in event.data.issue.fields.tags", false],
  ["!event.data.missing", true],
  ["event.data.missing && true", false],
  ["event.data.missing || event.data.flag", true],
  ["8 > 3.141", true],
  ["7 == 7.0 && 7u == 7", true],
  ["9223372036854775807 == 9223372036854775807.0", false],
  ["event.data.total + 1", 143],
  ["event.data.total / 4", 35.5],
  ["event.data.total % 5", 2],
  ["event.data.missing + 1", null],
  ["'a-' + 9.1 + '-' + true + '-' + event.data.missing", "a-9.1-true-"],
  ["event.data.total + ' items'", "142 items"],
  ["'a' + [1]", fault],
  ["int('200') == 200", true],
  ["int(event.data.status) >= 200", true],
  ["int('2x')", fault],
  ["int(event.data.missing)", null],
  ["event.data.nested == {'a': {'b': 1.0}}", true],
  ["event.data.items == [{'qty': 2, 'sku': 'x'}, {'sku': 'y', 'qty': 5}]", true],
  ["event.data == event.data", true],
  ["uppercase('aé') + lowercase('BÉ')", "AÉbé"],
  ["json_parse(b64decode(event.data.encoded)).a.b", "yes"],
  ["json_parse('{')", fault],
  ["b64decode('*')", fault],
  ["uppercase(event.data.missing)", null],
  ["string(now())", "2024-06-01T12:00:00.000Z"],
  ["now_minus('1d') < now() && now() < now_plus(duration('1h'))", true],
  ["now_plus('1w2d') - now() == duration('216h')", true],
  ["date('2024-06-01') == timestamp('2024-06-01T00:00:00Z')", true],
  ["date(event.ts) == date(1700000000)", true],
  ["timestamp('2024-06-01')", fault],
  ["timestamp('2024-02-30T00:00:00Z')", fault],
];

/** The standard library, where the strict cases leave a gap. */
const library: readonly Case[] = [
  ["1 / 0 == 1 || true", true],
  ["false && 1 / 0 == 1", false],
  ["1 / 0 == 1 && true", fault],
  ["1 / 0 == 1 || false", fault],
  ["'x' && true", fault],
  ["[1, 0].exists(x, 1 / x == 1)", true],
  ["[0, 1].exists(x, 1 / x == 1)", true],
  ["[0].exists(x, 1 / x == 1)", fault],
  ["[0, 2].all(x, 1 / x == 1)", false],
  ["[1, 2, 2].exists_one(x, x == 2)", false],
  ["{'a': 1, 'b': 2}.all(k, k in ['a', 'b'])", true],
  ["[1, 2].map(x, [3].map(y, x * 10 + y))", [[13], [23]]],
  ["[1, 2].map(x, [5].map(x, x))", [[5], [5]]],
  ["cel.bind(t, event.data.total, t * 2)", 284],
  ["{1: 'a', true: 'b', '1': 'c'}[1u] + {1: 'a', '1': 'c'}['1']", "ac"],
  ["-9223372036854775808", -9223372036854775808],
  ["-(-9223372036854775807 - 1)", fault],
  ["1u - 2u", fault],
  ["5 / -2", -2],
  ["-5.5", -5.5],
  ["-event.data.missing", null],
  ["1.0 / 0.0 > 1e308", true],
  ["0.0 / 0.0 == 0.0 / 0.0", false],
  ["5 % 0", fault],
  ["int(-1.9)", -1],
  ["int(1e300)", fault],
  ["uint(-1)", fault],
  ["double('1e3')", 1000],
  ["double('abc')", fault],
  ["bool('true')", true],
  ["bool('maybe')", fault],
  ["string(1.0)", "1"],
  ["string(b'abc')", "abc"],
  ["string(b'\\xff')", fault],
  ["b'ab' + b'c' == b'abc' && size(b'abc') == 3", true],
  ["b'abc'", "YWJj"],
  ["type(1) == int && type(1u) == uint && type('') == string && type(null) == null_type", true],
  ["type(now()) == google.protobuf.Timestamp", true],
  ["type([]) == list && type({}) == map && type(type(1)) == type", true],
  ["type(1)", "int"],
  ["timestamp('2024-03-10T12:00:00-05:00').getHours()", 17],
  ["timestamp('2024-03-10T12:00:00Z').getHours('+05:30')", 17],
  ["timestamp('2024-07-01T02:00:00Z').getDate('America/New_York')", 30],
  ["timestamp('2024-03-10T12:34:56.789Z').getMilliseconds()", 789],
  ["timestamp('2024-03-10T12:00:00Z').getDayOfYear()", 69],
  ["timestamp('2024-03-10T12:00:00Z').getDayOfWeek()", 0],
  ["timestamp('2024-03-10T12:00:00Z').getMonth()", 2],
  ["timestamp('2024-03-10T12:00:00Z').getDayOfMonth()", 9],
  ["timestamp('2024-03-10T12:00:00Z').getHours('Mars/Olympus')", fault],
  ["int(timestamp(1700000000))", 1700000000],
  ["duration('-1.5h').getMinutes()", -90],
  ["duration('90s')", "90s"],
  ["duration('soon')", fault],
  ["timestamp('9999-12-31T23:59:59Z') + duration('1h')", fault],
  ["'a,b,c'.split(',')", ["a", "b", "c"]],
  ["'a,b,c'.split(',', 2)", ["a", "b,c"]],
  ["['a', 'b'].join('-')", "a-b"],
  ["'aXbX'.replace('X', 'yy') + 'aXbX'.replace('X', '', 1)", "ayybyyabX"],
  ["'hello'.substring(1, 3) + 'hello'.charAt(4)", "elo"],
  ["'hello'.substring(3, 1)", fault],
  ["'hello'.indexOf('l') + 'hello'.lastIndexOf('l')", 5],
  ["' x '.trim() + 'AbÉ'.lowerAscii() + 'ab'.reverse()", "xabÉba"],
  ["matches('user-17', '-\\\\d+$')", true],
  ["event.?data.?missing.orValue('none')", "none"],
  ["event.data.?userId.hasValue() && !event.data.?nope.hasValue()", true],
  ["optional.of(1).value() + optional.none().orValue(2)", 3],
  ["event.data.tags[?7].or(optional.of('z')).value()", "z"],
  ["has(event.data['odd-key']) && !has(event.data['even-key'])", true],
  [
    "{'a': [1, 2u, 3.5, now(), optional.none()]}",
    { a: [1, 2, 3.5, "2024-06-01T12:00:00.000Z", null] },
  ],
];

/** Nothing is ever read from a prototype. */
const prototypes: readonly Case[] = [
  ["event.__proto__", null],
  ["event['constructor']", null],
  ["event.data.tags.constructor", null],
  ["event.data.userId['__proto__']", null],
  ["'toString' in event.data", false],
  ["has(event.hasOwnProperty)", false],
  ["constructor", null],
  ["now().ms", null],
  ["3u.value", null],
  ["{'a': 1}.size", null],
];

function check(cases: readonly Case[]): void {
  for (const [source, expected] of cases) {
    const result = compileExpression(source).evaluate(bindings, at);
    if (expected === fault) assert.equal(result.ok, false, source);
    else assert.deepEqual(result, { ok: true, value: expected }, source);
    assert.notEqual(result.ok ? "" : result.code, "expression_defect", source);
    assert.equal(compileExpression(source).test(bindings, at), expected === true, source);
  }
}

test("cases of strict CEL over JSON", () => check(strictCases));
test("cases of strict CEL in which leniency wins", () => check(lenientWins));
test("every leniency", () => check(leniencies));
test("the standard library", () => check(library));
test("prototypes are out of reach", () => check(prototypes));

test("an own member named __proto__ is a member like any other", () => {
  const data: unknown = JSON.parse('{"__proto__": {"x": 1}}');
  const result = compileExpression("event.__proto__.x == 1 && has(event.__proto__)").test(
    { event: data },
    at,
  );
  assert.equal(result, true);
});

function refusal(source: string): ExpressionError {
  try {
    compileExpression(source);
  } catch (error) {
    assert.ok(error instanceof ExpressionError, String(error));
    return error;
  }
  assert.fail(`compiled: ${source}`);
}

test("what does not compile is refused with a code and a position", () => {
  const { code, position, line, column, text, message } = refusal(
    "event.data.a == 1\n  && event.data.b == = 2",
  );
  assert.deepEqual(
    { code, position, line, column, text },
    { code: "expression_syntax", position: 39, line: 2, column: 22, text: "=" },
  );
  assert.match(message, /line 2, column 22/);
});

const refusals: readonly (readonly [string, string])[] = [
  ["", "expression_syntax"],
  ["event.data.", "expression_syntax"],
  ["'open", "expression_syntax"],
  ["event.data.tags.all(1, true)", "expression_syntax"],
  ["has(event)", "expression_syntax"],
  ["9223372036854775808", "expression_syntax"],
  ["18446744073709551616u", "expression_syntax"],
  ["frobnicate(event)", "expression_unknown_function"],
  ["event.data.frobnicate()", "expression_unknown_function"],
  ["size(1, 2)", "expression_unknown_function"],
  ["toString()", "expression_unknown_function"],
  ["event.matches('[a-')", "expression_pattern_invalid"],
  ["event.matches('(a{1000}){1000}')", "expression_pattern_invalid"],
  [`event.a == '${"x".repeat(5000)}'`, "expression_too_long"],
  [`${"(".repeat(300)}1${")".repeat(300)}`, "expression_too_deep"],
  [`${"-".repeat(3000)}1`, "expression_too_deep"],
  [`1${"+1".repeat(1000)}`, "expression_too_deep"],
  [`[${"1,".repeat(600)}1]`, "expression_too_large"],
];

test("each limit and mistake has its code", () => {
  for (const [source, code] of refusals) assert.equal(refusal(source).code, code, source);
});

test("a long chain of && or || is not deep", () => {
  const source = Array.from({ length: 300 }, (_, i) => `a == ${i}`).join(" || ");
  assert.equal(compileExpression(source).test({ a: 299 }, at), true);
});

test("the same source is compiled once, and again after many others", () => {
  const first = compileExpression("event.n == -1");
  assert.equal(compileExpression("event.n == -1"), first);
  for (let i = 0; i < 2500; i += 1) compileExpression(`event.n == ${i}`);
  const again = compileExpression("event.n == -1");
  assert.notEqual(again, first);
  assert.equal(again.test({ event: { n: -1 } }, at), true);
});

const expensive: readonly string[] = [
  "xs.all(a, xs.all(b, a + b >= 0))",
  "xs.exists(a, xs == ys)",
  "xs.map(a, long + long)",
  "xs.exists(a, long == other)",
  "xs.all(a, size(long) > 0)",
  "xs.all(a, string(a).matches(pattern) || true)",
  "long.matches('(a|b)*a(a|b){12}[cd]')",
  "xs.all(a, now().getHours('zone' + a) == 0 || true)",
  "long.replace('a', long)",
  `${"xs.map(a, ".repeat(20)}1${")".repeat(20)}`,
];

test("what costs too much ends, and no operand absorbs that", () => {
  const xs = Array.from({ length: 2000 }, (_, i) => i);
  const ys = [...xs.slice(0, -1), -1];
  const long = "a".repeat(50_000);
  const roots = { xs, ys, long, other: `${long.slice(1)}b`, pattern: "a" };
  for (const source of expensive) {
    const result = compileExpression(`(${source}) == 1 || true`).evaluate(roots, at);
    assert.equal(result.ok ? "" : result.code, "expression_too_costly", source);
  }
  // Cheap to make, because lists are shared; not to return.
  const result = compileExpression("xs.map(a, xs)").evaluate(roots, at);
  assert.equal(result.ok ? "" : result.code, "expression_too_costly");
});

test("values nested without end are refused, not followed", () => {
  const deep = (): unknown => JSON.parse(`${"[".repeat(5000)}${"]".repeat(5000)}`);
  const roots = { a: deep(), b: deep() };
  for (const source of ["a == b", "a"]) {
    const result = compileExpression(source).evaluate(roots, at);
    assert.equal(result.ok ? "" : result.code, "expression_too_deep", source);
  }
});

test("matches is RE2: linear where backtracking explodes, and without backreferences", () => {
  const roots = { s: `${"a".repeat(5000)}!` };
  assert.equal(compileExpression("s.matches('^(a+)+$')").test(roots, at), false);
  assert.equal(refusal("s.matches(r'(a)\\1')").code, "expression_pattern_invalid");
});
