// Several servers over one database, each with shards of its own, as in the tests of the loop, but on
// SQLite: messages that cross are rows, and survive the death of whoever wrote or should take them.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { shardCount } from "@pawl/engine/shard";
import { travel, type TravelOptions } from "@pawl/server/loop/testing/travel";
import { createThreadlessStore } from "@pawl/store-sqlite/testing/threadless-store";
import { createMemoryStore } from "@pawl/store/memory-store";

const shards = Array.from({ length: shardCount }, (_, shard) => shard);

async function onSqlite(options: TravelOptions) {
  const folder = mkdtempSync(join(tmpdir(), "pawl-shards-"));
  try {
    return await travel(createThreadlessStore(join(folder, "pawl.db")), options);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("servers that share a SQLite database by shards come to what one comes to", async () => {
  const one = await travel(createMemoryStore(), { owners: shards.map(() => 0) });
  const owners = shards.map((shard) => shard % 2);
  const two = await onSqlite({ owners, repeatsMail: true });
  assert.deepEqual([two.outcome, two.mailsLeft, two.oneAtOnceMax], [one.outcome, 0, 1]);
  assert.ok(two.mailsPut > 20, `${String(two.mailsPut)} messages crossed`);
  const dying = await onSqlite({ owners, deaths: [4, 12] });
  assert.deepEqual([dying.outcome, dying.mailsLeft, dying.deaths], [one.outcome, 0, 2]);
});
