// Contract: whatever is written, a store gives the same answers as the memory store. Change
// sequences are random over few keys, so that they meet; all questions are asked after each batch.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toJsonText } from "@pawl/protocol/json-text";
import type { Change } from "@pawl/engine/changes";
import type { RetentionBound } from "@pawl/engine/commands";
import type { Found, Need } from "@pawl/engine/needs";
import type { CallState, Job, RunStatus, WaitKey } from "@pawl/engine/records";
import { metadataId } from "@pawl/engine/metadata-records";
import { shardOf } from "@pawl/engine/shard";
import { createMemoryStore } from "../memory-store.ts";
import { everyRun } from "../run-filter.ts";
import type { DueJob, ListQuery, RunFilter, Store } from "../store.ts";
import { olderThan, retainedKinds } from "../retained.ts";
import { messageSample } from "./batch-cases.ts";
import { Subject } from "./kit.ts";
import type { MakeStore } from "./kit.ts";
import {
  appSample,
  attemptSample,
  metadataSample,
  baseTime,
  bulkSample,
  callSample,
  deadlineSample,
  eventSample,
  hashSample,
  invokeSample,
  runSample,
  runtimeSample,
  scheduleSample,
  sleepSample,
  deferSample,
  stepSample,
  ulidSample,
  userSpanSample,
  waitJobSample,
  waitSample,
} from "./samples.ts";

const runNumbers = [0, 1, 2, 3, 4];
const eventNumbers = [0, 1, 2, 3];
const jobIds = [hashSample(1), hashSample(2), "step", `after:${hashSample(1)}`];
const eventNames = ["a", "b"];
const keys: readonly (WaitKey | null)[] = [
  null,
  { path: "data.x", hash: "00ff00ff00ff00ff" },
  { path: "data.x", hash: "not hex" },
  { path: "data.y", hash: "00ff00ff00ff00ff" },
];
const gates = ["g1", "g2"];
const statuses: readonly RunStatus[] = [
  "queued",
  "running",
  "completed",
  "failed",
  "cancelled",
  "skipped",
];

const onCancels = ["abandon", "cancel", "gone"] as const;

const run = fc.constantFrom(...runNumbers);
const runId = run.map(ulidSample);
const event = fc.constantFrom(...eventNumbers);
const jobId = fc.constantFrom(...jobIds);
const smallTime = fc.integer({ min: 0, max: 5 }).map((ms) => baseTime + ms);
const key = fc.constantFrom(...keys);
const realKey = fc.constantFrom(...keys.filter((key) => key !== null));

const keptPlaces = fc.option(
  fc.record(
    { epoch: fc.integer({ min: 1, max: 3 }), gates: fc.nat({ max: 4 }) },
    { noNullPrototype: true },
  ),
);

const callState: fc.Arbitrary<CallState> = fc.oneof(
  smallTime.map((dueAt) => ({ at: "delayed", dueAt }) as const),
  fc
    .tuple(fc.constantFrom(...gates), smallTime, keptPlaces)
    .map(([gate, since, kept]) => ({ at: "queued", gate, since, kept }) as const),
  fc
    .tuple(fc.integer({ min: 1, max: 3 }), smallTime)
    .map(([epoch, leaseUntil]) => ({ at: "leased", epoch, leaseUntil }) as const),
);

const jobPut = fc
  .tuple(
    runId,
    jobId,
    fc.constantFrom("call", "sleep", "wait", "invoke", "deadline"),
    smallTime,
    callState,
    fc.nat(3),
  )
  .map(([runId, id, kind, dueAt, state, n]): Change => {
    const isOdd = n % 2 === 1;
    const jobs: Readonly<Record<typeof kind, Job>> = {
      call: callSample(runId, {
        id,
        state,
        generation: n,
        again: isOdd,
        input: isOdd ? toJsonText([n]) : null,
      }),
      sleep: { ...sleepSample(runId, 1, dueAt), id, parallel: isOdd },
      deadline: { ...deadlineSample(runId, dueAt), id },
      wait: waitJobSample(runId, 1, { id, dueAt, race: isOdd }),
      invoke: invokeSample(runId, 1, { id, dueAt, childRunId: ulidSample(n) }),
    };
    return { type: "job.put", job: jobs[kind] };
  });

