import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hasCode } from "./contract/kit.ts";
import { runSample, ulidSample } from "./contract/samples.ts";
import { storeContract } from "./contract.ts";
import { createMemoryData } from "./memory/memory-data.ts";
import { createMemoryStore } from "./memory-store.ts";

storeContract("memory", async () => {
  const data = createMemoryData();
  let store = createMemoryStore({ data });
  return {
    store,
    async reopen() {
      await store.close();
      store = createMemoryStore({ data });
      return store;
    },
    cleanup: () => store.close(),
  };
});

describe("memory store", () => {
  const change = { type: "run.put", run: runSample(1) } as const;
  const need = { kind: "run", runId: ulidSample(1) } as const;

  test("a fault before a commit leaves nothing, a fault after it leaves everything", async () => {
    let fault: "before" | "after" | null = "before";
    const store = createMemoryStore({
      onCommit(_, when) {
        if (when === fault) throw new Error(`injected ${when}`);
      },
    });
    const fence = await store.open();
    await assert.rejects(store.commit([change], fence), /injected before/);
    assert.deepEqual(await store.load([need]), [{ need, run: null }]);
    fault = "after";
    await assert.rejects(store.commit([change], fence), /injected after/);
    const [found] = await store.load([need]);
    assert.ok(found !== undefined && "run" in found && found.run !== null);
  });

  test("a store that another was opened over can write no more", async () => {
    const data = createMemoryData();
    const old = createMemoryStore({ data });
    const oldFence = await old.open();
    const young = createMemoryStore({ data });
    const youngFence = await young.open();
    await assert.rejects(old.commit([change], oldFence), hasCode("store_fenced"));
    await young.commit([change], youngFence);
  });

  test("a commit is done in the same turn of the event loop", async () => {
    const store = createMemoryStore();
    const fence = await store.open();
    let isDone = false;
    void store.commit([change], fence).then(() => (isDone = true));
    for (let microtask = 0; microtask < 4; microtask++) await Promise.resolve();
    assert.equal(isDone, true);
  });
});
