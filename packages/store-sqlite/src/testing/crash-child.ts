// A process to be killed: opens the store at the path it is given and commits batches for ever,
// printing the number of each when it was acknowledged. Batch n is a run with ten steps.
import { writeSync } from "node:fs";
import { argv } from "node:process";
import type { Change } from "@pawl/engine/changes";
import { runSample, stepSample, ulidSample } from "@pawl/store/contract/samples";
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
    await store.commit([{ type: "run.put", run: runSample(n) }, ...steps], fence);
    writeSync(1, `${n}\n`);
  }
}

const [, , path, first] = argv;
if (path !== undefined && import.meta.main) await commitForEver(path, Number(first));
