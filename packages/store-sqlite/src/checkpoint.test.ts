import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { test } from "node:test";
import { toJsonText } from "@pawl/protocol/json-text";
import { runSample, stepSample, ulidSample } from "@pawl/store/contract/samples";
import { openForReading } from "./connection.ts";
import { createSqliteStore } from "./sqlite-store.ts";
import type { SqliteStore } from "./sqlite-store.ts";
import type { Fence } from "@pawl/store/store";
import { withPath } from "./testing/folder.ts";

const mebibyte = 1024 * 1024;
const options = { walBytesMax: mebibyte, checkpointBytes: mebibyte / 4 };
const memo = toJsonText("x".repeat(20_000));
/** One batch grows the log by less than this. */
const batchBytesMax = 200_000;

async function write(store: SqliteStore, fence: Fence, batches: number): Promise<number> {
  let largest = 0;
  for (let n = 0; n < batches; n++) {
    const steps = [0, 1, 2].map(
      (seq) =>
        ({ type: "step.put", runId: ulidSample(n), step: stepSample(seq, { memo }) }) as const,
    );
    await store.commit([{ type: "run.put", run: runSample(n) }, ...steps], fence);
    // A reader of the hot path, right behind each commit.
    await store.load([{ kind: "run", runId: ulidSample(n) }]);
    largest = Math.max(largest, statSync(`${pathOf(store)}-wal`).size);
  }
  return largest;
}

const paths = new WeakMap<SqliteStore, string>();
function pathOf(store: SqliteStore): string {
  return paths.get(store) ?? "";
}

function makeStore(path: string): SqliteStore {
  const store = createSqliteStore({ path, ...options });
  paths.set(store, path);
  return store;
}

test("the log stays bounded while batches and reads go on, and is gone after close", async () => {
  await withPath(async (path) => {
    const store = makeStore(path);
    const fence = await store.open();
    // Thirty times the limit in all.
    const largest = await write(store, fence, 400);
    assert.ok(largest <= options.walBytesMax + batchBytesMax, `${largest} bytes`);
    await store.close();
    assert.equal(statSync(`${path}-wal`, { throwIfNoEntry: false }), undefined);
  });
});

test("a reader in the middle of something lets the log grow; after it the log is cut back", async () => {
  await withPath(async (path) => {
    const store = makeStore(path);
    const fence = await store.open();
    await write(store, fence, 1);
    const reader = openForReading(path, mebibyte);
    reader.exec("BEGIN; SELECT * FROM run");
    const largest = await write(store, fence, 60);
    assert.ok(largest > options.walBytesMax);
    reader.exec("COMMIT");
    reader.close();
    await write(store, fence, 20);
    assert.ok(statSync(`${path}-wal`).size <= options.walBytesMax + batchBytesMax);
    await store.close();
  });
});
