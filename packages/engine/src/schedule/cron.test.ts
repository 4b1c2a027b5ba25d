import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cronProblem, latestTick, nextTick } from "./cron.ts";

/** Ticks behind a moment, as minutes of UTC (or seconds, when they are not whole minutes). */
function ticks(line: string, after: string, count: number): string[] {
  const found: string[] = [];
  let at: number | null = Date.parse(after);
  while (found.length < count) {
    at = nextTick(line, at);
    if (at === null) break;
    found.push(new Date(at).toISOString().replace(/(:00)?\.000Z$/, ""));
  }
  return found;
}

/** Each row: what it shows, the line, from when, and the ticks in UTC. */
const table: readonly (readonly [string, string, string, readonly string[]])[] = [
  [
    "a step behind a number goes on from there",
    "5/20 9/12 * * *",
    "2026-01-01T00:00Z",
    ["2026-01-01T09:05", "2026-01-01T09:25", "2026-01-01T09:45", "2026-01-01T21:05"],
  ],
  [
    "New York, gap 02:00 to 03:00: the skipped time ticks at the end of the gap",
    "TZ=America/New_York 30 2 * * *",
    "2026-03-07T12:00Z",
    ["2026-03-08T07:00", "2026-03-09T06:30"],
  ],
  [
    "New York, gap: two skipped times tick once",
    "TZ=America/New_York 10,40 2 * * *",
    "2026-03-07T12:00Z",
    ["2026-03-08T07:00", "2026-03-09T06:10"],
  ],
  [
    "New York, gap: of two times of the day only one is skipped",
    "TZ=America/New_York 15 2,14 * * *",
    "2026-03-07T20:00Z",
    ["2026-03-08T07:00", "2026-03-08T18:15", "2026-03-09T06:15"],
  ],
  [
    "New York, gap: a line that names no times of the day has none in it",
    "TZ=America/New_York */30 2 * * *",
    "2026-03-07T20:00Z",
    ["2026-03-09T06:00", "2026-03-09T06:30"],
  ],
  [
    "New York, overlap: two times of the day come once each",
    "TZ=America/New_York 10,40 1 * * *",
    "2026-11-01T04:30Z",
    ["2026-11-01T05:10", "2026-11-01T05:40", "2026-11-02T06:10"],
  ],
  [
    "New York, overlap: a line that names no times of the day goes by the clock",
    "TZ=America/New_York */30 1 * * *",
    "2026-11-01T04:30Z",
    ["2026-11-01T05:00", "2026-11-01T05:30", "2026-11-01T06:00", "2026-11-01T06:30"],
  ],
  [
    "New York, gap: every half hour goes on without a stop",
    "TZ=America/New_York */30 * * * *",
    "2026-03-08T06:00Z",
    ["2026-03-08T06:30", "2026-03-08T07:00", "2026-03-08T07:30"],
  ],
  [
    "New York, overlap 01:00 to 02:00: a time that comes twice ticks the first time",
    "TZ=America/New_York 30 1 * * *",
    "2026-10-31T12:00Z",
    ["2026-11-01T05:30", "2026-11-02T06:30"],
  ],
  [
    "New York, overlap: every hour goes on through both",
    "TZ=America/New_York 0 * * * *",
    "2026-11-01T04:30Z",
    ["2026-11-01T05:00", "2026-11-01T06:00", "2026-11-01T07:00"],
  ],
  [
    "Berlin, gap 02:00 to 03:00",
    "TZ=Europe/Berlin 30 2 * * *",
    "2026-03-28T12:00Z",
    ["2026-03-29T01:00", "2026-03-30T00:30"],
  ],
  [
    "Berlin, overlap 02:00 to 03:00",
    "TZ=Europe/Berlin 30 2 * * *",
    "2026-10-24T12:00Z",
    ["2026-10-25T00:30", "2026-10-26T01:30"],
  ],
  [
    "Lord Howe, gap of half an hour, 02:00 to 02:30",
    "TZ=Australia/Lord_Howe 15 2 * * *",
    "2026-10-03T00:00Z",
    ["2026-10-03T15:30", "2026-10-04T15:15"],
  ],
  [
    "Lord Howe, overlap of half an hour, 01:30 to 02:00",
    "TZ=Australia/Lord_Howe 45 1 * * *",
    "2026-04-03T22:00Z",
    ["2026-04-04T14:45", "2026-04-05T15:15"],
  ],
  [
    "Lord Howe, overlap: every quarter goes on through both",
    "TZ=Australia/Lord_Howe */15 * * * *",
    "2026-04-04T14:15Z",
    ["2026-04-04T14:30", "2026-04-04T14:45", "2026-04-04T15:00", "2026-04-04T15:15"],
  ],
  [
    "Sao Paulo, gap at midnight: a day that begins at 01:00",
    "TZ=America/Sao_Paulo 30 0 * * *",
    "2018-11-03T12:00Z",
    ["2018-11-04T03:00", "2018-11-05T02:30"],
  ],
  [
    "Cairo, gap at midnight",
    "TZ=Africa/Cairo 30 0 * * *",
    "2026-04-23T00:00Z",
    ["2026-04-23T22:00", "2026-04-24T21:30"],
  ],
  [
    "Cairo, overlap before midnight",
    "TZ=Africa/Cairo 30 23 * * *",
    "2026-10-28T22:00Z",
    ["2026-10-29T20:30", "2026-10-30T21:30"],
  ],
  [
    "Kolkata, half an hour off and without changes",
    "TZ=Asia/Kolkata 30 9 * * *",
    "2026-03-28T12:00Z",
    ["2026-03-29T04:00", "2026-03-30T04:00"],
  ],
  ["UTC without a zone", "0 9 * * *", "2026-03-28T12:00Z", ["2026-03-29T09:00"]],
  ["a tick is behind its moment", "0 9 * * *", "2026-03-28T09:00Z", ["2026-03-29T09:00"]],
  [
    "seconds",
    "*/20 * * * * *",
    "2026-03-28T09:00:30Z",
    ["2026-03-28T09:00:40", "2026-03-28T09:01"],
  ],
  ["Sunday is 0 and 7", "0 0 * * 7", "2026-03-28T09:00Z", ["2026-03-29T00:00"]],
  [
    "day of month or day of week",
    "0 0 13 * 5",
    "2026-02-11T00:00Z",
    ["2026-02-13T00:00", "2026-02-20T00:00"],
  ],
  ["a leap day", "0 0 29 2 *", "2026-02-11T00:00Z", ["2028-02-29T00:00"]],
];

