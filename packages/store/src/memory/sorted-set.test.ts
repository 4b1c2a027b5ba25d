import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SortedSet } from "./sorted-set.ts";

const numbers = fc.integer({ min: 0, max: 3_000 });

test("holds and walks what a sorted array of unique numbers would", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), numbers), { maxLength: 4_000, size: "max" }),
      numbers,
      (operations, pivot) => {
        const set = new SortedSet<number>((a, b) => a - b);
        const model = new Set<number>();
        for (const [isAdd, n] of operations) {
          if (isAdd) set.add(n);
          else assert.equal(set.delete(n), model.has(n));
          if (isAdd) model.add(n);
          else model.delete(n);
        }
        const sorted = [...model].toSorted((a, b) => a - b);
        assert.equal(set.size, sorted.length);
        assert.deepEqual([...set.ascending(null)], sorted);
        assert.deepEqual(
          [...set.ascending(pivot)],
          sorted.filter((n) => n >= pivot),
        );
        assert.deepEqual([...set.descending(null)], sorted.toReversed());
        assert.deepEqual([...set.descending(pivot)], sorted.filter((n) => n < pivot).toReversed());
      },
    ),
    { numRuns: 30 },
  );
});

test("stays right when thousands are added in order and taken from the front", () => {
  const set = new SortedSet<number>((a, b) => a - b);
  for (let n = 0; n < 5_000; n++) set.add(n);
  for (let n = 0; n < 4_990; n++) assert.equal(set.delete(n), true);
  assert.deepEqual(
    [...set.ascending(null)],
    [4990, 4991, 4992, 4993, 4994, 4995, 4996, 4997, 4998, 4999],
  );
});
