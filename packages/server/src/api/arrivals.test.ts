import assert from "node:assert/strict";
import { test } from "node:test";
import { arrivalAheadMaxMs, createArrivals } from "./arrivals.ts";

test("arrivals stand still while the clock catches up after it was set back", () => {
  const arrival = createArrivals();
  assert.equal(arrival(1_000_000), 1_000_000);
  assert.equal(arrival(940_000), 1_000_000);
  assert.equal(arrival(999_999), 1_000_000);
  assert.equal(arrival(1_000_001), 1_000_001);
});

test("arrivals follow a clock that was far ahead and is put right", () => {
  const arrival = createArrivals();
  arrival(10 * arrivalAheadMaxMs);
  assert.equal(arrival(5), 5);
  assert.equal(arrival(6), 6);
});
