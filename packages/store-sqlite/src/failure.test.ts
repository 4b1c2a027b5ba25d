import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { execPath, getuid } from "node:process";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { toJsonText } from "@pawl/protocol/json-text";
import type { Change } from "@pawl/engine/changes";
import { hasCode } from "@pawl/store/contract/kit";
import { eventSample, runSample, stepSample, ulidSample } from "@pawl/store/contract/samples";
import type { StoreErrorCode } from "@pawl/store/store-error";
import { createSqliteStore } from "./sqlite-store.ts";
import { withPath } from "./testing/folder.ts";

function stepChange(n: number, chars: number): Change {
  const memo = toJsonText("x".repeat(chars));
  return { type: "step.put", runId: ulidSample(1), step: stepSample(n, { memo }) };
}

/** Makes a sound database with a few hundred rows and closes it. */
async function fill(path: string): Promise<void> {
  const store = createSqliteStore({ path });
  const fence = await store.open();
  for (let n = 0; n < 300; n++) {
    await store.commit(
      [{ type: "event.put", event: eventSample(n), keys: [] }, stepChange(n, 500)],
      fence,
    );
  }
  await store.close();
}

/** Opening fails with the code and a message that names the file, and leaves nothing open. */
async function assertRefused(path: string, code: StoreErrorCode): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const store = createSqliteStore({ path });
    await assert.rejects(store.open(), (error) => {
      assert.ok(hasCode(code)(error), String(error));
      assert.ok(error instanceof Error && error.message.includes(path));
      return true;
    });
    await assert.rejects(store.load([]), hasCode("store_closed"));
    await store.close();
  }
}

describe("a database that may not grow", () => {
  test("a commit without room fails whole, and the store goes on", async () => {
    await withPath(async (path) => {
      const store = createSqliteStore({ path, databaseBytesMax: 400_000 });
      const fence = await store.open();
      await store.commit([{ type: "run.put", run: runSample(1) }, stepChange(0, 10)], fence);
      const tooMuch = [
        { type: "run.put", run: runSample(2, { functionId: "new" }) } as const,
        stepChange(1, 500_000),
      ];
      for (let i = 0; i < 3; i++) {
        await assert.rejects(store.commit(tooMuch, fence), hasCode("store_full"));
      }
      await store.commit(
        [stepChange(2, 10), { type: "run.put", run: runSample(3, { functionId: "new" }) }],
        fence,
      );
      const [first, second, third] = await store.load(
        [1, 2, 3].map((n) => ({ kind: "run", runId: ulidSample(n) }) as const),
      );
      assert.ok(first !== undefined && "run" in first && first.run?.steps.length === 2);
      assert.ok(second !== undefined && "run" in second && second.run === null);
      assert.ok(third !== undefined && "run" in third && third.run?.run.functionId === "new");
      assert.deepEqual(await store.verify(), []);
      await store.close();
    });
  });
});

describe("a file that cannot be used", () => {
  test("random bytes", async () => {
    await withPath(async (path) => {
      writeFileSync(path, Buffer.alloc(20_000, "no database "));
      await assertRefused(path, "store_damaged");
      assert.equal(readFileSync(path).length, 20_000);
    });
  });

  test("cut off", async () => {
    await withPath(async (path) => {
      await fill(path);
      truncateSync(path, Math.floor(statSync(path).size / 2 / 4096) * 4096);
      await assertRefused(path, "store_damaged");
    });
  });

  test("the schema overwritten", async () => {
    await withPath(async (path) => {
      await fill(path);
      const file = openSync(path, "r+");
      writeSync(file, Buffer.alloc(3_900, 0xa5), 0, 3_900, 100);
      closeSync(file);
      await assertRefused(path, "store_damaged");
    });
  });

  test("a page overwritten: verify tells, reading it fails as damaged, the rest goes on", async () => {
    await withPath(async (path) => {
      await fill(path);
      const file = openSync(path, "r+");
      // The last pages belong to the steps, which were written last and take most room.
      const { size } = statSync(path);
      for (let page = 2; page < 12; page++)
        writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, size - page * 4096);
      closeSync(file);
      const store = createSqliteStore({ path });
      const fence = await store.open();
      assert.ok((await store.verify()).length > 0);
      await store.commit([{ type: "run.put", run: runSample(1) }], fence);
      await assert.rejects(
        store.load([{ kind: "run", runId: ulidSample(1) }]),
        hasCode("store_damaged"),
      );
      const [found] = await store.load([{ kind: "idempotency", key: "k" }]);
      assert.ok(found !== undefined && "expiresAt" in found && found.runId === null);
      await store.close();
    });
  });

  test("a database of something else", async () => {
    await withPath(async (path) => {
      const other = new DatabaseSync(path);
      other.exec("CREATE TABLE theirs (a)");
      other.close();
      await assertRefused(path, "store_damaged");
    });
  });

  test("a database of a newer version", async () => {
    await withPath(async (path) => {
      await fill(path);
      const newer = new DatabaseSync(path);
      newer.exec(
        "INSERT INTO migration (number, file, checksum) VALUES (99, '099_later.sql', 'x')",
      );
      newer.close();
      await assertRefused(path, "store_newer_schema");
    });
  });

  test("a folder where the file should be, a file where the folder should be", async () => {
    await withPath(async (path) => {
      mkdirSync(path);
      await assertRefused(path, "store_failed");
    });
    await withPath(async (path) => {
      writeFileSync(path, "");
      await assertRefused(`${path}/pawl.db`, "store_failed");
    });
  });

  test("a folder is enough, and is made when it is missing", async () => {
    await withPath(async (path) => {
      const store = createSqliteStore({ dir: `${path}/a/b` });
      await store.open();
      await store.close();
      assert.ok(statSync(`${path}/a/b/pawl.db`).size > 0);
    });
  });

  test("an empty file becomes a database", async () => {
    await withPath(async (path) => {
      writeFileSync(path, "");
      await fill(path);
    });
  });

  // Root may write everywhere, so the attempt is made by a process of another user then.
  test("a folder that may not be written", async () => {
    await withPath(async (path) => {
      chmodSync(dirname(path), 0o555);
      const module = new URL("./sqlite-store.ts", import.meta.url);
      const script =
        `import { createSqliteStore } from ${JSON.stringify(module.href)};` +
        `await createSqliteStore({ path: ${JSON.stringify(path)} }).open()` +
        ".then(() => console.log('opened'), (error) => console.log(error.code, error.message));";
      const user = getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
      const child = spawnSync(execPath, ["--input-type=module", "-e", script], {
        ...user,
        encoding: "utf8",
      });
      chmodSync(dirname(path), 0o755);
      assert.match(child.stdout, /^store_full /, child.stderr);
      assert.ok(child.stdout.includes(path));
    });
  });
});