const runPut = fc
  .tuple(
    run,
    fc.constantFrom(...statuses),
    fc.uniqueArray(event, { minLength: 1, maxLength: 2 }),
    smallTime,
    fc.option(runId),
  )
  .map(([n, status, events, time, parentId]): Change => {
    const hasEnded = status !== "queued" && status !== "running";
    return {
      type: "run.put",
      run: runSample(n, {
        status,
        eventIds: events.map(ulidSample),
        endedAt: hasEnded ? time : null,
        functionId: `f${n % 2}`,
        appId: `a${time % 2}`,
        startedAt: status === "queued" ? null : time - 1,
        generation: time % 7,
        parent:
          parentId === null
            ? null
            : { runId: parentId, jobId: hashSample(1), onCancel: onCancels[time % 3] ?? "gone" },
        schedule: time % 2 === 0 ? null : { id: "runtime:s", line: "@every 1h" },
      }),
    };
  });

const eventPut = fc
  .tuple(
    event,
    fc.constantFrom(...eventNames),
    smallTime,
    fc.uniqueArray(realKey, { maxLength: 2 }),
    fc.json(),
  )
  .map(([n, name, receivedAt, keys, json]): Change => {
    const data = toJsonText(json);
    return { type: "event.put", event: eventSample(n, { name, receivedAt, data }), keys };
  });

const waitPut = fc.tuple(runId, jobId, fc.constantFrom(...eventNames), key).map(
  ([runId, jobId, event, key]): Change => ({
    type: "wait.put",
    wait: waitSample(runId, 1, { jobId, event, key }),
  }),
);

const partPut = fc
  .tuple(runId, fc.nat(2), fc.string())
  .map(([runId, n, text]): readonly Change[] => [
    { type: "step.put", runId, step: stepSample(n, { memo: toJsonText(text) }) },
    { type: "defer.put", runId, defer: deferSample(n, { input: toJsonText({ text }) }) },
    {
      type: "attempt.put",
      attempt: { ...attemptSample(runId, n), displayName: `d${text.length}` },
    },
    { type: "output.put", runId, output: toJsonText(text) },
    { type: "metadata.put", metadata: metadataSample(runId, n, { values: toJsonText({ text }) }) },
    { type: "metadata.delete", runId, place: metadataSample(runId, n) },
    {
      type: "userSpans.put",
      runId,
      spans: [userSpanSample(runId, n, { name: text, failed: n === 0 })],
    },
  ]);

const smallPut = fc
  .tuple(fc.constantFrom("x", "y"), runId, fc.nat(3))
  .map(([id, runId, n]): readonly Change[] => [
    { type: "idempotency.put", key: id, runId, expiresAt: n },
    { type: "mail.put", mailId: id, shard: n, message: messageSample(n) },
    { type: "app.put", app: appSample({ id, checksum: `${n}` }) },
    { type: "gate.put", gate: { kind: "rate", key: id, tat: n } },
    { type: "gate.put", gate: { kind: n === 0 ? "open" : "holder", key: `${id}${n}`, runId } },
    { type: "schedule.put", schedule: scheduleSample(id, { dueAt: baseTime + n }) },
    {
      type: "schedule.put",
      schedule: runtimeSample(`${id}${n}`, { dueAt: n === 0 ? null : baseTime + n }),
    },
    { type: "bulk.put", bulk: bulkSample(n, { cursor: id, done: n }) },
    { type: "waitPath.put", waitPath: { event: id, path: "p", since: n, waits: n % 2 === 0 } },
  ]);

const deletion: fc.Arbitrary<Change> = fc.oneof(
  runId.map((runId) => ({ type: "run.delete", runId }) as const),
  event.map((n) => ({ type: "event.delete", eventId: ulidSample(n) }) as const),
  fc.tuple(runId, jobId).map(([runId, jobId]) => ({ type: "job.delete", runId, jobId }) as const),
  fc.tuple(runId, jobId).map(([runId, jobId]) => ({ type: "wait.delete", runId, jobId }) as const),
  fc.constantFrom("x", "y").map((key) => ({ type: "idempotency.delete", key }) as const),
  fc.constantFrom("x", "y", "x1").map((key) => ({ type: "gate.delete", key }) as const),
  fc
    .constantFrom("x", "y", "x1")
    .map((scheduleId) => ({ type: "schedule.delete", scheduleId }) as const),
  fc.nat(2).map((n) => ({ type: "bulk.delete", bulkId: ulidSample(n) }) as const),
  fc.constantFrom("x", "y").map((mailId) => ({ type: "mail.delete", mailId }) as const),
  fc.constantFrom("x", "y").map((appId) => ({ type: "app.delete", appId }) as const),
);

