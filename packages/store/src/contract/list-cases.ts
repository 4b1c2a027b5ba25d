// Contract: lists for people, and what retention may take.
import assert from "node:assert/strict";
import type { RunRecord, RunStatus } from "@pawl/engine/records";
import { encodeUlid } from "@pawl/protocol/ulid";
import { everyRun } from "../run-filter.ts";
import type { RunFilter, RunPosition } from "../store.ts";
import { olderThan } from "../retained.ts";
import { storeTest } from "./kit.ts";
import type { MakeStore } from "./kit.ts";
import {
  baseTime,
  callSample,
  eventSample,
  hashSample,
  invokeSample,
  runSample,
  runtimeSample,
  deferSample,
  stepSample,
  ulidSample,
} from "./samples.ts";

const everything = { receivedFrom: null, receivedUntil: null, before: null } as const;

/** Registers the tests. */
export function listCases(make: MakeStore): void {
  eventListCases(make);
  runListCases(make);
  retentionCases(make);
}

function eventListCases(make: MakeStore): void {
  storeTest(make, "events are listed newest first, by name and time, in pages", async (subject) => {
    for (const n of [3, 1, 2, 4]) {
      const event = eventSample(n, { name: n % 2 === 0 ? "even" : "odd" });
      await subject.commit({ type: "event.put", event, keys: [] });
    }
    const list = async (overrides: object): Promise<readonly number[]> => {
      const query = { type: "events", name: null, limit: 9, ...everything, ...overrides } as const;
      return (await subject.store.list(query)).map((event) => event.receivedAt - baseTime);
    };
    assert.deepEqual(await list({}), [4, 3, 2, 1]);
    assert.deepEqual(await list({ limit: 2 }), [4, 3]);
    assert.deepEqual(await list({ before: ulidSample(3) }), [2, 1]);
    assert.deepEqual(await list({ name: "even" }), [4, 2]);
    assert.deepEqual(await list({ name: "even", before: ulidSample(4) }), [2]);
    assert.deepEqual(await list({ name: "nothing" }), []);
    assert.deepEqual(
      await list({ receivedFrom: baseTime + 2, receivedUntil: baseTime + 3 }),
      [3, 2],
    );
    await subject.commit({ type: "event.delete", eventId: ulidSample(4) });
    assert.deepEqual(await list({}), [3, 2, 1]);
  });
}

