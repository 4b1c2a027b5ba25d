// However many requests are refused, the log grows by so many lines a minute.
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../loop/log.ts";
import { RefusalLog } from "./refusal-log.ts";

const refusal = {
  requestId: "r",
  code: "invalid_api_key",
  method: "GET",
  route: "/v1/runs",
  from: null,
  key: null,
};

test("lines are bounded, and the rest is counted in the next minute", () => {
  let now = 0;
  const lines: object[] = [];
  const log = new RefusalLog(
    { ...silentLog, warn: (fields) => void lines.push(fields) },
    () => now,
    3,
  );
  for (let count = 0; count < 1_000; count += 1) log.tell(refusal);
  assert.deepEqual(lines, [refusal, refusal, refusal]);
  now = 60_000;
  log.tell(refusal);
  assert.deepEqual(lines.slice(3), [{ count: 997 }, refusal]);
  // Set back by an hour, the clock does not silence the log until it has caught up.
  now = -3_600_000;
  log.tell(refusal);
  assert.equal(lines.length, 6);
});
