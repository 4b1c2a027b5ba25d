import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
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
