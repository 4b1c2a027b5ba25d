// Durations and timestamps in the spellings of each language, and what is none.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatDuration, parseDuration, parseMoment, parseTimestamp } from "./duration.ts";

const readable: readonly (readonly [string, number])[] = [
  ["1w2d3h", 788_400_000],
  ["1h30m", 5_400_000],
  ["1.5s", 1_500],
  ["1.1s", 1_100],
  [".5s", 500],
  ["2.h", 7_200_000],
  ["500ms", 500],
  ["1m1ms", 60_001],
  ["20us", 0],
  ["1500µs", 2],
  ["1500μs", 2],
  ["3000000ns", 3],
  ["0", 0],
  ["0s", 0],
  ["1s1s", 2_000],
  ["365d", 31_536_000_000],
];

test("durations as the SDKs write them", () => {
  for (const [text, ms] of readable) assert.equal(parseDuration(text), ms, text);
});

test("what is no duration", () => {
  for (const text of [
    "",
    " ",
    "5",
    "h",
    "1h ",
    "-1h",
    "1H",
    "1 h",
    "1y",
    "1e3s",
    "1..5s",
    "1,5s",
    "Infinitys",
    `${"9".repeat(30)}w`,
    "1s".repeat(60),
  ]) {
    assert.equal(parseDuration(text), null, text);
  }
});

test("what is written is read back", () => {
  assert.equal(formatDuration(0), "0s");
  assert.equal(formatDuration(788_400_000), "1w2d3h");
  assert.equal(formatDuration(90_061_001), "1d1h1m1s1ms");
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (ms) => {
      assert.equal(parseDuration(formatDuration(ms)), ms);
    }),
  );
});

test("a moment is a duration or a timestamp; nothing and the past of Go are now", () => {
  assert.deepEqual(parseMoment("1h"), { forMs: 3_600_000 });
  assert.deepEqual(parseMoment(""), { forMs: 0 });
  assert.deepEqual(parseMoment("  "), { forMs: 0 });
  assert.deepEqual(parseMoment("-3h2m"), { forMs: 0 });
  assert.deepEqual(parseMoment("2026-11-21T10:00:00Z"), { at: Date.UTC(2026, 10, 21, 10) });
  for (const text of ["-", "soon", "tomorrow", "1700000000000", "null"])
    assert.equal(parseMoment(text), null, text);
});

test("every instant that JavaScript writes is read back", () => {
  const date = fc.date({
    noInvalidDate: true,
    min: new Date(-62_000_000_000_000),
    max: new Date(9e14),
  });
  fc.assert(
    fc.property(date, (at) => assert.equal(parseTimestamp(at.toISOString()), at.getTime())),
  );
});

test("timestamps in the spellings of other languages", () => {
  const noon = Date.UTC(2026, 1, 3, 12);
  for (const text of [
    "2026-02-03T12:00:00Z",
    "2026-02-03t12:00:00z",
    "2026-02-03 12:00:00",
    "2026-02-03T12:00",
    "2026-02-03T14:00:00+02:00",
    "2026-02-03T14:00:00+0200",
    "2026-02-03T07:30:00.000000-04:30",
    "2026-02-03T12:00:00.000999999Z",
  ]) {
    assert.equal(parseTimestamp(text), noon, text);
  }
  assert.equal(parseTimestamp("2026-02-03"), Date.UTC(2026, 1, 3));
  assert.equal(parseTimestamp("2026-02-03T12:00:00.5Z"), noon + 500);
});

test("dates that do not exist are refused", () => {
  for (const text of [
    "2026-02-30T00:00:00Z",
    "2026-13-01",
    "2026-00-10",
    "2026-01-01T24:00:00Z",
    "2026-01-01T10:60:00Z",
    "26-01-01",
    "2026-1-1",
  ]) {
    assert.equal(parseTimestamp(text), null, text);
  }
});
