// Random expressions and events for property tests. Small alphabets, so that paths, keys and values
// often meet. This file must not know what expressions mean, only how they are written.
import fc from "fast-check";
import type { JsonValue } from "@pawl/protocol/json-text";

const names = ["a", "b", "data", "userId", "odd key", "__proto__", "length"];
const texts = [
  "",
  "a",
  "b",
  "1",
  "200",
  "x-y",
  "^a+$",
  "[",
  "2024-01-01T00:00:00Z",
  "1h",
  "UTC",
  "e30=",
];
const numbers = [0, -0, 1, 2, 1.5, -3, 200, 9007199254740992, 1e300, Number.POSITIVE_INFINITY];

const scalar = fc.constantFrom<JsonValue>(
  null,
  true,
  false,
  ...texts,
  ...numbers.filter(Number.isFinite),
);

const { tree } = fc.letrec<{ tree: JsonValue }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie("tree"), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.constantFrom(...names), tie("tree")), { maxLength: 5 })
      .map((entries): JsonValue => Object.fromEntries(entries)),
  ),
}));

/** Any JSON value, finite numbers only. */
export const randomJson: fc.Arbitrary<JsonValue> = tree;

/** An object with a name and data, as events are; now and then not even that. */
export const randomEvent: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 8, arbitrary: tree.map((data): JsonValue => ({ name: "test/event", data, a: 1 })) },
  { weight: 1, arbitrary: tree },
);

const member = fc.constantFrom(
  ".a",
  ".b",
  ".data",
  ".userId",
  '["odd key"]',
  ".__proto__",
  "[0]",
  "[-1]",
  ".?a",
  "[?1]",
);

const path = fc
  .tuple(
    fc.constantFrom("event.data", "async.data", "event", "async", "steps", "x", "int"),
    fc.array(member, { maxLength: 3 }),
  )
  .map(([root, members]) => root + members.join(""));

const literal = fc.oneof(
  fc.constantFrom(
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "2u",
    "9223372036854775807",
    "1.5",
    "1e300",
    "[]",
    "{}",
    "b'a'",
    "now()",
  ),
  fc.constantFrom(...texts).map((text) => JSON.stringify(text)),
);

const operator = fc.constantFrom(
  "==",
  "!=",
  "<",
  "<=",
  ">",
  ">=",
  "in",
  "+",
  "-",
  "*",
  "/",
  "%",
  "&&",
  "||",
);
const unary = fc.constantFrom(
  "!",
  "-",
  "size",
  "int",
  "uint",
  "double",
  "string",
  "bool",
  "bytes",
  "type",
  "timestamp",
  "duration",
  "date",
  "json_parse",
  "b64decode",
  "uppercase",
  "lowercase",
  "now_plus",
  "now_minus",
  "dyn",
  "optional.of",
);
const method = fc.constantFrom(
  "contains",
  "startsWith",
  "endsWith",
  "matches",
  "split",
  "join",
  "indexOf",
  "charAt",
  "substring",
  "getHours",
  "orValue",
  "or",
);
const plainMethod = fc.constantFrom(
  "size",
  "trim",
  "reverse",
  "lowerAscii",
  "getFullYear",
  "getMinutes",
  "hasValue",
  "value",
);
const macro = fc.constantFrom("all", "exists", "exists_one", "filter", "map");

/** Every form of expression that has expressions as its parts. */
function forms(part: fc.Arbitrary<string>): fc.Arbitrary<string>[] {
  return [
    fc.tuple(part, operator, part).map(([left, op, right]) => `(${left} ${op} ${right})`),
    fc.tuple(unary, part).map(([name, operand]) => `${name}(${operand})`),
    fc.tuple(part, method, part).map(([receiver, name, arg]) => `(${receiver}).${name}(${arg})`),
    fc.tuple(part, plainMethod).map(([receiver, name]) => `(${receiver}).${name}()`),
    fc
      .tuple(part, macro, fc.constantFrom("x", "event"), part)
      .map(([receiver, name, variable, body]) => `(${receiver}).${name}(${variable}, ${body})`),
    fc.tuple(part, part, part).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    fc.tuple(part, part).map(([a, b]) => `[${a}, ${b}]`),
    fc.tuple(part, part).map(([a, b]) => `{"a": ${a}, ${b}: 1}`),
    fc.tuple(part, part).map(([value, body]) => `cel.bind(x, ${value}, ${body})`),
    fc.tuple(part, member).map(([value, name]) => `(${value})${name}`),
    path.map((selected) => `has(${selected}.a)`),
  ];
}

const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(path, path, literal),
    ...forms(tie("expression")),
  ),
}));

/** A well-formed expression over `event`, `async` and macro variables. */
export const randomExpression: fc.Arbitrary<string> = expression.filter(
  (source) => source.length < 3000,
);
