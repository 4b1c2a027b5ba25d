// Gives runs without a next wake-up one: the engine decides, the store commits, and no app is
// called. What the decisions would have led to is found by the next server that opens the store.
import { defaultSettings } from "@pawl/engine/settings";
import { Batch, defaultBatchLimits, type Entry } from "@pawl/server/loop/batch";
import { systemClock } from "@pawl/server/loop/clock";
import type { Log } from "@pawl/server/loop/log";
import { bootState } from "@pawl/server/loop/boot";
import { systemSeeds } from "@pawl/server/loop/seeds";
import type { ServerError } from "@pawl/server/server-error";
import type { Fence, Store } from "@pawl/store/store";

const runsPerCommit = 100;

/** The store must be open, with this fence. Rejects with a `StoreError` when a commit fails. */
export async function repairRuns(
  store: Store,
  fence: Fence,
  runIds: readonly string[],
  log: Log,
): Promise<void> {
  const hot = await bootState(store, { ...defaultSettings, epoch: fence.epoch });
  let mails = 0;
  const parts = {
    store,
    clock: systemClock,
    seeds: systemSeeds(),
    log,
    limits: defaultBatchLimits,
    mailed: () => undefined, // all shards are owned here
    prepare: () => () => undefined,
    nextMailId: () => `doctor:${String(fence.epoch)}:${String((mails += 1)).padStart(12, "0")}`,
  };
  for (let at = 0, number = 1; at < runIds.length; at += runsPerCommit, number += 1) {
    hot.begin(number, number - 1);
    const batch = new Batch(number, hot, parts);
    await batch.take(runIds.slice(at, at + runsPerCommit).map(entryFor));
    for (const { reply } of batch.outcomes) if (reply instanceof Error) throw reply;
    await store.commit(batch.changes, fence);
  }
}

function entryFor(runId: string): Entry {
  return {
    work: { type: "run.repaired", runId },
    external: true,
    mail: null,
    resolve: () => undefined,
    reject: (error: ServerError) => {
      throw error;
    },
    failures: 0,
    suspect: false,
  };
}