const someChanges = fc.oneof(
  fc.oneof(jobPut, runPut, eventPut, waitPut, deletion).map((change) => [change]),
  fc.oneof(partPut, smallPut).chain((changes) => fc.subarray([...changes])),
);

/** A few batches of a few changes. */
export const batches: fc.Arbitrary<readonly (readonly Change[])[]> = fc.array(
  fc.array(someChanges, { maxLength: 12 }).map((parts) => parts.flat()),
  { minLength: 1, maxLength: 6 },
);

/** Age, count and bytes, each tight enough to matter. */
const tightBounds: readonly RetentionBound[] = retainedKinds.map((of, index) => ({
  of,
  before: baseTime + index,
  spareFrom: baseTime + 4,
  countMax: index % 2 === 0 ? 1 : null,
  bytesMax: index % 2 === 0 ? null : 300,
}));

const needs: readonly Need[] = [
  ...runNumbers.flatMap((n) => [
    { kind: "run", runId: ulidSample(n) } as const,
    { kind: "metadata", runId: ulidSample(n) } as const,
    { kind: "userSpans", runId: ulidSample(n) } as const,
  ]),
  ...eventNumbers.map((n) => ({ kind: "event", eventId: ulidSample(n) }) as const),
  ...["x", "y"].map((key) => ({ kind: "idempotency", key }) as const),
  ...eventNames.flatMap((event) => keys.flatMap((key) => needsUnder(event, key))),
  { kind: "expired", bounds: olderThan(baseTime + 3), limit: 2, limitBytes: 1e9 },
  { kind: "expired", bounds: olderThan(baseTime + 9), limit: 99, limitBytes: 1e9 },
  ...[1, 3, 99].map(
    (limit) => ({ kind: "expired", bounds: tightBounds, limit, limitBytes: 1e9 }) as const,
  ),
  { kind: "expiredKeys", at: baseTime + 3, limit: 1 },
  { kind: "expiredKeys", at: baseTime + 99, limit: 99 },
  ...["x", "y", "x0", "x1", "y2"].map((key) => ({ kind: "gate", key }) as const),
  ...["x", "y"].map((scheduleId) => ({ kind: "schedule", scheduleId }) as const),
  ...[0, 1, 2].map((n) => ({ kind: "bulk", bulkId: ulidSample(n) }) as const),
  { kind: "expiredRates", at: 1, limit: 1 },
  { kind: "expiredRates", at: 99, limit: 99 },
];

function needsUnder(event: string, key: WaitKey | null): readonly Need[] {
  const after = { runId: ulidSample(1), jobId: hashSample(2) };
  return [
    { kind: "waits", event, key, after: null, limit: 3 },
    { kind: "waits", event, key, after, limit: 99 },
    { kind: "pastEvents", event, key, from: baseTime + 1, to: baseTime + 4, limit: 2 },
    { kind: "pastEvents", event, key, from: 0, to: baseTime + 9, limit: 99 },
  ];
}

const runFilters: readonly RunFilter[] = [null, ["f0"]].flatMap((functionIds) =>
  [null, ["queued", "failed"] as const].flatMap((statuses) => [
    { ...everyRun, functionIds, statuses },
    { ...everyRun, functionIds, statuses, by: "startedAt", from: baseTime + 1 },
    { ...everyRun, functionIds, statuses, by: "endedAt", until: baseTime + 4, appIds: ["a0"] },
  ]),
);
const runPages = [
  { behind: { at: baseTime + 3, runId: ulidSample(3) }, oldestFirst: false, limit: 2 },
  { behind: null, oldestFirst: true, limit: 3 },
];

