import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { hasCode } from "@pawl/store/contract/kit";
import { checksumOf, migrate, migrations } from "./migrate.ts";

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
