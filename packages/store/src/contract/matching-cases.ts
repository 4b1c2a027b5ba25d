// Contract: waits and past events are found by name and key, in order, page by page.
import assert from "node:assert/strict";
import type { WaitPosition, WaitRecord } from "@pawl/engine/records";
import { storeTest } from "./kit.ts";
import type { MakeStore } from "./kit.ts";
import { baseTime, eventSample, hashSample, ulidSample, waitSample } from "./samples.ts";

const hash = "00ff00ff00ff00ff";
const key = { path: "data.id", hash };

/** Registers the tests. */
export function matchingCases(make: MakeStore): void {
  waitCases(make);
  pastEventCases(make);
}

function waitCases(make: MakeStore): void {
  storeTest(make, "thousands of waits under one key come in pages by position", async (subject) => {
    const waits: WaitRecord[] = [];
    for (let n = 0; n < 3_000; n++) waits.push(waitSample(ulidSample(n >> 1), n % 2));
    // Written out of order, among waits that must not be found.
    const shuffled = waits.toSorted((a, b) =>
      a.runId.split("").toReversed() < b.runId.split("").toReversed() ? -1 : 1,
    );
    for (let at = 0; at < shuffled.length; at += 1_000) {
      await subject.commit(
        ...shuffled.slice(at, at + 1_000).map((wait) => ({ type: "wait.put", wait }) as const),
        {
          type: "wait.put",
          wait: waitSample(ulidSample(9_000 + at), 1, { key: { path: "data.id", hash: "11" } }),
        },
        {
          type: "wait.put",
          wait: waitSample(ulidSample(9_001 + at), 1, { key: { path: "data.other", hash } }),
        },
        { type: "wait.put", wait: waitSample(ulidSample(9_002 + at), 1, { event: "other" }) },
        { type: "wait.put", wait: waitSample(ulidSample(9_003 + at), 1, { key: null }) },
      );
    }
    const found: WaitRecord[] = [];
    let after: WaitPosition | null = null;
    for (;;) {
      const page: readonly WaitRecord[] = (
        await subject.find({ kind: "waits", event: "order/paid", key, after, limit: 701 })
      ).waits;
      found.push(...page);
      const last = page.at(-1);
      if (page.length < 701 || last === undefined) break;
      after = { runId: last.runId, jobId: last.jobId };
    }
    assert.deepEqual(found, waits);
  });

  storeTest(make, "waits of one run come in the order of their jobs as text", async (subject) => {
    const jobIds = [hashSample(10), "after:x", "b", "step", hashSample(2)];
    const waits = jobIds.map((jobId) => waitSample(ulidSample(1), 0, { jobId }));
    await subject.commit(...waits.map((wait) => ({ type: "wait.put", wait }) as const));
    const { waits: found } = await subject.find({
      kind: "waits",
      event: "order/paid",
      key,
      after: null,
      limit: 9,
    });
    assert.deepEqual(
      found.map((wait) => wait.jobId),
      jobIds.toSorted(),
    );
    const rest = await subject.find({
      kind: "waits",
      event: "order/paid",
      key,
      after: { runId: ulidSample(1), jobId: "between" },
      limit: 9,
    });
    assert.deepEqual(
      rest.waits.map((wait) => wait.jobId),
      ["step"],
    );
  });

  storeTest(
    make,
    "a wait without a key is found apart; one that moved only where it is",
    async (subject) => {
      const runId = ulidSample(1);
      await subject.commit({ type: "wait.put", wait: waitSample(runId, 1) });
      const moved = waitSample(runId, 1, { key: null, expression: null });
      await subject.commit({ type: "wait.put", wait: moved });
      const under = { kind: "waits", event: "order/paid", after: null, limit: 9 } as const;
      assert.deepEqual((await subject.find({ ...under, key })).waits, []);
      assert.deepEqual((await subject.find({ ...under, key: null })).waits, [moved]);
      await subject.commit({ type: "wait.delete", runId, jobId: moved.jobId });
      assert.deepEqual((await subject.find({ ...under, key: null })).waits, []);
    },
  );
}

function pastEventCases(make: MakeStore): void {
  storeTest(make, "past events are found by name and by key, oldest first", async (subject) => {
    const changes = [5, 1, 4, 2, 3].map((n) => {
      const keys = n % 2 === 1 ? [key, { path: "data.user", hash: "11" }] : [];
      return { type: "event.put", event: eventSample(n), keys } as const;
    });
    await subject.commit(...changes, {
      type: "event.put",
      event: eventSample(6, { name: "other" }),
      keys: [key],
    });
    const ids = async (
      withKey: boolean,
      from: number,
      to: number,
      limit = 9,
    ): Promise<readonly string[]> => {
      const { events } = await subject.find({
        kind: "pastEvents",
        event: "order/created",
        key: withKey ? key : null,
        from: baseTime + from,
        to: baseTime + to,
        limit,
      });
      return events.map((event) => event.id);
    };
    assert.deepEqual(await ids(false, 2, 4), [2, 3, 4].map(ulidSample));
    assert.deepEqual(await ids(true, 1, 5), [1, 3, 5].map(ulidSample));
    assert.deepEqual(await ids(true, 2, 9, 1), [ulidSample(3)]);
    assert.deepEqual(await ids(false, 6, 9), []);
    await subject.commit(
      { type: "event.delete", eventId: ulidSample(3) },
      { type: "event.put", event: eventSample(5), keys: [] },
      { type: "event.put", event: eventSample(2), keys: [key] },
    );
    assert.deepEqual(await ids(true, 0, 9), [1, 2].map(ulidSample));
    assert.deepEqual(await ids(false, 0, 9), [1, 2, 4, 5].map(ulidSample));
  });
}
