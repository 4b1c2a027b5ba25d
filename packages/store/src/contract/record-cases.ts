// Contract: every change type is written, read back unchanged, replaced and deleted.
import assert from "node:assert/strict";
import { userSpanBytes } from "@pawl/engine/user-spans";
import { toJsonText } from "@pawl/protocol/json-text";
import type { DeferRecord } from "@pawl/engine/defer-records";
import type { GateRecord, Job, RunRecord } from "@pawl/engine/records";
import type { BulkRecord } from "@pawl/engine/bulk-records";
import { olderThan } from "../retained.ts";
import { metadataId, type MetadataRecord } from "@pawl/engine/metadata-records";
import { storeTest } from "./kit.ts";
import type { MakeStore, Subject } from "./kit.ts";
import {
  appSample,
  attemptSample,
  metadataSample,
  baseTime,
  bulkSample,
  callSample,
  deadlineSample,
  deferSample,
  eventSample,
  hashSample,
  invokeSample,
  runSample,
  signalSample,
  sleepSample,
  stepSample,
  ulidSample,
  userSpanSample,
  waitJobSample,
  waitManySample,
  waitSample,
} from "./samples.ts";

const runId = ulidSample(1);

/** Jobs of every kind and state, one of each. */
const jobSamples: readonly Job[] = [
  deadlineSample(runId, baseTime + 8),
  callSample(runId),
  callSample(runId, {
    id: hashSample(1),
    target: hashSample(1),
    generation: 3,
    attempt: 2,
    again: true,
    parallel: true,
    state: { at: "queued", gate: "app:shop", since: baseTime + 7, kept: null },
  }),
  callSample(runId, {
    id: `after:${hashSample(1)}`,
    state: { at: "queued", gate: "fn:f", since: baseTime + 8, kept: { epoch: 3, gates: 2 } },
  }),
  callSample(runId, {
    id: `after:${hashSample(2)}`,
    race: true,
    input: toJsonText(["a", 1]),
    state: { at: "leased", epoch: 1, leaseUntil: baseTime + 9 },
  }),
  callSample(runId, {
    id: hashSample(10),
    target: hashSample(10),
    gateway: {
      kind: "infer",
      request: toJsonText({ url: "http://a", headers: { key: "sek ret" } }),
    },
  }),
  sleepSample(runId, 3, baseTime + 30),
  waitJobSample(runId, 4),
  waitJobSample(runId, 5, { expression: null, userId: null, stepType: "step.waitForEvent" }),
  invokeSample(runId, 6),
  waitManySample(runId, 7),
  waitManySample(runId, 8, { mode: "any", branches: [] }),
  signalSample(runId, 9, "ü/approved"),
];

