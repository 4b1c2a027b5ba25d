// Patterns against an obviously correct definition.
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { isPattern, matchesEventName } from "./event-name.ts";

test("examples", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["user/created", "user/created", true],
    ["user/created", "user/created2", false],
    ["user/*", "user/created", true],
    ["user/*", "user/", true],
    ["user/*", "users/created", false],
    ["*", "", true],
    ["*", "anything/at all", true],
    ["*.created", "app/user.created", true],
    ["a*a", "a", false],
    ["a*b*a", "aba", true],
    ["a*ab*b", "aabb", true],
    ["**x**", "x", true],
    ["user.created", "userXcreated", false],
  ];
  for (const [pattern, name, expected] of cases) {
    assert.equal(matchesEventName(pattern, name), expected, `${pattern} ${name}`);
  }
  assert.equal(isPattern("a/*"), true);
  assert.equal(isPattern("a/b"), false);
});

/** By the definition: a star takes nothing, or one character and then again. */
function matchesSlowly(pattern: string, name: string): boolean {
  if (pattern === "") return name === "";
  if (pattern.startsWith("*")) {
    return (
      matchesSlowly(pattern.slice(1), name) ||
      (name !== "" && matchesSlowly(pattern, name.slice(1)))
    );
  }
  return name.startsWith(pattern.slice(0, 1)) && matchesSlowly(pattern.slice(1), name.slice(1));
}

test("agrees with the definition", () => {
  const text = (alphabet: string) =>
    fc.string({ unit: fc.constantFrom(...alphabet.split("")), maxLength: 8 });
  fc.assert(
    fc.property(text("ab*"), text("ab"), (pattern, name) => {
      assert.equal(matchesEventName(pattern, name), matchesSlowly(pattern, name));
    }),
    { numRuns: 2000 },
  );
});