for (const [what, line, after, expected] of table) {
  test(`${what}: ${line}`, () => assert.deepEqual(ticks(line, after, expected.length), expected));
}

test("lines that cannot work are explained", () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["61 * * * *", /^its minute has "61"; allowed are 0 to 59, /],
    ["0 1,24 * * *", /^its hour has "24"; allowed are 0 to 23, /],
    ["0 0 32 * *", /^its day of the month has "32"; allowed are 1 to 31, /],
    ["0 0 1 JANUAR *", /^its month has "JANUAR"; allowed are 1 to 12, JAN to DEC, /],
    ["TZ=Europe/Berlin 0 0 * * 1-9", /^its day of the week has "1-9"; allowed are 0 to 7, /],
    ["*/90 * * * * *", /^its second has "\*\/90"; allowed are 0 to 59, /],
    ["1,,2 * * * *", /^its minute has "1,,2"; /],
    ["@sometimes", /^"@sometimes" is no name of a schedule; .*@hourly$/],
    ["* * * *", /4 fields/],
    ["* * * * * * 2030", /7 fields/],
    ["2026-01-01T00:00:00", /1 fields/],
    ["", /1 fields/],
    ["a b c d e", /^its minute has "a"; /],
    ["0 0 31 2 *", /never comes/],
    ["TZ=Mars/Crater * * * * *", /time zone "Mars\/Crater"/],
  ];
  for (const [line, reason] of wrong) assert.match(cronProblem(line) ?? "accepted", reason);
  for (const line of ["* * * * *", "TZ=Europe/Berlin 0 9 * * MON-FRI", "@daily", "0 0 L * *"])
    assert.equal(cronProblem(line), null);
});

test("whatever is wrong with a line is said in our words", () => {
  const part = fc.string({
    unit: fc.constantFrom(...Array.from("*/,-#LW?+0123456789 MONJAF@xé")),
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 7 }), (parts) => {
      const problem = cronProblem(parts.join(" "));
      assert.match(
        problem ?? "its",
        /^(its|it has \d+ fields|it names a time that never comes|"@.*" is no name)/,
      );
    }),
    { numRuns: 2_000 },
  );
});

const lines = [
  "*/7 * * * *",
  "TZ=America/New_York */30 * * * *",
  "TZ=America/New_York 30 1,2 * * *",
  "TZ=America/New_York */20 1,2 * * *",
  "TZ=Australia/Lord_Howe */15 1,2 * * *",
  "TZ=Africa/Cairo 30 0,23 * * *",
  "TZ=Asia/Kolkata 0 0 1 * *",
  "* * 1 1 *",
  "*/20 * * * * *",
];
const moment = fc.integer({ min: Date.UTC(2025, 0, 1), max: Date.UTC(2027, 0, 1) });

test("the latest tick is a tick, and the next one is later than the moment", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...lines),
      moment,
      fc.integer({ min: 0, max: 40 * 86_400_000 }),
      (line, from, ms) => {
        const first = nextTick(line, from);
        assert.ok(first !== null && first > from);
        const until = first + ms;
        const latest = latestTick(line, first, until);
        assert.ok(latest >= first && latest <= until);
        assert.ok((nextTick(line, latest) ?? Infinity) > until, "there is none between");
        assert.equal(nextTick(line, latest - 1), latest, "and it is a tick");
      },
    ),
    { numRuns: 300 },
  );
});

test("the way forward has no ticks twice, whichever moments it is asked at", () => {
  fc.assert(
    fc.property(fc.constantFrom(...lines), moment, fc.nat(90 * 60_000), (line, from, step) => {
      const next = nextTick(line, from) ?? 0;
      // Asked at any moment up to the tick, it is the same tick.
      const between = Math.min(from + step, next - 1);
      assert.equal(nextTick(line, between), next);
    }),
    { numRuns: 300 },
  );
});
