// Contract: what is waiting to be done comes in its order and up to the limit.
import assert from "node:assert/strict";
import { appsShard, shardCount, shardOf } from "@pawl/engine/shard";
import { messageSample } from "./batch-cases.ts";
import { storeTest } from "./kit.ts";
import type { MakeStore } from "./kit.ts";
import {
  baseTime,
  callSample,
  hashSample,
  invokeSample,
  runtimeSample,
  scheduleSample,
  sleepSample,
  ulidSample,
  waitJobSample,
} from "./samples.ts";

function leased(n: number, epoch: number) {
  const state = { at: "leased", epoch, leaseUntil: baseTime + 10 - n } as const;
  return { type: "job.put", job: callSample(ulidSample(n), { generation: n, state }) } as const;
}

function queued(n: number, gate: string, since: number) {
  const state = { at: "queued", gate, since: baseTime + since, kept: null } as const;
  return { type: "job.put", job: callSample(ulidSample(n), { generation: n, state }) } as const;
}

/** Registers the tests. */
export function dueCases(make: MakeStore): void {
  storeTest(
    make,
    "timers: all kinds, earliest first, up to the time and the limit",
    async (subject) => {
      const jobs = [
        sleepSample(ulidSample(5), 1, baseTime + 50),
        waitJobSample(ulidSample(4), 1, { dueAt: baseTime + 40 }),
        invokeSample(ulidSample(3), 1, { dueAt: baseTime + 30 }),
        callSample(ulidSample(2), {
          generation: 6,
          state: { at: "delayed", dueAt: baseTime + 20 },
        }),
        sleepSample(ulidSample(1), 1, baseTime + 20),
      ];
      await subject.commit(
        ...jobs.map((job) => ({ type: "job.put", job }) as const),
        queued(8, "g", 0),
        leased(9, 1),
      );
      const timers = await subject.store.due({
        kind: "timers",
        until: baseTime + 40,
        shards: null,
        limit: 9,
      });
      assert.deepEqual(timers, [
        { runId: ulidSample(1), jobId: hashSample(1), dueAt: baseTime + 20, generation: 0 },
        { runId: ulidSample(2), jobId: "step", dueAt: baseTime + 20, generation: 6 },
        { runId: ulidSample(3), jobId: hashSample(1), dueAt: baseTime + 30, generation: 0 },
        { runId: ulidSample(4), jobId: hashSample(1), dueAt: baseTime + 40, generation: 0 },
      ]);
      assert.deepEqual(
        await subject.store.due({ kind: "timers", until: baseTime + 99, shards: null, limit: 2 }),
        timers.slice(0, 2),
      );
      assert.deepEqual(
        await subject.store.due({ kind: "timers", until: baseTime + 19, shards: null, limit: 9 }),
        [],
      );
    },
  );

  storeTest(make, "a timer that moved is found where it is now", async (subject) => {
    const runId = ulidSample(1);
    await subject.commit({ type: "job.put", job: sleepSample(runId, 1, baseTime) });
    await subject.commit({ type: "job.put", job: sleepSample(runId, 1, baseTime + 10) });
    assert.deepEqual(
      await subject.store.due({ kind: "timers", until: baseTime + 9, shards: null, limit: 9 }),
      [],
    );
    await subject.commit({ type: "job.delete", runId, jobId: hashSample(1) });
    assert.deepEqual(
      await subject.store.due({ kind: "timers", until: baseTime + 99, shards: null, limit: 9 }),
      [],
    );
  });

  storeTest(
    make,
    "queues: longest waiting first, apart for each gate, counted",
    async (subject) => {
      await subject.commit(
        queued(1, "a", 3),
        queued(2, "a", 1),
        queued(3, "b ü", 2),
        queued(4, "a", 2),
        leased(5, 1),
      );
      const queue = await subject.store.due({ kind: "queue", gate: "a", shards: null, limit: 2 });
      assert.deepEqual(queue, [
        { runId: ulidSample(2), jobId: "step", dueAt: baseTime + 1, generation: 2 },
        { runId: ulidSample(4), jobId: "step", dueAt: baseTime + 2, generation: 4 },
      ]);
      assert.deepEqual(await subject.store.list({ type: "queues", shards: null }), [
        { gate: "a", queued: 3 },
        { gate: "b ü", queued: 1 },
      ]);
      await subject.commit(leased(3, 1));
      assert.deepEqual(
        await subject.store.due({ kind: "queue", gate: "b ü", shards: null, limit: 9 }),
        [],
      );
      assert.deepEqual(await subject.store.list({ type: "queues", shards: null }), [
        { gate: "a", queued: 3 },
      ]);
    },
  );

  storeTest(make, "queueAhead: the place of a call in its own queue", async (subject) => {
    const step = queued(2, "a", 1).job;
    await subject.commit(
      queued(5, "a", 3),
      queued(2, "a", 1),
      { type: "job.put", job: { ...step, id: hashSample(7) } },
      queued(4, "a", 1),
      queued(3, "b ü", 0),
      leased(1, 1),
    );
    const ahead = async (n: number, gate: string, since: number, jobId = "step") =>
      subject.store.list({
        type: "queueAhead",
        gate,
        since: baseTime + since,
        runId: ulidSample(n),
        jobId,
      });
    // Two calls of one run and one time: either goes first.
    const ofOne = [await ahead(2, "a", 1), await ahead(2, "a", 1, hashSample(7))];
    assert.deepEqual(new Set(ofOne), new Set([0, 1]));
    assert.equal(await ahead(4, "a", 1), 2);
    assert.equal(await ahead(5, "a", 3), 3);
    assert.equal(await ahead(3, "b ü", 0), 0);
    assert.equal(await ahead(1, "nothing", 9), 0);
    await subject.commit(leased(2, 1));
    assert.equal(await ahead(5, "a", 3), 2);
  });

  storeTest(make, "lost: leased by an earlier epoch, in order of position", async (subject) => {
    await subject.commit(leased(3, 1), leased(1, 2), leased(2, 3), queued(4, "a", 1));
    const lost = await subject.store.due({ kind: "lost", epoch: 3, shards: null, limit: 9 });
    assert.deepEqual(lost, [
      { runId: ulidSample(1), jobId: "step", dueAt: baseTime + 9, generation: 1 },
      { runId: ulidSample(3), jobId: "step", dueAt: baseTime + 7, generation: 3 },
    ]);
    assert.deepEqual(
      await subject.store.due({ kind: "lost", epoch: 3, shards: null, limit: 1 }),
      lost.slice(0, 1),
    );
    assert.deepEqual(
      await subject.store.due({ kind: "lost", epoch: 1, shards: null, limit: 9 }),
      [],
    );
  });

  storeTest(make, "schedules: those that are due, earliest first, then by id", async (subject) => {
    const put = (id: string, late: number) =>
      ({ type: "schedule.put", schedule: scheduleSample(id, { dueAt: baseTime + late }) }) as const;
    await subject.commit(put("c ü", 2), put("b", 5), put("a", 2), put("d", 9));
    const due = async (late: number, limit = 9): Promise<readonly string[]> =>
      (
        await subject.store.due({ kind: "schedules", until: baseTime + late, shards: null, limit })
      ).map(({ scheduleId, dueAt }) => `${scheduleId} ${dueAt - baseTime}`);
    assert.deepEqual(await due(1), []);
    assert.deepEqual(await due(5), ["a 2", "c ü 2", "b 5"]);
    assert.deepEqual(await due(5, 2), ["a 2", "c ü 2"]);
    const need = { kind: "schedule", scheduleId: "a" } as const;
    const schedule = scheduleSample("a", { dueAt: baseTime + 2 });
    assert.deepEqual(await subject.find(need), { need, schedule });
    await subject.commit(put("a", 7), { type: "schedule.delete", scheduleId: "b" });
    assert.deepEqual(await due(7), ["c ü 2", "a 7"]);
    const gone = { kind: "schedule", scheduleId: "b" } as const;
    assert.equal((await subject.find(gone)).schedule, null);
  });

  storeTest(make, "schedules that are due at no time are kept, and not due", async (subject) => {
    const put = (dueAt: number | null) =>
      ({ type: "schedule.put", schedule: runtimeSample("r", { dueAt }) }) as const;
    const need = { kind: "schedule", scheduleId: "r" } as const;
    const due = async () =>
      subject.store.due({ kind: "schedules", until: baseTime * 2, shards: null, limit: 9 });
    for (const dueAt of [null, baseTime, null]) {
      await subject.commit(put(dueAt));
      assert.deepEqual(await due(), dueAt === null ? [] : [{ scheduleId: "r", dueAt }]);
      const schedule = runtimeSample("r", { dueAt });
      assert.deepEqual(await subject.find(need), { need, schedule });
    }
  });

  storeTest(make, "mail: oldest first; a rewritten message keeps its place", async (subject) => {
    for (const n of [3, 1, 2]) {
      await subject.commit({
        type: "mail.put",
        mailId: `m${n}`,
        shard: 3,
        message: messageSample(n),
      });
    }
    await subject.commit({ type: "mail.put", mailId: "m3", shard: 3, message: messageSample(33) });
    assert.deepEqual(await subject.store.due({ kind: "mail", shards: null, limit: 2 }), [
      { mailId: "m3", message: messageSample(33) },
      { mailId: "m1", message: messageSample(1) },
    ]);
    await subject.commit(
      { type: "mail.delete", mailId: "m3" },
      { type: "mail.delete", mailId: "m1" },
    );
    assert.deepEqual(await subject.store.due({ kind: "mail", shards: null, limit: 9 }), [
      { mailId: "m2", message: messageSample(2) },
    ]);
  });

  shardCases(make);
}

