import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Timing } from "../schedule-records.ts";
import { countTicks, firstOfLast, lastTick, lineOf, nextTicks, tickAfter } from "./timetable.ts";
import type { Timed } from "./timetable.ts";

const minute = 60_000;
const hour = 60 * minute;
const start = Date.UTC(2026, 2, 28, 12);

function timed(timing: Timing, more: Partial<Timed> = {}): Timed {
  return { timing, startAt: null, endAt: null, createdAt: start, ...more };
}

const every = (everyMs: number): Timing => ({ kind: "every", everyMs });
const cron = (line: string): Timing => ({ kind: "cron", line });

test("an interval counts from its creation, and from its start on with it", () => {
  const made = timed(every(15 * minute));
  assert.deepEqual(nextTicks(made, start, 2), [start + 15 * minute, start + 30 * minute]);
  assert.equal(tickAfter(made, start + 7 * hour + 1), start + 7 * hour + 15 * minute, "no drift");
  const later = timed(every(hour), { startAt: start + 10 });
  assert.deepEqual(nextTicks(later, start, 2), [start + 10, start + 10 + hour]);
  const before = timed(every(hour), { startAt: start - 10 });
  assert.equal(tickAfter(before, start), start - 10 + hour);
});

test("no tick lies in front of the start or behind the end", () => {
  for (const timing of [every(hour), cron("0 * * * *")]) {
    const bounded = timed(timing, { startAt: start + 2 * hour, endAt: start + 3 * hour });
    const ticks = [start + 2 * hour, start + 3 * hour];
    assert.deepEqual(nextTicks(bounded, start, 9), ticks);
    assert.equal(lastTick(bounded, ticks[0] ?? 0, start + 9 * hour), ticks[1]);
    assert.equal(countTicks(bounded, ticks[0] ?? 0, start + 9 * hour), 2);
    assert.equal(tickAfter(bounded, start + 3 * hour), null);
  }
});

test("a cron line keeps to the clock of its zone, an interval does not", () => {
  const berlin = nextTicks(timed(cron("TZ=Europe/Berlin 30 8 * * *")), start, 2);
  assert.deepEqual(
    berlin.map((at) => new Date(at).toISOString().slice(5, 16)),
    ["03-29T06:30", "03-30T06:30"],
    "the clocks went forward in the night",
  );
  assert.deepEqual(nextTicks(timed(every(24 * hour)), start, 2), [
    start + 24 * hour,
    start + 48 * hour,
  ]);
});

test("the line tells the interval", () => {
  assert.equal(lineOf(timed(every(90 * minute))), "@every 1h30m");
  assert.equal(lineOf(timed(cron("TZ=Asia/Tokyo @daily"))), "TZ=Asia/Tokyo @daily");
});

test("last, count and first of the last agree with walking from tick to tick", () => {
  const timings = fc.constantFrom(
    every(7_000),
    every(minute),
    cron("*/7 * * * * *"),
    cron("*/1 * * * *"),
    cron("TZ=Europe/Berlin 0,20 * * * *"),
  );
  const spans = fc.nat(hour);
  fc.assert(
    fc.property(timings, spans, fc.integer({ min: 1, max: 9 }), (timing, span, max) => {
      const schedule = timed(timing, { createdAt: start + 123 });
      const until = start + span;
      const ticks = nextTicks({ ...schedule, endAt: until }, start, 999);
      const [known] = ticks;
      if (known === undefined) return;
      assert.equal(lastTick(schedule, known, until), ticks.at(-1));
      assert.equal(countTicks(schedule, known, until + 1), ticks.length);
      assert.equal(firstOfLast(schedule, known, until, max), ticks.slice(-max)[0]);
    }),
    { numRuns: 60 },
  );
});