const listQueries: readonly ListQuery[] = [
  { type: "apps" },
  { type: "waitPaths" },
  { type: "queues", shards: null },
  { type: "beyond", bounds: tightBounds },
  { type: "schedules", prefix: "x", after: null, limit: 2 },
  { type: "schedules", prefix: "x", after: "x1", limit: 9 },
  { type: "scheduleCount", prefix: "y" },
  { type: "bulks" },
  { type: "unfinished", after: null, limit: 2 },
  { type: "unfinished", after: ulidSample(1), limit: 99 },
  ...[null, "a"].flatMap((name) =>
    [null, ulidSample(2)].map(
      (before) =>
        ({
          type: "events",
          name,
          before,
          receivedFrom: null,
          receivedUntil: baseTime + 4,
          limit: 3,
        }) as const,
    ),
  ),
  ...eventNumbers.map((n) => ({ type: "runsOfEvent", eventId: ulidSample(n), limit: 3 }) as const),
  ...runFilters.flatMap((filter) => [
    { type: "runCount", filter } as const,
    ...runPages.map((page) => ({ type: "runs", filter, ...page }) as const),
  ]),
  ...runNumbers.flatMap((n) => [
    { type: "attempts", runId: ulidSample(n) } as const,
    { type: "output", runId: ulidSample(n) } as const,
    { type: "userSpans", runId: ulidSample(n) } as const,
  ]),
];

/** Jobs and metadata within a run have no order; nor have timers of one run and one ms. */
function ordered(found: Found): Found {
  if ("metadata" in found) {
    const metadata = found.metadata.toSorted((a, b) => (metadataId(a) < metadataId(b) ? -1 : 1));
    return { ...found, metadata };
  }
  if (!("run" in found) || found.run === null) return found;
  const jobs = found.run.jobs.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return { ...found, run: { ...found.run, jobs } };
}

function orderedJobs(jobs: readonly DueJob[]): readonly DueJob[] {
  return jobs.toSorted(
    (a, b) => a.dueAt - b.dueAt || (`${a.runId}/${a.jobId}` < `${b.runId}/${b.jobId}` ? -1 : 1),
  );
}

/** The shard of one of the runs. */
const someShards = [shardOf(ulidSample(1))];

/** All answers of a store, as comparable data. */
async function answers(store: Store): Promise<unknown> {
  const lists: unknown[] = [];
  for (const query of listQueries) lists.push(await store.list(query));
  const { tables, kinds } = await store.list({ type: "sizes" });
  const timers = { kind: "timers", until: baseTime + 4, shards: null, limit: 99 } as const;
  const queues = await Promise.all(
    gates.map((gate) =>
      store.due({ kind: "queue", gate, shards: null, limit: 99 }).then(orderedJobs),
    ),
  );
  const first = await store.due({ ...timers, limit: 3 });
  return {
    needs: (await store.load(needs)).map(ordered),
    lists,
    tables: { ...tables },
    kinds,
    timers: orderedJobs(await store.due(timers)),
    firstTimers: first.map((job) => [job.dueAt, job.runId]),
    queues,
    lost: (await store.due({ kind: "lost", epoch: 3, shards: null, limit: 99 })).map(
      (job) => job.runId,
    ),
    schedules: await store.due({ kind: "schedules", until: baseTime + 2, shards: null, limit: 99 }),
    mail: await store.due({ kind: "mail", shards: null, limit: 99 }),
    some: [
      orderedJobs(await store.due({ ...timers, shards: someShards })),
      await store.due({ kind: "lost", epoch: 3, shards: someShards, limit: 99 }),
      await store.due({ kind: "mail", shards: [0, 2], limit: 99 }),
      await store.list({ type: "queues", shards: someShards }),
    ],
  };
}

/** Registers the test. `numRuns`: how many sequences are tried. */
export function modelCases(make: MakeStore, numRuns: number): void {
  test("gives the same answers as the memory store after any changes", async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (batches) => {
        const made = await make();
        try {
          const subject = new Subject(made, await made.store.open());
          const model = createMemoryStore();
          const fence = await model.open();
          for (const batch of batches) {
            await subject.commit(...batch);
            await model.commit(batch, fence);
            assert.deepEqual(await answers(subject.store), await answers(model));
          }
          await subject.reopen();
          assert.deepEqual(await answers(subject.store), await answers(model));
        } finally {
          await made.cleanup();
        }
      }),
      { numRuns },
    );
  });
}