/** Two runs in different shards, and the shards. */
const [here, there] = [1, 2].map(ulidSample).map((runId) => ({ runId, shard: shardOf(runId) }));

function shardCases(make: MakeStore): void {
  storeTest(
    make,
    "shards: jobs, queues and leases are found by that of their run",
    async (subject) => {
      assert.ok(here !== undefined && there !== undefined && here.shard !== there.shard);
      await subject.commit(
        ...[1, 2].flatMap((n) => [
          { type: "job.put", job: sleepSample(ulidSample(n), 3, baseTime) } as const,
          queued(n, "a", n),
        ]),
      );
      const ask = async (shards: readonly number[] | null) => ({
        timers: idsOf(
          await subject.store.due({ kind: "timers", until: baseTime, shards, limit: 9 }),
        ),
        queue: idsOf(await subject.store.due({ kind: "queue", gate: "a", shards, limit: 9 })),
        queues: await subject.store.list({ type: "queues", shards }),
      });
      const both = [here.runId, there.runId];
      const all = { timers: both, queue: both, queues: [{ gate: "a", queued: 2 }] };
      assert.deepEqual(await ask(null), all);
      assert.deepEqual(await ask([there.shard, here.shard]), all);
      const one = [there.runId];
      const queues = [{ gate: "a", queued: 1 }];
      assert.deepEqual(await ask([there.shard]), { timers: one, queue: one, queues });
      assert.deepEqual(await ask([]), { timers: [], queue: [], queues: [] });
      await subject.commit(leased(1, 1), leased(2, 1));
      const lost = async (shards: readonly number[] | null) =>
        idsOf(await subject.store.due({ kind: "lost", epoch: 2, shards, limit: 1 }));
      assert.deepEqual([await lost(null), await lost([there.shard])], [[here.runId], one]);
    },
  );

  storeTest(make, "shards: schedules lie in that of the apps", async (subject) => {
    await subject.commit({ type: "schedule.put", schedule: scheduleSample("s", { dueAt: 1 }) });
    const found = async (shards: readonly number[] | null) =>
      (await subject.store.due({ kind: "schedules", until: 1, shards, limit: 9 })).length;
    const other = (appsShard + 1) % shardCount;
    assert.deepEqual(
      [await found(null), await found([other, appsShard]), await found([other])],
      [1, 1, 0],
    );
  });

  storeTest(
    make,
    "shards: mail lies in the mailbox it was put into, until it is taken",
    async (subject) => {
      const put = (n: number, shard: number) =>
        ({ type: "mail.put", mailId: `m${n}`, shard, message: messageSample(n) }) as const;
      const found = async (shards: readonly number[] | null, limit = 9) =>
        (await subject.store.due({ kind: "mail", shards, limit })).map(({ mailId }) => mailId);
      const lies = async (mailId: string) => (await subject.find({ kind: "mail", mailId })).lies;
      await subject.commit(put(1, 5), put(2, 6), put(3, 5));
      assert.deepEqual(await found(null), ["m1", "m2", "m3"]);
      assert.deepEqual([await found([5]), await found([5], 1)], [["m1", "m3"], ["m1"]]);
      assert.deepEqual([await found([6, 5]), await found([7])], [["m1", "m2", "m3"], []]);
      await subject.commit(put(1, 6), { type: "mail.delete", mailId: "m2" });
      assert.deepEqual([await found([5]), await found([6])], [["m3"], ["m1"]]);
      assert.deepEqual(
        [await lies("m1"), await lies("m2"), await lies("m9")],
        [true, false, false],
      );
    },
  );
}

function idsOf(jobs: readonly { readonly runId: string }[]): readonly string[] {
  return jobs.map(({ runId }) => runId);
}
