// Waits for runs to end: told by commits, not by asking again and again. It must not know who
// waits, nor HTTP.
import type { Change } from "@pawl/engine/changes";
import type { Clock } from "../loop/clock.ts";
import type { Queries, ShownRun } from "./queries.ts";

export interface AwaitParts {
  readonly queries: Queries;
  /** Tells each commit's changes, after it. Returns how to stop. */
  readonly onCommit: (listener: (changes: readonly Change[]) => void) => () => void;
  readonly after: Clock["after"];
}

/** The runs as they are when all have ended, or `timeoutMs` later; null for those there are not. */
export async function awaitRuns(
  { queries, onCommit, after }: AwaitParts,
  runIds: readonly string[],
  timeoutMs: number,
): Promise<readonly (ShownRun | null)[]> {
  const open = new Set(runIds);
  const done = Promise.withResolvers<void>();
  // Listening begins before the first look, so that no end falls between the two.
  const stop = onCommit((changes) => {
    for (const change of changes) {
      if (change.type === "run.put" && change.run.endedAt !== null) open.delete(change.run.id);
    }
    if (open.size === 0) done.resolve();
  });
  const timer = after(timeoutMs, done.resolve);
  try {
    const look = (): Promise<readonly (ShownRun | null)[]> =>
      Promise.all(runIds.map((runId) => queries.run(runId)));
    const first = await look();
    for (const [index, runId] of runIds.entries()) {
      const shown = first[index] ?? null;
      if (shown === null || shown.run.endedAt !== null) open.delete(runId);
    }
    if (open.size === 0) done.resolve();
    await done.promise;
    return await look();
  } finally {
    stop();
    timer.cancel();
  }
}
