// Contract: a batch is one thing: in order, all or none, of any size, by its owner only.
import assert from "node:assert/strict";
import { toJsonText } from "@pawl/protocol/json-text";
import type { JsonText } from "@pawl/protocol/json-text";
import type { Change } from "@pawl/engine/changes";
import { olderThan } from "../retained.ts";
import { hasCode, storeTest } from "./kit.ts";
import type { MakeStore } from "./kit.ts";
import {
  baseTime,
  callSample,
  eventSample,
  hashSample,
  runSample,
  sleepSample,
  deferSample,
  stepSample,
  ulidSample,
  waitSample,
} from "./samples.ts";

const runId = ulidSample(1);

/** Registers the tests. */
export function batchCases(make: MakeStore): void {
  orderCases(make);
  payloadCases(make);
  ownershipCases(make);
  lifeCases(make);
}

function orderCases(make: MakeStore): void {
  storeTest(make, "later writes to a key win within a batch", async (subject) => {
    await subject.commit(
      { type: "run.put", run: runSample(1) },
      { type: "job.put", job: callSample(runId, { attempt: 1 }) },
      { type: "job.put", job: callSample(runId, { attempt: 2 }) },
      { type: "job.put", job: sleepSample(runId, 1, baseTime) },
      { type: "job.delete", runId, jobId: hashSample(1) },
      { type: "job.delete", runId, jobId: hashSample(2) },
      { type: "job.put", job: sleepSample(runId, 2, baseTime) },
      { type: "run.put", run: runSample(1, { status: "running" }) },
      { type: "idempotency.put", key: "k", runId, expiresAt: 1 },
      { type: "idempotency.delete", key: "k" },
      { type: "mail.put", mailId: "m", shard: 3, message: messageSample(1) },
      { type: "mail.delete", mailId: "m" },
    );
    const { run } = await subject.find({ kind: "run", runId });
    assert.equal(run?.run.status, "running");
    assert.deepEqual(
      Object.fromEntries(
        run?.jobs.map((job) => [job.id, job.kind === "call" ? job.attempt : 0]) ?? [],
      ),
      { [hashSample(2)]: 0, step: 2 },
    );
    assert.equal((await subject.find({ kind: "idempotency", key: "k" })).runId, null);
    assert.deepEqual(await subject.store.due({ kind: "mail", shards: null, limit: 9 }), []);
  });

  storeTest(make, "a deleted run stays deleted but for what is written behind", async (subject) => {
    await subject.commit(
      { type: "run.put", run: runSample(1, { status: "failed", endedAt: baseTime }) },
      { type: "step.put", runId, step: stepSample(0) },
      { type: "wait.put", wait: waitSample(runId, 1) },
    );
    await subject.commit(
      { type: "step.put", runId, step: stepSample(1) },
      { type: "run.delete", runId },
      { type: "run.put", run: runSample(1, { eventIds: [ulidSample(3)] }) },
      { type: "step.put", runId, step: stepSample(2) },
    );
    const { run } = await subject.find({ kind: "run", runId });
    assert.deepEqual(run?.run, runSample(1, { eventIds: [ulidSample(3)] }));
    assert.deepEqual(run?.steps, [stepSample(2)]);
    const { runIds } = await subject.find({
      kind: "expired",
      bounds: olderThan(baseTime + 9),
      limit: 9,
      limitBytes: 1e9,
    });
    assert.deepEqual(runIds, []);
  });

  storeTest(make, "a batch of 5,000 changes is one batch", async (subject) => {
    const changes: Change[] = [];
    for (let n = 0; n < 1_250; n++) {
      changes.push(
        { type: "event.put", event: eventSample(n), keys: [] },
        { type: "run.put", run: runSample(n) },
        { type: "job.put", job: callSample(ulidSample(n)) },
        { type: "step.put", runId: ulidSample(n), step: stepSample(0) },
      );
    }
    await subject.commit(...changes);
    const { tables } = await subject.store.list({ type: "sizes" });
    assert.deepEqual(
      [tables["events"], tables["runs"], tables["jobs"], tables["steps"]],
      [1250, 1250, 1250, 1250],
    );
  });

  storeTest(make, "an empty batch is written", async (subject) => {
    await subject.commit();
    assert.deepEqual(await subject.store.load([]), []);
  });
}

/** Texts that a careless store would change on the way. */
const awkwardTexts: readonly JsonText[] = [
  '{"n":12345678901234567890.10,"e":1e400}',
  '{ "spaced" : [ 1 ,2 ] , "spaced": 2 }',
  '{"escapes":"\\u0000\\ud83d\\ude00\\ud800 \\/"}',
  '{"emoji":"😀 ünïcödé 漢字 \u2028 e\u0301"}',
  '"\u007f \ufeff \uffff"',
  "-0.0",
].map((text) => text as JsonText); // proof: each is one JSON value

