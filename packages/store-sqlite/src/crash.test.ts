import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { execPath } from "node:process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { hasCode } from "@pawl/store/contract/kit";
import { ulidSample } from "@pawl/store/contract/samples";
import { recordBytes } from "@pawl/store/retained";
import { createSqliteStore } from "./sqlite-store.ts";
import { stepsPerBatch } from "./testing/crash-child.ts";
import { withPath } from "./testing/folder.ts";

const childPath = fileURLToPath(new URL("./testing/crash-child.ts", import.meta.url));

function startChild(path: string, first: number): ChildProcess {
  return spawn(execPath, [childPath, path, `${first}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Reads acknowledged numbers; kills after so many; resolves with the last number that was printed. */
async function killAfter(child: ChildProcess, acknowledgements: number): Promise<number> {
  assert.ok(child.stdout !== null);
  let last = -1;
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    count++;
    if (count === acknowledgements) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return last;
}

test("killed at any moment: all that was acknowledged is there, and no half batch", async () => {
  await withPath(async (path) => {
    let next = 0;
    // Different lengths, so that the kill meets commits, checkpoints and quiet moments.
    for (const acknowledgements of [1, 7, 40, 93, 171]) {
      const last = await killAfter(startChild(path, next), acknowledgements);
      assert.ok(last >= next);
      const store = createSqliteStore({ path });
      // The lock of the killed process is gone with it: open succeeds at once.
      await store.open();
      const { tables, kinds } = await store.list({ type: "sizes" });
      const runs = tables["runs"] ?? 0;
      assert.ok(
        runs === last + 1 || runs === last + 2,
        `${runs} runs after acknowledgement ${last}`,
      );
      // The counts that retention goes by are those of the records.
      assert.deepEqual([kinds.failed.count, kinds.events.count], [runs, tables["events"]]);
      assert.equal(tables["events"], 1);
      const weight = kinds.failed.bytes / runs;
      assert.ok(weight > (1 + stepsPerBatch) * recordBytes && Number.isInteger(weight));
      const needs = Array.from(
        { length: runs },
        (_, n) => ({ kind: "run", runId: ulidSample(n) }) as const,
      );
      for (const found of await store.load(needs)) {
        assert.ok("run" in found && found.run?.steps.length === stepsPerBatch);
      }
      assert.deepEqual(await store.verify(), []);
      await store.close();
      next = runs;
    }
  });
});

test("a second process is told who holds the file, and may have it when that one was killed", async () => {
  await withPath(async (path) => {
    const child = startChild(path, 0);
    assert.ok(child.stdout !== null);
    await once(child.stdout, "data");
    const store = createSqliteStore({ path });
    await assert.rejects(store.open(), (error) => {
      assert.ok(hasCode("store_locked")(error) && error instanceof Error);
      assert.ok(error.message.includes(path) && error.message.includes(`process ${child.pid}`));
      return true;
    });
    child.kill("SIGKILL");
    child.stdout.resume();
    await once(child, "exit");
    const { epoch } = await store.open();
    assert.equal(epoch, 2);
    await store.close();
  });
});

test("a second store in the same process is refused and harms nothing", async () => {
  await withPath(async (path) => {
    const first = createSqliteStore({ path });
    const fence = await first.open();
    for (let i = 0; i < 2; i++) {
      await assert.rejects(createSqliteStore({ path }).open(), hasCode("store_locked"));
    }
    await first.commit([], fence);
    await first.close();
    const second = createSqliteStore({ path });
    await second.open();
    await second.close();
  });
});
