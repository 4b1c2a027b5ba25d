// Brings a database to the newest schema. Migrations are numbered SQL files that never change once
// they are released: each database remembers the checksum of what it ran.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { Message } from "@pawl/engine/commands";
import { shardOf, shardOfMessage } from "@pawl/engine/shard";
import { StoreError } from "@pawl/store/store-error";
import { numberOf, textOf, unpackUlid } from "./codec.ts";

export interface Migration {
  readonly number: number;
  readonly file: string;
  /** SHA-256 of the file, in hex. */
  readonly checksum: string;
}

/** All migrations, in order. A file that does not match its checksum is refused. */
export const migrations: readonly Migration[] = [
  {
    number: 1,
    file: "001_init.sql",
    checksum: "dd3ba4efe4c27d059c99df446b479c869366a3f7dcde4050c98ef8a582b76d90",
  },
  {
    number: 2,
    file: "002_flow.sql",
    checksum: "f42d498325701707f627acb7d111b2e1a24a1e737680b611d5c4e15ac6ebf112",
  },
  {
    number: 3,
    file: "003_run_lists.sql",
    checksum: "f4964740624098231f39a9cc7a7a0d35d6f464d6ba80c780dd1fd18045a73d77",
  },
  {
    number: 4,
    file: "004_schedules.sql",
    checksum: "494f25e915c7873d67bba4169e4409c0bbe2cf67d687d9ec2802bd3bdd8af53e",
  },
  {
    number: 5,
    file: "005_kept_places.sql",
    checksum: "dbf7c12400f129fd3ee745a4d12d1420a51e76bdc95a4be3f3ac4152a1f042ca",
  },
  {
    number: 6,
    file: "006_shards.sql",
    checksum: "9076e5b2ac5076469d020431c93f9d4b08c911dffd10a6957d8338ef2b9f21c8",
  },
  {
    number: 7,
    file: "007_retention.sql",
    checksum: "53c3d1dc9d30ccb44b10de2f4bc9bddeafe0c8215d20dbdd77759ff380b41322",
  },
  {
    number: 8,
    file: "008_search.sql",
    checksum: "f730610adc8de6989474e21bc2b13ba2633053beaa30f7a76aa193d10b7179fa",
  },
  {
    number: 9,
    file: "009_signals.sql",
    checksum: "053aaee11b63609764597a9eedb749956afac47f901eea179606440465750540",
  },
  {
    number: 10,
    file: "010_gateways.sql",
    checksum: "0dd9bba2c0276cf5beb61e60977d92148b5344e4b066933403dd17061a088c62",
  },
  {
    number: 11,
    file: "011_runtime_schedules.sql",
    checksum: "6056ff078ebd84e0e76766328ca7a6da2b3e64079c5c703e7a64acba3dfcdb6e",
  },
  {
    number: 12,
    file: "012_actions.sql",
    checksum: "33d283c184f300e002c91dad1f414ac9459838c4c31469ed72f5a49e3c121470",
  },
  {
    number: 13,
    file: "013_retired.sql",
    checksum: "e612078836193279bfbdbcb44d0efe5dd2aabeb5ccfa85b839b19a175f652901",
  },
  {
    number: 14,
    file: "014_metadata.sql",
    checksum: "d6875930c1bcfebdddfd8cd2e74ccc69451a8b717df6979f7a28e6905f0cf244",
  },
  {
    number: 15,
    file: "015_defers.sql",
    checksum: "1d330d6cfffcb121acca8d7552fa2260cffa2df42ce4aea9028438383bd7b050",
  },
  {
    number: 16,
    file: "016_user_spans.sql",
    checksum: "adf3103502a098cc4f79e13af89822009b21620cf565f9634d98de984d702039",
  },
];

/** Marks a file as ours: "PAWL" in ASCII. */
export const applicationId = 0x5041574c;

/**
 * Runs what is missing, each migration in a transaction of its own. Throws `store_newer_schema`
 * for a database of a later version, `store_damaged` for a database of something else.
 */
export function migrate(
  database: DatabaseSync,
  path: string,
  known: readonly Migration[] = migrations,
): void {
  const applied = appliedMigrations(database, path);
  const newest = known.length;
  for (const { number, checksum } of applied) {
    const migration = known[number - 1];
    if (migration === undefined) {
      throw new StoreError(
        "store_newer_schema",
        `The database ${path} has schema ${applied.length}, this version of Pawl knows ${newest}: ` +
          "run the version that wrote it, or a newer one.",
      );
    }
    if (migration.checksum !== checksum) {
      throw new StoreError(
        "store_damaged",
        `The database ${path} was migrated by another ${migration.file} than this version of Pawl has.`,
      );
    }
  }
  const missing = known.slice(applied.length);
  if (missing.length > 0) giveFunctions(database);
  for (const migration of missing) run(database, migration);
}

/** What migrations call to fill columns of which the values are computed by the engine. */
function giveFunctions(database: DatabaseSync): void {
  database.function("shard_of", { deterministic: true }, (key) => shardOf(unpackUlid(key)));
  database.function("shard_of_message", { deterministic: true }, (message) =>
    // proof: written from a Message
    shardOfMessage(JSON.parse(textOf(message)) as Message),
  );
}

interface Applied {
  readonly number: number;
  readonly checksum: string;
}

/** In order; empty for a new database, in which the table for them is made. */
function appliedMigrations(database: DatabaseSync, path: string): readonly Applied[] {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  if (tables.some((table) => table["name"] === "migration")) {
    return database
      .prepare("SELECT number, checksum FROM migration ORDER BY number")
      .all()
      .map((row) => ({ number: numberOf(row["number"]), checksum: textOf(row["checksum"]) }));
  }
  if (tables.length > 0) {
    throw new StoreError(
      "store_damaged",
      `${path} is a database, but not one of Pawl: choose another file.`,
    );
  }
  database.exec(
    `PRAGMA application_id = ${applicationId};` +
      "CREATE TABLE migration (number INTEGER PRIMARY KEY, file TEXT NOT NULL, checksum TEXT NOT NULL) STRICT",
  );
  return [];
}

function run(database: DatabaseSync, { number, file, checksum }: Migration): void {
  const sql = readFileSync(new URL(`./migrations/${file}`, import.meta.url), "utf8");
  if (checksumOf(sql) !== checksum) {
    throw new StoreError("store_failed", `The migration ${file} was changed after its release.`);
  }
  database.exec("BEGIN IMMEDIATE");
  try {
    database.exec(sql);
    database
      .prepare("INSERT INTO migration (number, file, checksum) VALUES (?, ?, ?)")
      .run(number, file, checksum);
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

/** SHA-256 of the text, in hex. */
export function checksumOf(sql: string): string {
  return createHash("sha256").update(sql).digest("hex");
}
