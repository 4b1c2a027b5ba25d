// How API keys are configured, and which entries are refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { apiKeyFrom, hashApiKey, readApiKeys } from "./api-key.ts";

const hash = hashApiKey(apiKeyFrom(Buffer.alloc(32, 7)));
const entry = { name: "ci", hash, scopes: ["runs:read"] };

test("keys are read with their scopes and their end", () => {
  const read = readApiKeys([
    entry,
    { name: "x", hash: "A".repeat(64), scopes: ["admin"], expiresAt: "2030-01-31T00:00:00Z" },
    { name: "y", hash: "b".repeat(64), scopes: ["admin"], expiresAt: new Date(5) },
    { name: "z", hash: "c".repeat(64), scopes: ["admin"], expiresAt: "2030-01-31" },
  ]);
  assert.ok(read.ok);
  const end = Date.UTC(2030, 0, 31);
  assert.deepEqual(
    read.keys.map((key) => [key.name, key.hash.slice(0, 1), key.expiresAt]),
    [
      ["ci", hash.slice(0, 1), null],
      ["x", "a", end],
      ["y", "b", 5],
      ["z", "c", end],
    ],
  );
});

const wrong: readonly (readonly [what: string, given: unknown, said: RegExp])[] = [
  ["no list", {}, /a list of \{name, hash/],
  ["text that is no JSON", undefined, /a list/],
  ["an entry that is no object", ["ci"], /key 1 an object/],
  ["a key in clear", [{ ...entry, key: "x" }], /no "key"/],
  ["a name with a space", [{ ...entry, name: "a b" }], /a name of letters/],
  ["a short hash", [{ ...entry, hash: "abc" }], /64 hex digits/],
  ["no scopes", [{ ...entry, scopes: [] }], /scopes among apps:read/],
  ["an unknown scope", [{ ...entry, scopes: ["runs"] }], /scopes among/],
  ["an end that is no time", [{ ...entry, expiresAt: "soon" }], /an expiresAt like/],
  ["a name twice", [entry, { ...entry, hash: "a".repeat(64) }], /key 2 repeats/],
  ["a hash twice", [entry, { ...entry, name: "b" }], /key 2 repeats/],
];
for (const [what, given, said] of wrong) {
  test(`${what} is refused without repeating a hash`, () => {
    const read = readApiKeys(given);
    assert.ok(!read.ok);
    assert.match(read.expected, said);
    assert.ok(!read.expected.includes(hash));
  });
}