function payloadCases(make: MakeStore): void {
  storeTest(make, "payloads come back byte for byte", async (subject) => {
    for (const [n, text] of awkwardTexts.entries()) {
      const id = ulidSample(n);
      const event = eventSample(n, {
        data: text,
        user: text,
        meta: text,
        name: "näme/😀",
        externalId: "é\u0000é",
      });
      const step = stepSample(0, { memo: text, opts: text, displayName: "Schritt ä 😀" });
      await subject.commit(
        { type: "event.put", event, keys: [] },
        { type: "run.put", run: runSample(n) },
        { type: "step.put", runId: id, step },
        { type: "output.put", runId: id, output: text },
      );
      const { run } = await subject.find({ kind: "run", runId: id });
      assert.deepEqual(run?.steps, [step]);
      assert.deepEqual(run?.events, [event]);
      assert.equal(await subject.store.list({ type: "output", runId: id }), text);
    }
  });

  storeTest(make, "large payloads come back byte for byte", async (subject) => {
    const large = toJsonText("0123456789äöü😀".repeat(200_000));
    const step = stepSample(0, { memo: large });
    await subject.commit(
      { type: "event.put", event: eventSample(1, { data: large }), keys: [] },
      { type: "run.put", run: runSample(1) },
      { type: "step.put", runId, step },
    );
    const { run } = await subject.find({ kind: "run", runId });
    assert.ok(run?.events[0]?.data === large && run.steps[0]?.memo === large);
  });
}

function ownershipCases(make: MakeStore): void {
  storeTest(
    make,
    "each owner has a later epoch, and the one before cannot write",
    async (subject) => {
      const first = subject.fence;
      await subject.reopen();
      assert.ok(subject.fence.epoch > first.epoch);
      await assert.rejects(
        subject.store.commit([{ type: "run.put", run: runSample(1) }], first),
        hasCode("store_fenced"),
      );
      assert.equal((await subject.find({ kind: "run", runId })).run, null);
      await subject.commit({ type: "run.put", run: runSample(1) });
      assert.notEqual((await subject.find({ kind: "run", runId })).run, null);
    },
  );

  storeTest(make, "everything is there after reopening", async (subject) => {
    await subject.commit(
      { type: "event.put", event: eventSample(1), keys: [{ path: "data.id", hash: "aa" }] },
      { type: "run.put", run: runSample(1) },
      { type: "job.put", job: callSample(runId) },
      { type: "defer.put", runId, defer: deferSample(0) },
      { type: "step.put", runId, step: stepSample(0) },
      { type: "wait.put", wait: waitSample(runId, 1) },
      { type: "mail.put", mailId: "m1", shard: 3, message: messageSample(1) },
      { type: "idempotency.put", key: "k", runId, expiresAt: 5 },
    );
    const sizes = await subject.store.list({ type: "sizes" });
    await subject.reopen();
    assert.deepEqual((await subject.store.list({ type: "sizes" })).tables, sizes.tables);
    assert.deepEqual((await subject.find({ kind: "run", runId })).run, {
      run: runSample(1),
      jobs: [callSample(runId)],
      steps: [stepSample(0)],
      defers: [deferSample(0)],
      events: [eventSample(1)],
    });
  });
}

function lifeCases(make: MakeStore): void {
  storeTest(make, "listeners hear of a commit after it, until they stop", async (subject) => {
    const heard: (readonly Change[])[] = [];
    const stop = subject.store.watch((changes) => heard.push(changes));
    const change = { type: "run.put", run: runSample(1) } as const;
    await subject.commit(change);
    assert.deepEqual(heard, [[change]]);
    await assert.rejects(subject.store.commit([change], { epoch: 0 }), hasCode("store_fenced"));
    assert.equal(heard.length, 1);
    stop();
    stop();
    await subject.commit(change);
    assert.equal(heard.length, 1);
  });

  storeTest(
    make,
    "a closed store answers store_closed, and closes again without harm",
    async (subject) => {
      const { store, fence } = subject;
      await store.close();
      await store.close();
      const closed = hasCode("store_closed");
      await assert.rejects(store.commit([], fence), closed);
      await assert.rejects(store.load([]), closed);
      await assert.rejects(store.due({ kind: "mail", shards: null, limit: 1 }), closed);
      await assert.rejects(store.list({ type: "apps" }), closed);
    },
  );

  storeTest(make, "closing waits for the commit that is under way", async (subject) => {
    const { store } = subject;
    const committed = subject.commit({ type: "run.put", run: runSample(1) });
    await Promise.all([committed, store.close()]);
    await subject.reopen();
    assert.notEqual((await subject.find({ kind: "run", runId })).run, null);
  });

  storeTest(make, "opening an open store is refused and harms nothing", async (subject) => {
    await assert.rejects(subject.store.open(), hasCode("store_failed"));
    await subject.commit({ type: "run.put", run: runSample(1) });
  });
}

/** A message for the mail. */
export function messageSample(n: number): Extract<Change, { type: "mail.put" }>["message"] {
  return {
    type: "run.cancelled",
    at: baseTime + n,
    seed: [1, 2, 3, n],
    runId,
    reason: `because ${n} ü`,
  };
}
