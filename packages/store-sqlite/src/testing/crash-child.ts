// A process to be killed: opens the store at the path it is given and commits batches for ever,
// printing the number of each when it was acknowledged. Batch n is an ended run with ten steps, an event,
// and the removal of the event before.
import { writeSync } from "node:fs";
import { argv } from "node:process";
import type { Change } from "@pawl/engine/changes";
import { eventSample, runSample, stepSample, ulidSample } from "@pawl/store/contract/samples";
import { createSqliteStore } from "../sqlite-store.ts";

/** Steps that each batch of this process writes. */
export const stepsPerBatch = 10;

async function commitForEver(path: string, first: number): Promise<never> {
  // A small log is checkpointed often, so that kills hit checkpoints too.
  const store = createSqliteStore({ path, walBytesMax: 1024 * 1024, checkpointBytes: 64 * 1024 });
  const fence = await store.open();
  for (let n = first; ; n++) {
    const steps = Array.from({ length: stepsPerBatch }, (_, seq): Change => {
      return { type: "step.put", runId: ulidSample(n), step: stepSample(seq) };
    });
    const run = runSample(n, { status: "failed", endedAt: n });
    const events: readonly Change[] = [
      { type: "event.put", event: eventSample(n + 1_000_000), keys: [] },
      { type: "event.delete", eventId: ulidSample(n + 999_999) },
    ];
    await store.commit([{ type: "run.put", run }, ...steps, ...events], fence);
    writeSync(1, `${n}\n`);
  }
}

const [, , path, first] = argv;
if (path !== undefined && import.meta.main) await commitForEver(path, Number(first));
