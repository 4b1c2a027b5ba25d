import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { test } from "node:test";
import type { Change } from "@pawl/engine/changes";
import { toJsonText } from "@pawl/protocol/json-text";
import { callSample, hashSample, runSample, ulidSample } from "@pawl/store/contract/samples";
import { createSqliteStore } from "./sqlite-store.ts";
import { withPath } from "./testing/folder.ts";

const secret = "sk-THE-SECRET-KEY";
const runs = 120;

/** From some bytes, which share a page, to several pages of their own. */
function callOf(n: number): ReturnType<typeof callSample> {
  const request = toJsonText({ key: secret, body: "x".repeat((n % 6) ** 6) });
  const id = hashSample(n);
  return callSample(ulidSample(n), { id, target: id, gateway: { kind: "infer", request } });
}

test("nothing of a request stays in the file once its job is gone", async () => {
  await withPath(async (path) => {
    const store = createSqliteStore({ path });
    const fence = await store.open();
    const numbers = Array.from({ length: runs }, (_, n) => n);
    for (const n of numbers) {
      const job = callOf(n);
      await store.commit(
        [
          { type: "run.put", run: runSample(n) },
          { type: "job.put", job },
        ],
        fence,
      );
      // Handed out, retried: the request stays as it is.
      const state = { at: "leased", epoch: 1, leaseUntil: n } as const;
      await store.commit([{ type: "job.put", job: { ...job, attempt: 1, state } }], fence);
    }
    const [found] = await store.load([{ kind: "run", runId: ulidSample(11) }]);
    assert.ok(found?.need.kind === "run" && "run" in found);
    assert.ok(JSON.stringify(found).includes(secret));
    const ends = numbers.map((n): Change => {
      if (n % 3 === 0) return { type: "run.delete", runId: ulidSample(n) };
      return { type: "job.delete", runId: ulidSample(n), jobId: hashSample(n) };
    });
    await store.commit(ends.slice(0, runs / 2), fence);
    await store.commit(ends.slice(runs / 2), fence);
    await store.close();
    assert.equal(readFileSync(path).indexOf(secret), -1);
  });
});

/** Names of the files of a database that have the secret in them. */
function filesWithSecret(path: string): readonly string[] {
  return [path, `${path}-wal`].filter((file) => readFileSync(file).includes(secret));
}

async function untilGone(path: string): Promise<void> {
  for (let n = 0; n < 2_000 && filesWithSecret(path).length > 0; n++) await pause(5);
  assert.deepEqual(filesWithSecret(path), []);
}

test("nothing of it stays in the log either, while the store is open", async () => {
  await withPath(async (path) => {
    const store = createSqliteStore({ path, shredMs: 10 });
    const fence = await store.open();
    const changes = Array.from({ length: runs }, (_, n): readonly Change[] => [
      { type: "run.put", run: runSample(n) },
      { type: "job.put", job: callOf(n) },
    ]);
    for (const change of changes) await store.commit(change, fence);
    assert.ok(filesWithSecret(path).length > 0, "the requests are there while they are needed");
    const ends = changes.map((_, n): Change => {
      return { type: "job.delete", runId: ulidSample(n), jobId: hashSample(n) };
    });
    await store.commit(ends, fence);
    await untilGone(path);
    await store.close();
  });
});

test("what a killed process left in the log goes with the start of the next", async () => {
  await withPath(async (path) => {
    const first = createSqliteStore({ path, shredMs: 3_600_000 });
    const fence = await first.open();
    const job = callOf(0);
    await first.commit(
      [
        { type: "run.put", run: runSample(0) },
        { type: "job.put", job },
      ],
      fence,
    );
    await first.commit([{ type: "job.delete", runId: job.runId, jobId: job.id }], fence);
    assert.deepEqual(filesWithSecret(path), [`${path}-wal`]);
    // As a kill would leave it: the files are copied while the store is open.
    const folder = join(dirname(path), "copy");
    mkdirSync(folder);
    for (const name of ["pawl.db", "pawl.db-wal"])
      copyFileSync(join(dirname(path), name), join(folder, name));
    await first.close();
    const next = createSqliteStore({ path: join(folder, "pawl.db"), shredMs: 10 });
    await next.open();
    await untilGone(join(folder, "pawl.db"));
    await next.close();
  });
});
