// What the option `retention` reads, from flags, environment and files, and how it refuses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveOptions } from "./resolve.ts";
import { readRetention } from "./retention-option.ts";

const day = 86_400_000;
const file = (retention: unknown) => ({ path: "/x/pawl.json", values: { retention } });

function chosen(sources: Partial<Parameters<typeof resolveOptions>[0]>): unknown {
  return resolveOptions({ flags: {}, environment: {}, file: null, ...sources }).retention;
}

test("limits come from flags, environment and nested keys of a file alike", () => {
  const expected = {
    failed: { ageMs: 90 * day, countMax: 10_000, bytesMax: 5e9 },
    events: { ageMs: null, bytesMax: 1.5 * 2 ** 30 },
  };
  const items = [
    "failed.age=90d",
    "failed.count=10000",
    "failed.bytes=5GB",
    "events.age=never",
    "events.bytes=1.5GiB",
  ];
  assert.deepEqual(chosen({ flags: { retention: items } }), expected);
  assert.deepEqual(chosen({ environment: { PAWL_RETENTION: items.join(", ") } }), expected);
  assert.deepEqual(chosen({ file: file(items) }), expected);
  const nested = {
    failed: { age: "90d", count: 10_000, bytes: "5GB" },
    events: { age: "never", bytes: "1.5GiB" },
  };
  assert.deepEqual(chosen({ file: file(nested) }), expected);
  assert.deepEqual(chosen({}), {});
});

const refused: readonly (readonly [raw: unknown, hint: RegExp])[] = [
  ["faild.age=1d", /no kind "faild"; did you mean "failed"/],
  ["runs.age=1d", /no kind "runs"; use one of completed, failed, cancelled, skipped, events/],
  ["failed.size=1d", /no limit "size"; use one of age, count, bytes/],
  ["failed.cuont=1", /did you mean "count"/],
  ["failed.age=90", /"90" is no age: .* like 12h, 90d/],
  ["failed.age=10ms", /from 1s/],
  ["failed.count=5k", /"5k" is no count: write a whole number/],
  ["failed.count=0", /from 1/],
  ["failed.bytes=5", /"5" is no size: .* one of KB/],
  ["failed.bytes=5gb", /Did you mean 5GB\?/],
  ["failed.bytes=5Gi", /Did you mean 5GiB\?|Did you mean 5GB\?/],
  ["failed=1", /has no kind, limit and value/],
  [["failed.age=1d", "failed.age=2d"], /given twice/],
  [{ failed: "90d" }, /failed holds no keys and values/],
  [7, /holds no keys and values/],
];

test("what cannot be read is refused with a hint", () => {
  for (const [raw, hint] of refused) {
    const reading = readRetention(raw);
    assert.ok(!reading.ok, JSON.stringify(raw));
    assert.match(reading.hint, hint);
  }
  assert.throws(
    () => chosen({ environment: { PAWL_RETENTION: "faild.age=1d" } }),
    /PAWL_RETENTION must be limits like failed\.age=90d.*, not "faild.age=1d"|PAWL_RETENTION must be limits.*Did you|did you mean "failed"/,
  );
});