function byId(jobs: readonly Job[]): readonly Job[] {
  return jobs.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** Registers the tests. */
export function recordCases(make: MakeStore): void {
  appAndEventCases(make);
  bulkCases(make);
  runCases(make);
  partCases(make);
  keyCases(make);
}

function appAndEventCases(make: MakeStore): void {
  storeTest(make, "an app is put, replaced and deleted", async (subject) => {
    const other = appSample({ id: "zz", error: "unreachable", functions: [], framework: null });
    await subject.commit({ type: "app.put", app: appSample() }, { type: "app.put", app: other });
    assert.deepEqual(await subject.store.list({ type: "apps" }), [appSample(), other]);
    const changed = appSample({ checksum: "new", platform: "vercel" });
    await subject.commit({ type: "app.put", app: changed }, { type: "app.delete", appId: "zz" });
    assert.deepEqual(await subject.store.list({ type: "apps" }), [changed]);
  });

  storeTest(make, "an event is put, replaced and deleted", async (subject) => {
    const full = eventSample(1, {
      externalId: "ext-1",
      user: toJsonText({ email: "a@b.c" }),
      version: "2026-01-01",
      meta: toJsonText({ traceparent: "00-1" }),
    });
    const need = { kind: "event", eventId: full.id } as const;
    assert.equal((await subject.find(need)).exists, false);
    await subject.commit({ type: "event.put", event: full, keys: [] });
    assert.equal((await subject.find(need)).exists, true);
    assert.deepEqual(await subject.store.list({ type: "event", eventId: full.id }), full);
    const changed = eventSample(1, { name: "other" });
    await subject.commit({ type: "event.put", event: changed, keys: [] });
    assert.deepEqual(await subject.store.list({ type: "event", eventId: full.id }), changed);
    await subject.commit({ type: "event.delete", eventId: full.id });
    assert.equal((await subject.find(need)).exists, false);
    assert.equal(await subject.store.list({ type: "event", eventId: full.id }), null);
  });

  storeTest(make, "deleting what is not there is no error", async (subject) => {
    await subject.commit(
      { type: "app.delete", appId: "none" },
      { type: "event.delete", eventId: "none" },
      { type: "run.delete", runId },
      { type: "job.delete", runId, jobId: "step" },
      { type: "wait.delete", runId, jobId: hashSample(1) },
      { type: "idempotency.delete", key: "none" },
      { type: "bulk.delete", bulkId: "none" },
      { type: "mail.delete", mailId: "none" },
    );
    assert.equal((await subject.find({ kind: "run", runId })).run, null);
  });
}

function bulkCases(make: MakeStore): void {
  storeTest(
    make,
    "a bulk action is put, replaced, listed newest first and deleted",
    async (subject) => {
      const [older, newer] = [bulkSample(1), bulkSample(2, { kind: "rerun" })];
      const put = (bulk: BulkRecord) => ({ type: "bulk.put", bulk }) as const;
      const list = (): Promise<readonly BulkRecord[]> => subject.store.list({ type: "bulks" });
      await subject.commit(put(older), put(newer));
      assert.deepEqual(await list(), [newer, older]);
      const selection = { ...older.selection, appIds: ["ü"], expression: 'event.data.x == "é"' };
      const changed = bulkSample(1, {
        selection,
        state: "stopped",
        endedAt: baseTime + 9,
        cursor: ulidSample(4),
        underWay: [ulidSample(3), ulidSample(4)],
        examined: 9,
        matched: 4,
        done: 2,
        failed: 1,
        problem: "Run 4 has ended",
      });
      await subject.commit(put(changed), { type: "bulk.delete", bulkId: newer.id });
      assert.deepEqual(await list(), [changed]);
      assert.deepEqual((await subject.find({ kind: "bulk", bulkId: older.id })).bulk, changed);
      assert.equal((await subject.find({ kind: "bulk", bulkId: newer.id })).bulk, null);
    },
  );
}

function runCases(make: MakeStore): void {
  storeTest(make, "a run goes through its life", async (subject) => {
    const events = [eventSample(1), eventSample(2)];
    const life: readonly RunRecord[] = [
      runSample(1, { eventIds: [ulidSample(2), ulidSample(1)] }),
      runSample(1, {
        eventIds: [ulidSample(2), ulidSample(1)],
        status: "running",
        startedAt: baseTime + 5,
        requestVersion: 2,
        forcePlan: true,
        generation: 4,
        idleDiscoveries: 1,
        parent: { runId: ulidSample(9), jobId: hashSample(9), onCancel: "cancel" },
        originalRunId: ulidSample(8),
      }),
      runSample(1, {
        eventIds: [ulidSample(2), ulidSample(1)],
        status: "cancelled",
        endedAt: baseTime + 50,
        endReason: "by hand",
        coParents: [{ runId: ulidSample(7), jobId: "a", onCancel: "gone" }],
        gates: ["c:fn:f:ü:1", "c:env:all:2:3"],
        holds: ["s:f", "cancel:0"],
        priorityMs: -600_000,
        batchId: ulidSample(6),
      }),
    ];
    await subject.commit(
      ...events.map((event) => ({ type: "event.put", event, keys: [] }) as const),
    );
    for (const run of life) {
      await subject.commit({ type: "run.put", run });
      const { run: stored } = await subject.find({ kind: "run", runId });
      assert.deepEqual(stored, {
        run,
        jobs: [],
        steps: [],
        defers: [],
        events: events.toReversed(),
      });
    }
  });

  storeTest(make, "a run that has not begun takes other events", async (subject) => {
    await subject.commit(
      ...[1, 2, 3].map((n) => ({ type: "event.put", event: eventSample(n), keys: [] }) as const),
    );
    for (const events of [[1], [1, 2], [3], [2, 3], [1, 2, 3]]) {
      const run = runSample(1, { eventIds: events.map(ulidSample), holds: ["b:f"] });
      await subject.commit({ type: "run.put", run });
      const { run: stored } = await subject.find({ kind: "run", runId });
      assert.deepEqual(stored, {
        run,
        jobs: [],
        steps: [],
        defers: [],
        events: events.map((n) => eventSample(n)),
      });
      for (const n of [1, 2, 3]) {
        const query = { type: "runsOfEvent", eventId: ulidSample(n), limit: 9 } as const;
        assert.equal((await subject.store.list(query)).length, events.includes(n) ? 1 : 0);
      }
      const free = [1, 2, 3].filter((n) => !events.includes(n)).map(ulidSample);
      const { eventIds } = await subject.find({
        kind: "expired",
        bounds: olderThan(baseTime + 9),
        limit: 9,
        limitBytes: 1e9,
      });
      assert.deepEqual(eventIds, free);
    }
  });

  storeTest(make, "a run without its events, or with none of its parts, loads", async (subject) => {
    await subject.commit({ type: "run.put", run: runSample(1) });
    const { run } = await subject.find({ kind: "run", runId });
    assert.deepEqual(run, { run: runSample(1), jobs: [], steps: [], defers: [], events: [] });
  });

  storeTest(make, "deleting a run takes all its parts, and nothing of others", async (subject) => {
    const other = ulidSample(2);
    for (const [n, id] of [runId, other].entries()) {
      await subject.commit(
        { type: "run.put", run: runSample(n + 1, { eventIds: [ulidSample(5)] }) },
        { type: "output.put", runId: id, output: toJsonText({ data: 1 }) },
        { type: "step.put", runId: id, step: stepSample(0) },
        { type: "attempt.put", attempt: attemptSample(id, 0) },
        { type: "metadata.put", metadata: metadataSample(id, 1) },
        { type: "userSpans.put", runId: id, spans: [userSpanSample(id, 0)] },
        { type: "job.put", job: callSample(id) },
        { type: "wait.put", wait: waitSample(id, 1) },
      );
    }
    await subject.commit({ type: "run.delete", runId });
    assert.equal((await subject.find({ kind: "run", runId })).run, null);
    assert.equal(await subject.store.list({ type: "output", runId }), null);
    assert.deepEqual(await subject.store.list({ type: "attempts", runId }), []);
    assert.deepEqual(await noted(subject, runId), []);
    assert.deepEqual(await noted(subject, other), [metadataSample(other, 1)]);
    assert.deepEqual(await subject.store.list({ type: "userSpans", runId }), []);
    assert.equal((await subject.find({ kind: "userSpans", runId })).tally.bytes, 0);
    const { run } = await subject.find({ kind: "run", runId: other });
    assert.deepEqual(run?.steps, [stepSample(0)]);
    assert.deepEqual(run?.jobs, [callSample(other)]);
    const timers = await subject.store.due({
      kind: "timers",
      until: baseTime,
      shards: null,
      limit: 9,
    });
    assert.deepEqual(
      timers.map((job) => job.runId),
      [other],
    );
    const { event, key } = waitSample(other, 1);
    const { waits } = await subject.find({ kind: "waits", event, key, after: null, limit: 9 });
    assert.deepEqual(waits, [waitSample(other, 1)]);
    const ofEvent = await subject.store.list({
      type: "runsOfEvent",
      eventId: ulidSample(5),
      limit: 9,
    });
    assert.deepEqual(
      ofEvent.map((run) => run.id),
      [other],
    );
  });
}

function partCases(make: MakeStore): void {
  storeTest(make, "jobs of every kind and state come back as they were", async (subject) => {
    await subject.commit(
      { type: "run.put", run: runSample(1) },
      ...jobSamples.map((job) => ({ type: "job.put", job }) as const),
    );
    const { run } = await subject.find({ kind: "run", runId });
    assert.deepEqual(byId(run?.jobs ?? []), byId(jobSamples));
    const [first] = jobSamples;
    assert.ok(first !== undefined);
    await subject.commit({ type: "job.delete", runId, jobId: first.id });
    const { run: after } = await subject.find({ kind: "run", runId });
    assert.deepEqual(byId(after?.jobs ?? []), byId(jobSamples.slice(1)));
  });

  storeTest(make, "steps come in order of completion, whatever their ids", async (subject) => {
    const steps = [7, 3, 5].map((hash, seq) => stepSample(seq, { id: hashSample(hash) }));
    const failed = stepSample(3, {
      op: "invoke",
      id: "not-a-hash",
      status: "failed",
      attempts: 4,
      stepType: null,
      userId: null,
      userIndex: 2,
      opts: toJsonText({ input: [1] }),
    });
    const all = [...steps, failed];
    await subject.commit(
      { type: "run.put", run: runSample(1) },
      ...all.toReversed().map((step) => ({ type: "step.put", runId, step }) as const),
    );
    assert.deepEqual((await subject.find({ kind: "run", runId })).run?.steps, all);
    const rewritten = { ...failed, attempts: 5 };
    await subject.commit({ type: "step.put", runId, step: rewritten });
    assert.deepEqual((await subject.find({ kind: "run", runId })).run?.steps, [
      ...steps,
      rewritten,
    ]);
  });

  storeTest(make, "metadata: one entry for each subject and kind", async (subject) => {
    const step = { scope: "step_attempt", stepId: hashSample(1), attempt: 0 } as const;
    const entries = [
      metadataSample(runId, 0),
      metadataSample(runId, 0, { kind: "inngest.score" }),
      metadataSample(runId, 1),
      metadataSample(runId, 1, { stepId: "not-a-hash" }),
      metadataSample(runId, 1, step),
      metadataSample(runId, 1, { ...step, attempt: 1 }),
      metadataSample(runId, 1, { ...step, scope: "extended_trace", spanId: "00f067aa0ba902b7" }),
      metadataSample(runId, 0, { scope: "extended_trace", spanId: "00f067aa0ba902b7" }),
    ];
    await subject.commit(
      { type: "run.put", run: runSample(1) },
      ...entries.map((metadata) => ({ type: "metadata.put", metadata }) as const),
    );
    assert.deepEqual(await noted(subject, runId), inOrder(entries));
    const [first, ...rest] = entries;
    const last = entries.at(-1);
    assert.ok(first !== undefined && last !== undefined);
    const changed = { ...first, values: toJsonText({ "ü \u{1F600}": [1, null] }), updatedAt: 7 };
    await subject.commit(
      { type: "metadata.put", metadata: changed },
      { type: "metadata.delete", runId, place: last },
      { type: "metadata.delete", runId, place: { ...last, kind: "absent" } },
      { type: "metadata.delete", runId: ulidSample(9), place: last },
    );
    await subject.reopen();
    assert.deepEqual(await noted(subject, runId), inOrder([changed, ...rest.slice(0, -1)]));
    assert.deepEqual(await noted(subject, ulidSample(9)), []);
  });

  storeTest(make, "deferred functions come in order of arrival", async (subject) => {
    const defers = [7, 3, 5].map((hash, seq) => deferSample(seq, { id: hashSample(hash) }));
    const odd = deferSample(3, {
      id: "not-a-hash",
      userId: null,
      status: "rejected",
      input: toJsonText({ ü: "\u{1F600}" }),
      meta: toJsonText({ sessions: { s: "ä" } }),
      reason: 'too "large"',
    });
    const put = (...all: readonly DeferRecord[]) =>
      all.map((defer) => ({ type: "defer.put", runId, defer }) as const);
    const find = async () => (await subject.find({ kind: "run", runId })).run?.defers;
    await subject.commit(
      { type: "run.put", run: runSample(1) },
      ...put(odd, ...defers.toReversed()),
    );
    assert.deepEqual(await find(), [...defers, odd]);
    const sent = deferSample(1, { id: hashSample(3), status: "sent", eventId: ulidSample(9) });
    await subject.commit(...put(sent));
    assert.deepEqual(await find(), [defers[0], sent, defers[2], odd]);
    await subject.commit({ type: "run.delete", runId });
    await subject.commit({ type: "run.put", run: runSample(1) });
    assert.deepEqual(await find(), [], "they go with their run");
  });

  storeTest(make, "spans come in order of their beginning, once each", async (subject) => {
    const spans = [
      userSpanSample(runId, 3, { startedUs: baseTime * 1_000 + 1, parentId: "b".repeat(16) }),
      userSpanSample(runId, 1, { call: null, kind: "client", failed: true, name: "ü\u{1F600}" }),
      userSpanSample(runId, 2, { stepId: hashSample(1), stepSpanId: "c".repeat(16), attempt: 2 }),
    ];
    const [first, second, third] = spans;
    assert.ok(first && second && third);
    await subject.commit({ type: "userSpans.put", runId, spans: [third, first] });
    const again = { ...first, name: "again" };
    await subject.commit({ type: "userSpans.put", runId, spans: [again, second] });
    const listed = await subject.store.list({ type: "userSpans", runId });
    assert.deepEqual(
      listed,
      spans.toSorted((a, b) => a.startedUs - b.startedUs || (a.id < b.id ? -1 : 1)),
    );
    const { tally } = await subject.find({ kind: "userSpans", runId });
    assert.deepEqual(tally.ids, new Set(spans.map(({ id }) => id)));
    assert.equal(
      tally.bytes,
      spans.reduce((sum, span) => sum + userSpanBytes(span), 0),
    );
  });

  storeTest(make, "attempts come oldest first; the output of a run comes back", async (subject) => {
    const attempts = [0, 1].map((attempt) => attemptSample(runId, attempt));
    const sameMs = { ...attemptSample(runId, 0), stepId: hashSample(1) };
    await subject.commit(
      ...[...attempts.toReversed(), sameMs].map(
        (attempt) => ({ type: "attempt.put", attempt }) as const,
      ),
      { type: "output.put", runId, output: toJsonText({ error: { name: "E" } }) },
    );
    const [first, second] = attempts;
    assert.deepEqual(await subject.store.list({ type: "attempts", runId }), [
      sameMs,
      first,
      second,
    ]);
    assert.equal(await subject.store.list({ type: "output", runId }), '{"error":{"name":"E"}}');
    assert.equal(await subject.store.list({ type: "output", runId: ulidSample(2) }), null);
  });
}

function keyCases(make: MakeStore): void {
  storeTest(
    make,
    "an idempotency key tells run and expiry until it is deleted",
    async (subject) => {
      const need = { kind: "idempotency", key: "fn:ü key" } as const;
      assert.deepEqual(await subject.find(need), { need, runId: null, expiresAt: 0 });
      await subject.commit({ type: "idempotency.put", key: need.key, runId, expiresAt: baseTime });
      assert.deepEqual(await subject.find(need), { need, runId, expiresAt: baseTime });
      const later = {
        type: "idempotency.put",
        key: need.key,
        runId: ulidSample(2),
        expiresAt: baseTime + 1,
      } as const;
      await subject.commit(later);
      assert.deepEqual(await subject.find(need), {
        need,
        runId: ulidSample(2),
        expiresAt: baseTime + 1,
      });
      await subject.commit({ type: "idempotency.delete", key: need.key });
      assert.deepEqual(await subject.find(need), { need, runId: null, expiresAt: 0 });
    },
  );

  storeTest(make, "idempotency keys that are over are found, the oldest first", async (subject) => {
    const ends = [5, 3, 9, 3];
    const put = (expiresAt: number, n: number) =>
      ({ type: "idempotency.put", key: `k${n}`, runId, expiresAt }) as const;
    await subject.commit(...ends.map(put));
    const over = async (at: number, limit = 9): Promise<readonly string[]> =>
      (await subject.find({ kind: "expiredKeys", at, limit })).keys;
    assert.deepEqual(await over(2), []);
    assert.deepEqual(await over(5), ["k1", "k3", "k0"]);
    assert.deepEqual(await over(5, 1), ["k1"]);
    await subject.commit({ type: "idempotency.delete", key: "k3" }, put(99, 1));
    assert.deepEqual(await over(9), ["k0", "k2"]);
  });

  storeTest(make, "what flow control remembers comes back until it is deleted", async (subject) => {
    const gates: readonly GateRecord[] = [
      { kind: "rate", key: "t:ü", tat: baseTime + 1 / 3 },
      { kind: "rate", key: "r:f", tat: baseTime },
      { kind: "open", key: "b:f", runId },
      { kind: "holder", key: "s:f", runId: ulidSample(2) },
      { kind: "signal", key: "signal:ü", runId: ulidSample(3), jobId: hashSample(4) },
    ];
    await subject.commit(...gates.map((gate) => ({ type: "gate.put", gate }) as const));
    for (const gate of gates) {
      const need = { kind: "gate", key: gate.key } as const;
      assert.deepEqual(await subject.find(need), { need, gate });
    }
    const over = async (at: number, limit = 9): Promise<readonly string[]> =>
      (await subject.find({ kind: "expiredRates", at, limit })).keys;
    assert.deepEqual(await over(baseTime), ["r:f"]);
    assert.deepEqual(await over(baseTime + 1), ["r:f", "t:ü"]);
    assert.deepEqual(await over(baseTime + 1, 1), ["r:f"]);
    await subject.commit(
      { type: "gate.put", gate: { kind: "holder", key: "b:f", runId } },
      { type: "gate.put", gate: { kind: "rate", key: "r:f", tat: baseTime + 9 } },
      { type: "gate.delete", key: "t:ü" },
    );
    const need = { kind: "gate", key: "b:f" } as const;
    assert.deepEqual(await subject.find(need), {
      need,
      gate: { kind: "holder", key: "b:f", runId },
    });
    assert.deepEqual(await over(baseTime + 1), []);
    await subject.commit({ type: "gate.delete", key: "b:f" });
    assert.equal((await subject.find(need)).gate, null);
  });

  storeTest(make, "wait paths are kept by event and path", async (subject) => {
    const paths = [
      { event: "a", path: "", since: 3, waits: true },
      { event: "a", path: "data.id", since: 1, waits: false },
      { event: "b", path: "data.id", since: 2, waits: true },
    ];
    await subject.commit(...paths.map((waitPath) => ({ type: "waitPath.put", waitPath }) as const));
    assert.deepEqual(await subject.store.list({ type: "waitPaths" }), paths);
    await subject.commit({
      type: "waitPath.put",
      waitPath: { event: "a", path: "", since: 9, waits: true },
    });
    const [, ...others] = paths;
    assert.deepEqual(await subject.store.list({ type: "waitPaths" }), [
      { event: "a", path: "", since: 9, waits: true },
      ...others,
    ]);
  });
}

async function noted(subject: Subject, of: string): Promise<readonly MetadataRecord[]> {
  return inOrder((await subject.find({ kind: "metadata", runId: of })).metadata);
}

function inOrder(records: readonly MetadataRecord[]): readonly MetadataRecord[] {
  return records.toSorted((a, b) => (metadataId(a) < metadataId(b) ? -1 : 1));
}
