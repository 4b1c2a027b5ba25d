import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { shardOf } from "@pawl/engine/shard";
import { hasCode } from "@pawl/store/contract/kit";
import { packUlid } from "./codec.ts";
import { checksumOf, migrate, migrations } from "./migrate.ts";
import { createThreadlessStore } from "./testing/threadless-store.ts";

test("the list of migrations is that of the folder, and no file was changed", () => {
  const folder = new URL("./migrations/", import.meta.url);
  assert.deepEqual(
    readdirSync(folder).toSorted(),
    migrations.map(({ file }) => file),
  );
  for (const [index, { number, file, checksum }] of migrations.entries()) {
    assert.equal(number, index + 1);
    assert.equal(checksumOf(readFileSync(new URL(file, folder), "utf8")), checksum, file);
  }
});

test("migrating again does nothing", () => {
  const database = new DatabaseSync(":memory:");
  migrate(database, "memory");
  const before = database.prepare("SELECT total_changes() AS n").get();
  migrate(database, "memory");
  assert.deepEqual(database.prepare("SELECT total_changes() AS n").get(), before);
  database.close();
});

test("a migration that was changed after its release is refused, on disk and in the database", () => {
  const database = new DatabaseSync(":memory:");
  const changed = migrations.map((migration) => ({ ...migration, checksum: "0".repeat(64) }));
  assert.throws(() => migrate(database, "memory", changed), hasCode("store_failed"));
  migrate(database, "memory");
  assert.throws(() => migrate(database, "memory", changed), hasCode("store_damaged"));
  database.close();
});

test("an app of schema 1 gets what functions have since, and keeps the rest", () => {
  const database = new DatabaseSync(":memory:");
  migrate(database, "memory", migrations.slice(0, 1));
  const config = '{"a":"\\u00e9","n":12345678901234567890}';
  const record = { id: "a", functions: [{ id: "f", config }, { id: "g" }], error: null };
  const insert = database.prepare("INSERT INTO app (id, record) VALUES (?, ?)");
  insert.run("a", JSON.stringify(record));
  insert.run("empty", JSON.stringify({ functions: [] }));
  migrate(database, "memory");
  const rows = database.prepare("SELECT record FROM app ORDER BY id").all();
  assert.deepEqual(
    rows.map((row): unknown => JSON.parse(String(row["record"]))),
    [
      {
        ...record,
        functions: [
          { id: "f", config, pausedAt: null },
          { id: "g", pausedAt: null },
        ],
      },
      { functions: [] },
    ],
  );
  database.close();
});

test("schedules of schema 4 become those of triggers, with their next tick", () => {
  const database = new DatabaseSync(":memory:");
  migrate(database, "memory", migrations.slice(0, 4));
  const record = { id: "s", functionId: "f", cron: "TZ=Asia/Tokyo 0 * * * *", nextAt: 5, dueAt: 6 };
  database
    .prepare("INSERT INTO schedule (id, due_at, record) VALUES ('s', 6, ?)")
    .run(JSON.stringify(record));
  migrate(database, "memory");
  const row = database.prepare("SELECT due_at, record FROM schedule").get();
  assert.equal(row?.["due_at"], 6);
  assert.deepEqual(JSON.parse(String(row["record"])), { ...record, kind: "trigger" });
  database.close();
});

test("jobs and messages of schema 4 get the shards of their entities", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-migrate-"));
  const path = join(folder, "pawl.db");
  const database = new DatabaseSync(path);
  migrate(database, path, migrations.slice(0, 4));
  const runIds = ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "01BX5ZZKBKACTAV9WEVGEMMVRZ", "no ulid"];
  const job = database.prepare(
    "INSERT INTO job (run, id, kind, timer_at, generation, attempt, attempts_max, flags, queued_at, display_name, user_index)" +
      " VALUES (?, 'a', 1, 5, 0, 0, 0, 0, 1, 'nap', 0)",
  );
  for (const runId of runIds) job.run(packUlid(runId));
  const message = {
    type: "run.cancelled",
    runId: runIds[0],
    reason: "r",
    at: 1,
    seed: [1, 2, 3, 4],
  };
  database.prepare("INSERT INTO mail (id, message) VALUES ('m', ?)").run(JSON.stringify(message));
  database.close();
  const store = createThreadlessStore(path);
  await store.open();
  for (const runId of runIds) {
    const found = await store.due<"timers">({
      kind: "timers",
      until: 5,
      shards: [shardOf(runId)],
      limit: 9,
    });
    assert.deepEqual(
      found.map((timer) => timer.runId),
      [runId],
    );
  }
  const shards = [shardOf(runIds[0] ?? "")];
  assert.deepEqual(await store.due<"mail">({ kind: "mail", shards, limit: 9 }), [
    { mailId: "m", message },
  ]);
  assert.deepEqual(await store.due<"mail">({ kind: "mail", shards: [shardOf("b")], limit: 9 }), []);
  await store.close();
  rmSync(folder, { recursive: true });
});

test("what ended before schema 7 weighs what it would weigh now", () => {
  const database = new DatabaseSync(":memory:");
  migrate(database, "memory", migrations.slice(0, 6));
  const run = database.prepare(
    "INSERT INTO run (id, status, function, app, function_version, event_ids, event_name, queued_at, ended_at," +
      " request_version, force_plan, generation, idle_discoveries) VALUES (?, ?, 1, 1, 1, '', 1, 1, ?, 1, 0, 0, 0)",
  );
  run.run("a", 3, 7);
  run.run("b", 3, 8);
  run.run("c", 1, null);
  database.exec(
    "INSERT INTO output VALUES ('a', '\"\u00fc\"');" +
      "INSERT INTO attempt VALUES ('a', 1, 'step', 0, 'x', 2, '{}', NULL);" +
      "INSERT INTO step (run, id, seq, op, display_name, user_index, failed, attempts, queued_at, started_at, ended_at, opts, memo)" +
      " VALUES ('a', 'x', 0, 0, 'x', 0, 0, 1, 1, 1, 1, '[]', 'true');" +
      "INSERT INTO event (id, name, received_at, ts, user, data) VALUES ('e', 1, 1, 1, '{}', '\"\u00fc\"')",
  );
  migrate(database, "memory");
  const rows = (sql: string) =>
    database
      .prepare(sql)
      .all()
      .map((row) => Object.values(row));
  assert.deepEqual(rows("SELECT id, bytes, records FROM run ORDER BY id"), [
    ["a", 4 * 200 + 4 + 2 + 6, 4],
    ["b", 200, 1],
    ["c", null, null],
  ]);
  assert.deepEqual(rows("SELECT kind, count, bytes FROM retained WHERE count > 0 ORDER BY kind"), [
    ["events", 1, 206],
    ["failed", 2, 1_012],
  ]);
  database.close();
});
