import assert from "node:assert/strict";
import { test } from "node:test";
import { baseTime, runSample } from "@pawl/store/contract/samples";
import { ServerError } from "../server-error.ts";
import { cursorOf, positionOf } from "./run-cursor.ts";

const run = runSample(7, { startedAt: baseTime + 3 });

test("cursors name the place behind a run", () => {
  assert.deepEqual(positionOf(cursorOf(run, "queuedAt"), "queuedAt"), { at: 0, runId: run.id });
  assert.deepEqual(positionOf(cursorOf(run, "startedAt"), "startedAt"), {
    at: baseTime + 3,
    runId: run.id,
  });
});

test("a cursor of another list, or of none, is refused", () => {
  const isRefused = (error: unknown): boolean =>
    error instanceof ServerError && error.code === "parameter_invalid";
  assert.throws(() => positionOf(cursorOf(run, "queuedAt"), "endedAt"), isRefused);
  assert.throws(() => positionOf(cursorOf(run, "startedAt"), "queuedAt"), isRefused);
  for (const text of ["", "x", "1_", `_${run.id}`, `1_${run.id}_1`])
    assert.throws(() => positionOf(text, "startedAt"), isRefused, text);
});
