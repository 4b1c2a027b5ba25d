// Fills a store with waiting runs: copies of the one that is in it, each with its own ids and key.
// All is written through the store's own commit. It must not know what is measured.
import type { Change } from "@pawl/engine/changes";
import { compileExpression } from "@pawl/engine/expression/compile";
import { prune, readPaths } from "@pawl/engine/expression/paths";
import type { StoredRun } from "@pawl/engine/needs";
import type { EventRecord, WaitRecord } from "@pawl/engine/records";
import { branchId } from "@pawl/engine/waits/branch";
import { waitKey } from "@pawl/engine/waits/key";
import { toJsonText } from "@pawl/protocol/json-text";
import { encodeUlid } from "@pawl/protocol/ulid";
import { createSqliteStore } from "@pawl/store-sqlite/sqlite-store";

const batchSize = 2_000;

/** The one run in the store, with its event and what it waits for. */
interface Template {
  readonly stored: StoredRun;
  readonly event: EventRecord;
}

/** Adds waiting runs with the keys `key-<from>` to `key-<to - 1>`. */
export async function multiply(path: string, from: number, to: number): Promise<void> {
  const store = createSqliteStore({ path });
  const fence = await store.open();
  try {
    const [runId] = await store.list({ type: "unfinished", after: null, limit: 1 });
    const [found] = await store.load([{ kind: "run", runId: runId ?? "" }]);
    if (found === undefined || !("run" in found) || found.run === null)
      throw new Error("there is no waiting run to copy");
    const [event] = found.run.events;
    if (event === undefined) throw new Error("the waiting run has no event");
    const template = { stored: found.run, event };
    for (let at = from; at < to; at += batchSize) {
      const changes: Change[] = [];
      for (let n = at; n < Math.min(to, at + batchSize); n++) changes.push(...copy(template, n));
      await store.commit(changes, fence);
    }
  } finally {
    await store.close();
  }
}

function copy({ stored, event }: Template, n: number): readonly Change[] {
  // Times before that of the template, so that later runs do not get an id that is taken.
  const at = event.receivedAt - 1;
  const eventId = encodeUlid(at, 0, 1, n);
  const runId = encodeUlid(at, 0, 2, n);
  const data = { key: `key-${n}` };
  const copied = { ...event, id: eventId, data: toJsonText(data) };
  const jobs = stored.jobs.map((job) => ({ ...job, runId }));
  return [
    { type: "event.put", event: copied, keys: [] },
    { type: "run.put", run: { ...stored.run, id: runId, eventIds: [eventId] } },
    ...jobs.map((job) => ({ type: "job.put", job }) as const),
    ...jobs.flatMap((job) =>
      soughtBy(job).map((sought) => {
        const wait = waitOf(runId, sought, { data });
        return { type: "wait.put", wait } as const;
      }),
    ),
  ];
}

interface Sought {
  readonly id: string;
  readonly event: string;
  readonly expression: string | null;
  readonly dueAt: number;
}

function soughtBy(job: StoredRun["jobs"][number]): readonly Sought[] {
  if (job.kind === "wait") return [job];
  if (job.kind !== "waitMany") return [];
  return job.branches.map(({ event, expression }, place) => ({
    id: branchId(job.id, place),
    event,
    expression,
    dueAt: job.dueAt,
  }));
}

function waitOf(
  runId: string,
  { id, event, expression, dueAt }: Sought,
  trigger: { readonly data: { readonly key: string } },
): WaitRecord {
  if (expression === null) throw new Error("the waiting run has no expression");
  const pruned = prune(trigger, readPaths(compileExpression(expression), "event"));
  return {
    runId,
    jobId: id,
    event,
    key: waitKey(expression, trigger, dueAt),
    expression,
    trigger: toJsonText(pruned),
    expiresAt: dueAt,
  };
}
