// What runs defer, and what they were deferred by, as GraphQL objects.
import type { DeferRecord } from "@pawl/engine/defer-records";
import { deferredFrom, defersOfRun } from "../../query/defers.ts";
import type { Queries, ShownRun } from "../../query/queries.ts";

type RunObject = (queries: Queries, shown: ShownRun) => object;

/** Published dashboards know two words: what is to start or has, and what was aborted. */
const statusWords: Readonly<Record<DeferRecord["status"], string>> = {
  scheduled: "SCHEDULED",
  sent: "SCHEDULED",
  aborted: "ABORTED",
  rejected: "REJECTED",
};

/** The `RunDefer` list of a run. */
export async function deferObjects(
  queries: Queries,
  runId: string,
  runObject: RunObject,
): Promise<readonly object[]> {
  const defers = (await defersOfRun(queries, runId)) ?? [];
  return defers.map(({ defer, run }) => ({
    id: defer.id,
    userDeferID: defer.userId,
    fnSlug: defer.functionSlug,
    status: statusWords[defer.status],
    reason: defer.reason,
    run: () => (run === null ? null : runObject(queries, run)),
  }));
}

/** The `RunDeferredFrom` of a run; null: it was not deferred. */
export async function deferredFromObject(
  queries: Queries,
  { run }: ShownRun,
  runObject: RunObject,
): Promise<object | null> {
  const from = await deferredFrom(queries, run);
  if (from === null) return null;
  return {
    parentRunID: from.parentRunId,
    parentFnSlug: from.parentFnSlug,
    parentRun: async () => {
      const parent = await queries.run(from.parentRunId);
      return parent === null ? null : runObject(queries, parent);
    },
  };
}
