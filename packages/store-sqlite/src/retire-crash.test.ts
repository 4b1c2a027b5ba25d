import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { execPath } from "node:process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Change } from "@pawl/engine/changes";
import { toJsonText } from "@pawl/protocol/json-text";
import { runSample, stepSample, ulidSample } from "@pawl/store/contract/samples";
import { createSqliteStore } from "./sqlite-store.ts";
import { withPath } from "./testing/folder.ts";
import { forgetSome } from "./testing/retire-child.ts";

const childPath = fileURLToPath(new URL("./testing/retire-child.ts", import.meta.url));
const stepsCount = 400;
const runId = ulidSample(1);

async function writeRun(path: string): Promise<void> {
  const store = createSqliteStore({ path });
  const fence = await store.open();
  const steps = Array.from({ length: stepsCount }, (_, n): Change => {
    const step = stepSample(n, { memo: toJsonText("x".repeat(9_000)) });
    return { type: "step.put", runId, step };
  });
  const run = runSample(1, { status: "completed", endedAt: 1 });
  await store.commit([...steps, { type: "run.put", run }], fence);
  await store.close();
}

/** Runs a child that forgets, and kills it after so many acknowledged commits. */
async function forgetUntil(path: string, acknowledgements: number): Promise<void> {
  const child = spawn(execPath, [childPath, path], { stdio: ["ignore", "pipe", "inherit"] });
  let count = 0;
  for await (const _ of createInterface({ input: child.stdout })) {
    count++;
    if (count === acknowledgements) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

test("killed while a large run goes: nobody sees a part of it, and the next process ends the work", async () => {
  await withPath(async (path) => {
    await writeRun(path);
    let before = stepsCount;
    for (const acknowledgements of [1, 9, 30]) {
      await forgetUntil(path, acknowledgements);
      const store = createSqliteStore({ path });
      await store.open();
      const { tables, kinds } = await store.list({ type: "sizes" });
      assert.deepEqual([tables["runs"], kinds.completed.count], [0, 0]);
      const steps = tables["steps"] ?? 0;
      // The first commit of the first child retired the run; each piece has at most three steps.
      assert.ok(steps > 0 && steps <= before && steps >= before - 3 * (acknowledgements + 1));
      assert.deepEqual((await store.load([{ kind: "run", runId }]))[0], {
        need: { kind: "run", runId },
        run: null,
      });
      assert.deepEqual(await store.verify(), []);
      await store.close();
      before = steps;
    }
    assert.ok(before < stepsCount);
    const store = createSqliteStore({ path });
    const fence = await store.open();
    while (await forgetSome(store, fence));
    const { tables } = await store.list({ type: "sizes" });
    assert.equal(tables["steps"], 0);
    await store.close();
  });
});
