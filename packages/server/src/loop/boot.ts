// Makes the hot state from what a store has: at a start, and after a commit failed. It must not
// know commands.
import { runtimePrefix } from "@pawl/engine/schedule/runtime";
import { HotState } from "@pawl/engine/state/hot-state";
import type { OwnedShards } from "@pawl/engine/shard";
import type { Settings } from "@pawl/engine/settings";
import type { DueJob, DueMail, Store } from "@pawl/store/store";

/** Runs loaded at once. */
const pageSize = 500;

/** The hot state as the store has it, for a process that owns these shards and has nothing under way. */
export async function bootState(
  store: Store,
  settings: Settings,
  owned: OwnedShards = null,
): Promise<HotState> {
  const shards = shardList(owned);
  const [apps, waitPaths, queues, runtimeSchedules] = await Promise.all([
    store.list<"apps">({ type: "apps" }),
    store.list<"waitPaths">({ type: "waitPaths" }),
    store.list<"queues">({ type: "queues", shards }),
    store.list<"scheduleCount">({ type: "scheduleCount", prefix: runtimePrefix }),
  ]);
  const hot = new HotState(settings, owned);
  hot.boot({ apps, waitPaths, queues, runtimeSchedules });
  return hot;
}

/** What a process finds in its own store when it starts over. */
export interface Rebuilt {
  readonly hot: HotState;
  /** Calls leased by this process or an earlier one. */
  readonly leased: readonly DueJob[];
  /** Every message in the mailboxes of this process. */
  readonly mail: readonly DueMail[];
}

/**
 * The hot state after a commit failed, with the runs of all leased calls in memory, so that the
 * gates count them. The commit may have been written all the same: calls and messages of it are
 * in the store although this process never heard of them.
 */
export async function rebuildState(
  store: Store,
  settings: Settings,
  owned: OwnedShards = null,
): Promise<Rebuilt> {
  const hot = await bootState(store, settings, owned);
  const shards = shardList(owned);
  const { epoch } = settings;
  const leased = await readAll((limit) =>
    store.due<"lost">({ kind: "lost", epoch: epoch + 1, shards, limit }),
  );
  const runIds = [...new Set(leased.map(({ runId }) => runId))];
  for (let at = 0; at < runIds.length; at += pageSize) {
    const page = runIds.slice(at, at + pageSize);
    hot.absorb(await store.load(page.map((runId) => ({ kind: "run", runId }))));
  }
  return {
    hot,
    leased,
    mail: await readAll((limit) => store.due<"mail">({ kind: "mail", shards, limit })),
  };
}

/** Owned shards as questions to a store name them. */
export function shardList(owned: OwnedShards): readonly number[] | null {
  return owned === null ? null : [...owned];
}

/** The whole of a list that can only be read from its beginning. */
async function readAll<T>(read: (limit: number) => Promise<readonly T[]>): Promise<readonly T[]> {
  for (let limit = 2 * pageSize; ; limit *= 4) {
    const found = await read(limit);
    if (found.length < limit) return found;
  }
}
