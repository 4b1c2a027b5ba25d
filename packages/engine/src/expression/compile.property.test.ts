// Laws over random expressions and values: evaluation is total, bounded and lenient.
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { compileExpression, type Compiled } from "./compile.ts";
import { ExpressionError } from "./expression-error.ts";
import { randomEvent, randomExpression, randomJson } from "../testing/random-expressions.ts";
import { prune, readPaths } from "./paths.ts";

const at = 1_700_000_000_000;

/** The expression; `false` in the place of one with a pattern that is none. */
function compiled(source: string): Compiled {
  try {
    return compileExpression(source);
  } catch {
    return compileExpression("false");
  }
}

test("evaluation never throws, and its result is JSON", () => {
  fc.assert(
    fc.property(randomExpression, randomEvent, randomEvent, (source, event, async) => {
      const expression = compiled(source);
      const result = expression.evaluate({ event, async }, at);
      assert.notEqual(
        result.ok ? "" : result.code,
        "expression_defect",
        result.ok ? "" : result.message,
      );
      if (result.ok)
        assert.deepEqual(JSON.parse(JSON.stringify(result.value)), withoutMinusZero(result.value));
      assert.equal(expression.test({ event, async }, at), result.ok && result.value === true);
    }),
    { numRuns: 3000 },
  );
});

/** JSON.stringify writes -0 as 0. */
function withoutMinusZero(value: unknown): unknown {
  if (typeof value === "number") return value + 0;
  if (Array.isArray(value)) return value.map(withoutMinusZero);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withoutMinusZero(item)]),
  );
}

test("any text compiles or is refused with an ExpressionError inside of it", () => {
  const fragment = fc.constantFrom(
    ..."event . data ( ) [ ] { } ' \" 1 2.5 && || == ! - , : ? \n in has true matches".split(" "),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(fragment).map((parts) => parts.join(" ")),
      ),
      (source) => {
        try {
          compileExpression(source).evaluate({ event: { data: {} } }, at);
        } catch (error) {
          assert.ok(error instanceof ExpressionError, String(error));
          assert.ok(error.position >= 0 && error.position <= source.length);
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test("evaluation is a function of its inputs", () => {
  fc.assert(
    fc.property(randomExpression, randomEvent, (source, event) => {
      const expression = compiled(source);
      const frozen = JSON.stringify(event);
      assert.deepEqual(expression.evaluate({ event }, at), expression.evaluate({ event }, at));
      assert.equal(JSON.stringify(event), frozen);
    }),
  );
});

test("what is missing and what is null compare alike", () => {
  const comparison = fc.constantFrom("==", "!=", "<", "<=", ">", ">=");
  fc.assert(
    fc.property(comparison, randomJson, (operator, other) => {
      const bindings = { event: { other, gone: null } };
      const missing = compileExpression(`event.missing.deep ${operator} event.other`).evaluate(
        bindings,
        at,
      );
      assert.deepEqual(
        missing,
        compileExpression(`event.gone ${operator} event.other`).evaluate(bindings, at),
      );
      assert.equal(missing.ok, true);
    }),
  );
});

test("null is below everything else", () => {
  fc.assert(
    fc.property(randomJson, (value) => {
      assert.equal(
        compileExpression("null < event || event == null").test({ event: value }, at),
        true,
      );
      assert.equal(compileExpression("null > event").test({ event: value }, at), false);
    }),
  );
});

test("equality is reflexive and symmetric", () => {
  fc.assert(
    fc.property(randomJson, randomJson, (a, b) => {
      const copy: unknown = JSON.parse(JSON.stringify(a));
      const bindings = { a, b, copy };
      assert.equal(compileExpression("a == copy && copy == a").test(bindings, at), true);
      assert.equal(
        compileExpression("(a == b) == (b == a) && (a == b) != (a != b)").test(bindings, at),
        true,
      );
    }),
  );
});

test("an expression cannot tell a pruned event from the whole", () => {
  fc.assert(
    fc.property(randomExpression, randomEvent, randomEvent, (source, event, async) => {
      const expression = compiled(source);
      const paths = readPaths(expression, "event");
      const whole = expression.evaluate({ event, async }, at);
      assert.deepEqual(expression.evaluate({ event: prune(event, paths), async }, at), whole);
    }),
    { numRuns: 2000 },
  );
});

test("a random expression compiles, unless it has a pattern that is none", () => {
  fc.assert(
    fc.property(randomExpression, (source) => {
      try {
        compileExpression(source);
      } catch (error) {
        assert.ok(error instanceof ExpressionError, String(error));
        assert.equal(error.code, "expression_pattern_invalid", error.message);
      }
    }),
  );
});
