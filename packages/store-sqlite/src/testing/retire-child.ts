// A process to be killed while it forgets a large run: retires it, then removes its parts, a piece a
// commit, and prints a line for each commit that was acknowledged.
import { writeSync } from "node:fs";
import { argv } from "node:process";
import type { Change } from "@pawl/engine/changes";
import { olderThan } from "@pawl/store/retained";
import type { Fence, Store } from "@pawl/store/store";
import { createSqliteStore } from "../sqlite-store.ts";

const step = { records: 3, bytes: 100_000 };

/** Decides one step as the engine does, and commits it; false: there is nothing more to forget. */
export async function forgetSome(store: Store, fence: Fence): Promise<boolean> {
  const [found] = await store.load([
    { kind: "expired", bounds: olderThan(1e13), limit: step.records, limitBytes: step.bytes },
  ]);
  if (found === undefined || !("runIds" in found)) return false;
  const changes: Change[] =
    found.retiredId === null
      ? found.largeRunIds.map((runId) => ({ type: "run.retire", runId }))
      : [{ type: "parts.delete", runId: found.retiredId, ...step }];
  await store.commit(changes, fence);
  return changes.length > 0;
}

async function forget(path: string): Promise<void> {
  const store = createSqliteStore({ path, walBytesMax: 1024 * 1024, checkpointBytes: 64 * 1024 });
  const fence = await store.open();
  for (let n = 0; await forgetSome(store, fence); n++) writeSync(1, `${n}\n`);
  await store.close();
}

const [, , path] = argv;
if (path !== undefined && import.meta.main) await forget(path);
