import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { reserve, use } from "./rate.ts";

const rate = fc.record({
  limit: fc.integer({ min: 1, max: 20 }),
  periodMs: fc.integer({ min: 1_000, max: 100_000 }),
  burst: fc.integer({ min: 1, max: 20 }),
});
const arrivals = fc
  .array(fc.nat({ max: 5_000 }), { minLength: 1, maxLength: 80 })
  .map((gaps) => gaps.map((_, n) => gaps.slice(0, n + 1).reduce((sum, gap) => sum + gap, 0)));

/** Most times within any window of the length. */
function mostWithin(times: readonly number[], windowMs: number): number {
  return Math.max(
    0,
    ...times.map((from) => times.filter((at) => at >= from && at < from + windowMs).length),
  );
}

test("a place in a rate is never early, and no period has more than limit and burst", () => {
  fc.assert(
    fc.property(rate, arrivals, (rate, times) => {
      let tat = 0;
      const starts = times.map((at) => {
        const place = reserve(tat, at, rate);
        assert.ok(place.startAt >= at && Number.isInteger(place.startAt));
        tat = place.tat;
        return place.startAt;
      });
      assert.deepEqual(
        starts,
        starts.toSorted((a, b) => a - b),
        "in order of arrival",
      );
      assert.ok(mostWithin(starts, rate.periodMs) <= rate.limit + rate.burst);
    }),
  );
});

test("a rate in full use starts exactly `limit` in each period", () => {
  let tat = 0;
  const starts = Array.from({ length: 30 }, () => {
    const place = reserve(tat, 1_000, { limit: 3, periodMs: 1_000, burst: 1 });
    tat = place.tat;
    return place.startAt;
  });
  assert.deepEqual(starts.slice(0, 4), [1_000, 1_334, 1_667, 2_000]);
  assert.equal(starts.at(-1), 1_000 + Math.ceil((29 * 1_000) / 3));
});

test("a use is allowed while the rate has room, `limit` of them at once", () => {
  fc.assert(
    fc.property(rate, arrivals, (some, times) => {
      const rate = { ...some, burst: some.limit };
      let tat = 0;
      const used = times.filter((at) => {
        const after = use(tat, at, rate);
        tat = after ?? tat;
        return after !== null;
      });
      assert.ok(mostWithin(used, rate.periodMs) <= 2 * rate.limit);
      assert.deepEqual(used.slice(0, rate.limit), times.slice(0, rate.limit));
    }),
  );
  assert.equal(use(0, 10, { limit: 2, periodMs: 100, burst: 2 }), 60);
  assert.equal(use(60, 10, { limit: 2, periodMs: 100, burst: 2 }), 110);
  assert.equal(use(110, 59, { limit: 2, periodMs: 100, burst: 2 }), null);
  assert.equal(use(110, 60, { limit: 2, periodMs: 100, burst: 2 }), 160);
});