function runListCases(make: MakeStore): void {
  storeTest(
    make,
    "runs are listed newest first, by status and function, in pages",
    async (subject) => {
      const statuses: readonly RunStatus[] = [
        "queued",
        "running",
        "completed",
        "failed",
        "cancelled",
      ];
      for (let n = 0; n < 10; n++) {
        const status = statuses[n % 5] ?? "queued";
        const endedAt = n % 5 > 1 ? baseTime : null;
        await subject.commit({
          type: "run.put",
          run: runSample(n, {
            status,
            endedAt,
            functionId: n < 5 ? "f" : "g",
            eventIds: [ulidSample(n % 3)],
          }),
        });
      }
      const list = async (
        statuses: readonly RunStatus[] | null,
        functionId: string | null,
        before: number | null = null,
        limit = 20,
      ): Promise<readonly string[]> => {
        const runs = await subject.store.list({
          type: "runs",
          filter: {
            ...everyRun,
            statuses,
            functionIds: functionId === null ? null : [functionId],
          },
          behind: before === null ? null : { at: 0, runId: ulidSample(before) },
          oldestFirst: false,
          limit,
        });
        return runs.map((run) => run.id);
      };
      const ids = (...numbers: readonly number[]): readonly string[] => numbers.map(ulidSample);
      assert.deepEqual(await list(null, null), ids(9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
      assert.deepEqual(await list(null, null, 7, 2), ids(6, 5));
      assert.deepEqual(await list(["failed", "queued"], null), ids(8, 5, 3, 0));
      assert.deepEqual(await list(["failed", "queued"], null, 8, 2), ids(5, 3));
      assert.deepEqual(await list(null, "f", 4), ids(3, 2, 1, 0));
      assert.deepEqual(await list(["completed"], "g"), ids(7));
      assert.deepEqual(await list([], null), []);
      assert.deepEqual(await list(null, "nothing"), []);
      const unfinished = { type: "unfinished", after: null, limit: 20 } as const;
      assert.deepEqual(await subject.store.list(unfinished), ids(0, 1, 5, 6));
      assert.deepEqual(
        await subject.store.list({ ...unfinished, after: ulidSample(1), limit: 1 }),
        ids(5),
      );
      const ofEvent = { type: "runsOfEvent", eventId: ulidSample(1), limit: 2 } as const;
      assert.deepEqual(
        (await subject.store.list(ofEvent)).map((run) => run.id),
        ids(7, 4),
      );
    },
  );

  runWindowCases(make);

  storeTest(make, "a list of runs follows each change of status", async (subject) => {
    await subject.commit({ type: "run.put", run: runSample(1) });
    await subject.commit({
      type: "run.put",
      run: runSample(1, { status: "completed", endedAt: baseTime }),
    });
    const count = async (status: RunStatus): Promise<number> =>
      subject.store.list({ type: "runCount", filter: { ...everyRun, statuses: [status] } });
    assert.equal(await count("queued"), 0);
    assert.equal(await count("completed"), 1);
    assert.deepEqual(await subject.store.list({ type: "unfinished", after: null, limit: 9 }), []);
  });

  storeTest(
    make,
    "schedules under a prefix are listed by id, in pages that stay whole",
    async (subject) => {
      const put = (id: string) => ({ type: "schedule.put", schedule: runtimeSample(id) }) as const;
      const first = ["r:b", "r:d", "r:Z", "r:f", "r:c-1"];
      await subject.commit(...first.map(put), put("q:a"), put("s:a"), put("r"), put("r:"));
      const page = async (after: string | null, limit = 2): Promise<readonly string[]> =>
        (await subject.store.list({ type: "schedules", prefix: "r:", after, limit })).map(
          ({ id }) => id,
        );
      assert.deepEqual(await page(null, 99), ["r:Z", "r:b", "r:c-1", "r:d", "r:f"]);
      assert.equal(await subject.store.list({ type: "scheduleCount", prefix: "r:" }), 5);
      assert.deepEqual(await page(null), ["r:Z", "r:b"]);
      // What the page ended with goes, one comes in front of it and one behind.
      await subject.commit({ type: "schedule.delete", scheduleId: "r:b" }, put("r:a"), put("r:e"));
      assert.deepEqual(await page("r:b"), ["r:c-1", "r:d"]);
      assert.deepEqual(await page("r:d", 9), ["r:e", "r:f"]);
      assert.deepEqual(await page("r:f"), []);
    },
  );

  storeTest(make, "sizes count every table", async (subject) => {
    await subject.commit(
      { type: "event.put", event: eventSample(1), keys: [] },
      { type: "run.put", run: runSample(1) },
      { type: "step.put", runId: ulidSample(1), step: stepSample(0) },
      { type: "defer.put", runId: ulidSample(1), defer: deferSample(0) },
      { type: "job.put", job: callSample(ulidSample(1)) },
    );
    const { tables, bytes } = await subject.store.list({ type: "sizes" });
    assert.deepEqual(
      { ...tables },
      {
        apps: 0,
        events: 1,
        gates: 0,
        schedules: 0,
        bulks: 0,
        runs: 1,
        outputs: 0,
        steps: 1,
        defers: 1,
        userSpans: 0,
        attempts: 0,
        metadata: 0,
        jobs: 1,
        waits: 0,
        waitPaths: 0,
        idempotency: 0,
        mail: 0,
      },
    );
    assert.ok(bytes > 0);
  });
}

/** Run `n` was made at `baseTime + n`, started 10 ms and ended 20 to 29 ms later. */
function timedRun(n: number): RunRecord {
  const isEnded = n % 2 === 0;
  return runSample(n, {
    id: encodeUlid(baseTime + n, 0, 0, n),
    status: isEnded ? "completed" : n % 4 === 1 ? "running" : "queued",
    appId: n < 6 ? "shop" : "mail",
    functionId: `f${n % 3}`,
    startedAt: n % 4 === 3 ? null : baseTime + n + 10,
    endedAt: isEnded ? baseTime + 29 - n : null,
  });
}

function runWindowCases(make: MakeStore): void {
  storeTest(make, "runs are listed and counted by each of their times", async (subject) => {
    for (let n = 0; n < 12; n++) await subject.commit({ type: "run.put", run: timedRun(n) });
    const list = async (overrides: Partial<RunFilter>, oldestFirst = false) => {
      const filter = { ...everyRun, ...overrides };
      const query = { type: "runs", filter, behind: null, oldestFirst, limit: 99 } as const;
      const runs = await subject.store.list(query);
      assert.equal(await subject.store.list({ type: "runCount", filter }), runs.length);
      return runs.map((run) => run.queuedAt - baseTime);
    };
    const window = (from: number, until: number) => ({
      from: baseTime + from,
      until: baseTime + until,
    });
    assert.deepEqual(await list(window(3, 6)), [5, 4, 3]);
    assert.deepEqual(await list({ appIds: ["mail"] }), [11, 10, 9, 8, 7, 6]);
    assert.deepEqual(await list({ appIds: ["shop"], functionIds: ["f0", "f1"] }), [4, 3, 1, 0]);
    assert.deepEqual(await list({ appIds: ["shop"], statuses: ["running"] }), [5, 1]);
    assert.deepEqual(await list({ functionIds: ["f0", "f0"] }, true), [0, 3, 6, 9]);
    assert.deepEqual(await list({ functionIds: [] }), []);
    assert.deepEqual(await list({ appIds: ["nothing"] }), []);
    const started = { by: "startedAt", ...window(14, 20) } as const;
    assert.deepEqual(await list(started), [9, 8, 6, 5, 4]);
    assert.deepEqual(await list({ ...started, appIds: ["mail"] }, true), [6, 8, 9]);
    const ended = { by: "endedAt", ...window(21, 28) } as const;
    assert.deepEqual(await list(ended), [2, 4, 6, 8]);
    assert.deepEqual(
      await list({ ...ended, functionIds: ["f2"], statuses: ["completed"] }),
      [2, 8],
    );
    assert.deepEqual(await list({ ...ended, statuses: ["failed"] }), []);
  });

  storeTest(make, "pages of runs stay whole while runs come and go", async (subject) => {
    for (const by of ["queuedAt", "startedAt", "endedAt"] as const) {
      for (const oldestFirst of [false, true]) {
        for (let n = 0; n < 12; n += 2) await subject.commit({ type: "run.put", run: timedRun(n) });
        const seen: number[] = [];
        let behind: RunPosition | null = null;
        for (;;) {
          const filter = { ...everyRun, by };
          const query = { type: "runs", filter, behind, oldestFirst, limit: 2 } as const;
          const page: readonly RunRecord[] = await subject.store.list(query);
          const last = page.at(-1);
          if (last === undefined) break;
          seen.push(...page.map((run) => run.queuedAt - baseTime));
          behind = { at: by === "queuedAt" ? 0 : (last[by] ?? 0), runId: last.id };
          // What the page ended with goes, and a run comes at both ends of the list.
          await subject.commit(
            { type: "run.delete", runId: last.id },
            {
              type: "run.put",
              run: { ...timedRun(12), startedAt: 1, endedAt: oldestFirst ? 1 : 2e12 },
            },
          );
          if (!oldestFirst) continue;
          await subject.commit({ type: "run.delete", runId: timedRun(12).id });
        }
        const expected = [0, 2, 4, 6, 8, 10];
        const isAscending = (by === "endedAt") !== oldestFirst;
        const label = `${by}, ${oldestFirst ? "oldest" : "newest"} first`;
        assert.deepEqual(
          seen.filter((n) => n < 12),
          isAscending ? expected : expected.toReversed(),
          label,
        );
        await subject.commit({ type: "run.delete", runId: timedRun(12).id });
      }
    }
  });
}

function retentionCases(make: MakeStore): void {
  storeTest(
    make,
    "runs expire when they ended before, unless their parent's job is there",
    async (subject) => {
      const ended = (n: number, at: number, parent: number | null = null) =>
        ({
          type: "run.put",
          run: runSample(n, {
            status: "completed",
            endedAt: baseTime + at,
            parent:
              parent === null
                ? null
                : { runId: ulidSample(parent), jobId: hashSample(1), onCancel: "abandon" },
          }),
        }) as const;
      await subject.commit(
        ended(1, 30),
        ended(2, 10),
        ended(3, 20, 50),
        ended(4, 25, 51),
        ended(5, 99),
        { type: "run.put", run: runSample(6) },
        { type: "run.put", run: runSample(50) },
        { type: "job.put", job: invokeSample(ulidSample(50), 1, { childRunId: ulidSample(3) }) },
      );
      const expired = async (limit: number): Promise<readonly string[]> =>
        (
          await subject.find({
            kind: "expired",
            bounds: olderThan(baseTime + 31),
            limit,
            limitBytes: 1e9,
          })
        ).runIds;
      assert.deepEqual(await expired(9), [2, 4, 1].map(ulidSample));
      assert.deepEqual(await expired(2), [2, 4].map(ulidSample));
      await subject.commit({ type: "job.delete", runId: ulidSample(50), jobId: hashSample(1) });
      assert.deepEqual(await expired(9), [2, 3, 4, 1].map(ulidSample));
      await subject.commit({ type: "run.delete", runId: ulidSample(2) });
      assert.deepEqual(await expired(9), [3, 4, 1].map(ulidSample));
      // The end of a run moves, its status stays.
      await subject.commit(ended(1, 5));
      assert.deepEqual(await expired(9), [1, 3, 4].map(ulidSample));
    },
  );

  storeTest(
    make,
    "events expire when they came before and no run refers to them",
    async (subject) => {
      const put = (n: number) => ({ type: "event.put", event: eventSample(n), keys: [] }) as const;
      const run = (n: number, ...events: readonly number[]) =>
        ({ type: "run.put", run: runSample(n, { eventIds: events.map(ulidSample) }) }) as const;
      const expired = async (before = 50): Promise<readonly string[]> =>
        (
          await subject.find({
            kind: "expired",
            bounds: olderThan(baseTime + before),
            limit: 9,
            limitBytes: 1e9,
          })
        ).eventIds;
      // Started in the same batch, in a later one, by two runs, by none.
      await subject.commit(put(4), put(1), run(21, 1, 4), put(2), put(3), put(60));
      assert.deepEqual(await expired(), [2, 3].map(ulidSample));
      await subject.commit(run(22, 2, 1));
      assert.deepEqual(await expired(), [3].map(ulidSample));
      await subject.commit({ type: "run.delete", runId: ulidSample(21) });
      assert.deepEqual(await expired(), [3, 4].map(ulidSample));
      await subject.commit(
        { type: "event.delete", eventId: ulidSample(3) },
        { type: "run.delete", runId: ulidSample(22) },
      );
      assert.deepEqual(await expired(), [1, 2, 4].map(ulidSample));
      assert.deepEqual(await expired(2), [1].map(ulidSample));
      // A run that is there before its event.
      await subject.commit(run(23, 9));
      await subject.commit(put(9));
      assert.deepEqual(await expired(), [1, 2, 4].map(ulidSample));
    },
  );
}
