// Contract: what retention weighs and may take, by age, count and bytes; and that steps of it come
// to what the bounds say and to nothing else.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Change } from "@pawl/engine/changes";
import type { RetentionBound } from "@pawl/engine/commands";
import type { EndedStatus, RetainedKind } from "@pawl/engine/records";
import { userSpanBytes } from "@pawl/engine/user-spans";
import { toJsonText } from "@pawl/protocol/json-text";
import { recordBytes, retainedKinds } from "../retained.ts";
import { storeTest, Subject, type MakeStore } from "./kit.ts";
import {
  attemptSample,
  baseTime,
  eventSample,
  hashSample,
  invokeSample,
  metadataSample,
  runSample,
  deferSample,
  stepSample,
  ulidSample,
  userSpanSample,
} from "./samples.ts";

/** Registers the tests. */
export function retainedCases(make: MakeStore, numRuns: number): void {
  weightCases(make);
  boundCases(make);
  retiredCases(make);
  stepProperty(make, numRuns);
}

function ended(n: number, status: EndedStatus, at = n, parent: number | null = null): Change {
  return {
    type: "run.put",
    run: runSample(n, {
      status,
      endedAt: baseTime + at,
      parent:
        parent === null
          ? null
          : { runId: ulidSample(parent), jobId: hashSample(1), onCancel: "abandon" },
    }),
  };
}

function bound(of: RetainedKind, more: Partial<RetentionBound>): RetentionBound {
  return { of, before: 0, spareFrom: baseTime + 1_000, countMax: null, bytesMax: null, ...more };
}

function weightCases(make: MakeStore): void {
  storeTest(make, "an ended run weighs its payloads and its records", async (subject) => {
    const runId = ulidSample(1);
    const kind = async (name: RetainedKind | "running") => {
      const { kinds } = await subject.store.list({ type: "sizes" });
      return kinds[name];
    };
    const nothing = { count: 0, bytes: 0, oldest: null };
    const step = stepSample(0, {
      memo: toJsonText("ü\u{1F600}\ud800"),
      opts: toJsonText({ a: 1 }),
    });
    const running = runSample(1, { status: "running" });
    await subject.commit(
      { type: "run.put", run: running },
      { type: "step.put", runId, step },
      { type: "defer.put", runId, defer: deferSample(0, { meta: toJsonText({ s: "ü" }) }) },
      { type: "attempt.put", attempt: attemptSample(runId, 0) },
    );
    const error = Buffer.byteLength(attemptSample(runId, 0).error);
    // In JSON a lone surrogate is written as an escape.
    const parts = 4 * recordBytes + Buffer.byteLength(step.memo) + 7 + error + 7 + 10;
    assert.deepEqual(await kind("running"), { count: 1, bytes: parts, oldest: running.queuedAt });
    assert.deepEqual(await kind("failed"), nothing);
    await subject.commit(ended(1, "failed", 9), {
      type: "output.put",
      runId,
      output: toJsonText("äö"),
    });
    assert.deepEqual(await kind("running"), nothing);
    const whole = { count: 1, bytes: parts + recordBytes + 6, oldest: baseTime + 9 };
    assert.deepEqual(await kind("failed"), whole);
    await subject.reopen();
    assert.deepEqual(await kind("failed"), whole);
    const span = userSpanSample(runId, 1);
    await subject.commit({ type: "userSpans.put", runId, spans: [span] });
    const late = { ...whole, bytes: whole.bytes + recordBytes + userSpanBytes(span) };
    assert.deepEqual(await kind("failed"), late);
    await subject.commit(ended(1, "cancelled", 12));
    assert.deepEqual(await kind("failed"), nothing);
    assert.deepEqual(await kind("cancelled"), { ...late, oldest: baseTime + 12 });
    await subject.commit({ type: "run.delete", runId });
    assert.deepEqual(await kind("cancelled"), nothing);
  });

  storeTest(make, "metadata weighs with its run, also when it comes later", async (subject) => {
    const runId = ulidSample(1);
    const bytes = async (name: RetainedKind | "running") => {
      const { kinds } = await subject.store.list({ type: "sizes" });
      return kinds[name].bytes;
    };
    const metadata = metadataSample(runId, 1, { values: toJsonText({ a: "ü" }) });
    const weight = recordBytes + Buffer.byteLength(metadata.values);
    await subject.commit(
      { type: "run.put", run: runSample(1, { status: "running" }) },
      { type: "metadata.put", metadata },
    );
    assert.equal(await bytes("running"), recordBytes + weight);
    await subject.commit(ended(1, "failed", 9));
    assert.equal(await bytes("failed"), recordBytes + weight);
    const later = metadataSample(runId, 2, { values: toJsonText({}) });
    await subject.commit({ type: "metadata.put", metadata: later });
    assert.equal(await bytes("failed"), recordBytes + weight + recordBytes + 2);
    await subject.reopen();
    await subject.commit({ type: "metadata.delete", runId, place: metadata });
    assert.equal(await bytes("failed"), recordBytes + recordBytes + 2);
    await subject.commit({ type: "run.delete", runId });
    assert.equal(await bytes("failed"), 0);
  });

  storeTest(make, "events weigh their payloads, replaced or deleted too", async (subject) => {
    const put = (text: string): Change => ({
      type: "event.put",
      event: eventSample(1, { data: toJsonText(text), user: toJsonText({}) }),
      keys: [],
    });
    const events = async () => (await subject.store.list({ type: "sizes" })).kinds.events;
    await subject.commit(put("ü"));
    const oldest = baseTime + 1;
    assert.deepEqual(await events(), { count: 1, bytes: recordBytes + 4 + 2, oldest });
    await subject.commit(put("abc"));
    assert.deepEqual(await events(), { count: 1, bytes: recordBytes + 5 + 2, oldest });
    await subject.commit({ type: "event.delete", eventId: ulidSample(1) });
    assert.deepEqual(await events(), { count: 0, bytes: 0, oldest: null });
  });
}

function boundCases(make: MakeStore): void {
  storeTest(make, "the oldest beyond a count or beyond bytes go, and no other", async (subject) => {
    await subject.commit(
      ...[1, 2, 3, 4, 5].map((n) => ended(n, "failed")),
      ...[6, 7].map((n) => ended(n, "completed")),
      ...[1, 2, 3].map(
        (n) => ({ type: "event.put", event: eventSample(n + 50), keys: [] }) as const,
      ),
    );
    const found = async (limit: number, ...bounds: readonly RetentionBound[]) => {
      const { runIds, eventIds, hasMore } = await subject.find({
        kind: "expired",
        bounds,
        limit,
        limitBytes: 1e9,
      });
      return [[...runIds, ...eventIds], hasMore];
    };
    const ids = (...numbers: readonly number[]) => numbers.map(ulidSample);
    assert.deepEqual(await found(9, bound("failed", { countMax: 3 })), [ids(1, 2), false]);
    assert.deepEqual(await found(1, bound("failed", { countMax: 3 })), [ids(1), true]);
    assert.deepEqual(await found(9, bound("failed", { countMax: 5 })), [[], false]);
    const bytes = { bytesMax: 2 * recordBytes };
    assert.deepEqual(await found(9, bound("failed", bytes)), [ids(1, 2, 3), false]);
    assert.deepEqual(await found(9, bound("completed", bytes)), [[], false]);
    // Whichever limit takes more wins; what is younger than `spareFrom` goes by age only.
    const all = { before: baseTime + 2, countMax: 1, spareFrom: baseTime + 3 };
    assert.deepEqual(await found(9, bound("failed", all)), [ids(1, 2), false]);
    const late = { before: baseTime + 5, countMax: 1, spareFrom: baseTime + 3 };
    assert.deepEqual(await found(9, bound("failed", late)), [ids(1, 2, 3, 4), false]);
    assert.deepEqual(
      await found(2, bound("failed", { countMax: 1 }), bound("events", { countMax: 2 })),
      [ids(1, 2, 51), true],
    );
    assert.deepEqual(
      await subject.store.list({
        type: "beyond",
        bounds: [bound("failed", { countMax: 3 }), bound("skipped", { countMax: 1 })],
      }),
      [
        { of: "failed", count: 2, bytes: 2 * recordBytes },
        { of: "skipped", count: 0, bytes: 0 },
      ],
    );
  });

  storeTest(make, "a step has a limit of records and of bytes", async (subject) => {
    const runId = ulidSample(2);
    await subject.commit(
      ended(1, "failed"),
      ended(2, "failed"),
      ...[0, 1].map((n): Change => ({ type: "step.put", runId, step: stepSample(n) })),
      ended(3, "failed"),
      ...[60, 61].map((n): Change => {
        const event = eventSample(n, { data: toJsonText("x".repeat(900)) });
        return { type: "event.put", event, keys: [] };
      }),
    );
    const found = async (of: RetainedKind, limit: number, limitBytes = 1e9) => {
      const bounds = [bound(of, { before: baseTime + 99 })];
      const { need: _, ...answer } = await subject.find({
        kind: "expired",
        bounds,
        limit,
        limitBytes,
      });
      return answer;
    };
    const nothing = { runIds: [], largeRunIds: [], eventIds: [], retiredId: null };
    const ids = (...numbers: readonly number[]) => numbers.map(ulidSample);
    assert.deepEqual(await found("failed", 9), {
      ...nothing,
      runIds: ids(1, 2, 3),
      hasMore: false,
    });
    assert.deepEqual(await found("failed", 4), { ...nothing, runIds: ids(1, 2), hasMore: true });
    assert.deepEqual(await found("failed", 2), { ...nothing, runIds: ids(1), hasMore: true });
    assert.deepEqual(await found("failed", 9, 1 + recordBytes), {
      ...nothing,
      runIds: ids(1),
      hasMore: true,
    });
    await subject.commit({ type: "run.delete", runId: ulidSample(1) });
    // Larger than a step: by records, or by bytes. An event is one row and goes whole.
    const large = { ...nothing, largeRunIds: ids(2), hasMore: true };
    assert.deepEqual(await found("failed", 2), large);
    assert.deepEqual(await found("failed", 9, 1 + recordBytes), large);
    const event = { ...nothing, eventIds: ids(60), hasMore: true };
    assert.deepEqual(await found("events", 9, 500), event);
  });
}

/** How many records there are of what a run consists of. */
async function partCounts(subject: Subject): Promise<readonly (number | undefined)[]> {
  const { tables } = await subject.store.list({ type: "sizes" });
  const names = [
    "runs",
    "steps",
    "defers",
    "attempts",
    "metadata",
    "userSpans",
    "outputs",
    "jobs",
    "waits",
  ];
  return names.map((name) => tables[name]);
}

const allRuns = {
  filter: {
    statuses: null,
    functionIds: null,
    appIds: null,
    by: "queuedAt",
    from: null,
    until: null,
  },
  behind: null,
  oldestFirst: false,
  limit: 9,
} as const;

/** What any question can tell of a run that should be out of sight. */
async function checkUnseen(subject: Subject, runId: string, eventId: string): Promise<void> {
  const { store } = subject;
  assert.equal((await subject.find({ kind: "run", runId })).run, null);
  assert.equal(await store.list({ type: "output", runId }), null);
  assert.deepEqual(await store.list({ type: "attempts", runId }), []);
  assert.deepEqual((await subject.find({ kind: "metadata", runId })).metadata, []);
  assert.deepEqual(await store.list({ type: "userSpans", runId }), []);
  assert.equal((await subject.find({ kind: "userSpans", runId })).tally.bytes, 0);
  assert.deepEqual(await store.list({ type: "runsOfEvent", eventId, limit: 9 }), []);
  assert.deepEqual(await store.list({ type: "runs", ...allRuns }), []);
  assert.equal(await store.list({ type: "runCount", filter: allRuns.filter }), 0);
  const search = { ...allRuns, expression: "true", at: baseTime, scanMax: 9 };
  assert.deepEqual((await store.list({ type: "searchRuns", ...search })).found, []);
  const { kinds } = await store.list({ type: "sizes" });
  assert.deepEqual(kinds.failed, { count: 0, bytes: 0, oldest: null });
}

function retiredCases(make: MakeStore): void {
  storeTest(make, "a retired run is out of sight at once, and goes in pieces", async (subject) => {
    const runId = ulidSample(1);
    const eventId = ulidSample(50);
    const steps = Array.from({ length: 8 }, (_, n): Change => {
      // The step of 900 bytes is larger than a piece, and goes alone.
      const memo = toJsonText("x".repeat(n === 2 ? 900 : 8));
      return { type: "step.put", runId, step: stepSample(n, { memo, opts: null }) };
    });
    const attempts = [0, 1].map((n): Change => {
      return { type: "attempt.put", attempt: attemptSample(runId, n) };
    });
    await subject.commit(
      { type: "event.put", event: eventSample(50), keys: [] },
      ...steps,
      ...attempts,
      { type: "metadata.put", metadata: metadataSample(runId, 0) },
      { type: "defer.put", runId, defer: deferSample(0) },
      { type: "userSpans.put", runId, spans: [userSpanSample(runId, 0)] },
      { type: "output.put", runId, output: toJsonText("x".repeat(8)) },
      {
        type: "run.put",
        run: runSample(1, { status: "failed", endedAt: baseTime, eventIds: [eventId] }),
      },
    );
    const look = async () => {
      const none = { kind: "expired", bounds: [], limit: 3, limitBytes: 100 } as const;
      const { retiredId, hasMore } = await subject.find(none);
      assert.equal(hasMore, retiredId !== null);
      return retiredId;
    };
    assert.equal(await look(), null);
    await subject.commit({ type: "run.retire", runId });
    const left: (readonly (number | undefined)[])[] = [];
    const piece = { type: "parts.delete", runId, records: 3, bytes: 100 } as const;
    for (let n = 0; n < 9 && (await look()) !== null; n++) {
      assert.equal(await look(), runId);
      await checkUnseen(subject, runId, eventId);
      left.push(await partCounts(subject));
      await subject.commit(piece);
      // What is left is known after a restart, too.
      if (n === 1) await subject.reopen();
    }
    assert.deepEqual(left, [
      [0, 8, 1, 2, 1, 1, 1, 0, 0],
      [0, 6, 1, 2, 1, 1, 1, 0, 0],
      [0, 5, 1, 2, 1, 1, 1, 0, 0],
      [0, 2, 1, 2, 1, 1, 1, 0, 0],
      [0, 0, 0, 2, 1, 1, 1, 0, 0],
      [0, 0, 0, 0, 0, 1, 1, 0, 0],
      [0, 0, 0, 0, 0, 0, 1, 0, 0],
    ]);
    assert.deepEqual(await partCounts(subject), [0, 0, 0, 0, 0, 0, 0, 0, 0]);
    // Its event is free to go; a piece of what is gone is nothing.
    const bounds = [bound("events", { before: baseTime + 99 })];
    const { eventIds } = await subject.find({ kind: "expired", bounds, limit: 9, limitBytes: 1e9 });
    assert.deepEqual(eventIds, [eventId]);
    await subject.commit(piece, { type: "run.retire", runId: ulidSample(7) });
    assert.equal(await look(), ulidSample(7));
    await subject.commit({ ...piece, runId: ulidSample(7) });
    assert.equal(await look(), null);
  });
}

interface History {
  readonly runs: readonly {
    readonly status: EndedStatus | "running";
    readonly at: number;
    readonly steps: number;
    readonly event: number;
    readonly parent: number | null;
  }[];
  readonly bounds: readonly RetentionBound[];
  readonly limit: number;
  readonly limitBytes: number;
}

const eventsCount = 6;
const aBound = (of: RetainedKind): fc.Arbitrary<RetentionBound> =>
  fc.record({
    of: fc.constant(of),
    before: fc.nat(12).map((n) => baseTime + n),
    spareFrom: fc.integer({ min: 5, max: 30 }).map((n) => baseTime + n),
    countMax: fc.option(fc.nat(4)),
    bytesMax: fc.option(fc.nat(2_000)),
  });
const history: fc.Arbitrary<History> = fc.record({
  runs: fc.array(
    fc.record({
      status: fc.constantFrom("completed", "failed", "cancelled", "skipped", "running"),
      at: fc.nat(20),
      steps: fc.nat(4),
      event: fc.nat(eventsCount - 1),
      parent: fc.option(fc.nat(12)),
    }),
    { minLength: 1, maxLength: 12 },
  ),
  bounds: fc.tuple(...retainedKinds.map(aBound)),
  limit: fc.integer({ min: 1, max: 9 }),
  limitBytes: fc.integer({ min: 1, max: 2_000 }),
});

/** Runs that go on wait for the children that name them as parent. */
function changesOf({ runs }: History): readonly Change[] {
  const events = Array.from({ length: eventsCount }, (_, n): Change => {
    return { type: "event.put", event: eventSample(n + 100), keys: [] };
  });
  const records = runs.flatMap(({ status, at, steps, event, parent }, n): readonly Change[] => [
    {
      type: "run.put",
      run: runSample(n, {
        status,
        endedAt: status === "running" ? null : baseTime + at,
        eventIds: [ulidSample(event + 100)],
        parent:
          parent === null
            ? null
            : { runId: ulidSample(parent), jobId: hashSample(1), onCancel: "abandon" },
      }),
    },
    ...Array.from({ length: steps }, (_, seq): Change => {
      return { type: "step.put", runId: ulidSample(n), step: stepSample(seq) };
    }),
    ...(status === "running"
      ? [{ type: "job.put", job: invokeSample(ulidSample(n), 1) } as const]
      : []),
  ]);
  return [...events, ...records];
}

async function checkSteps(subject: Subject, given: History): Promise<void> {
  const { runs, bounds, limit, limitBytes } = given;
  await subject.commit(...changesOf(given));
  const isAwaited = (parent: number | null): boolean =>
    parent !== null && runs[parent]?.status === "running";
  const removed = new Set<string>();
  for (let hasMore = true; hasMore; ) {
    const found = await subject.find({ kind: "expired", bounds, limit, limitBytes });
    ({ hasMore } = found);
    const { retiredId } = found;
    if (retiredId !== null) {
      const piece = { runId: retiredId, records: limit, bytes: limitBytes };
      await subject.commit({ type: "parts.delete", ...piece });
      continue;
    }
    await subject.commit(
      ...found.largeRunIds.map((runId) => ({ type: "run.retire", runId }) as const),
      ...found.runIds.map((runId) => ({ type: "run.delete", runId }) as const),
      ...found.eventIds.map((eventId) => ({ type: "event.delete", eventId }) as const),
    );
    for (const id of [...found.runIds, ...found.largeRunIds, ...found.eventIds]) removed.add(id);
  }
  // Events can go only once the last of their runs has gone.
  const late = await subject.find({ kind: "expired", bounds, limit: 99, limitBytes: 1e9 });
  assert.deepEqual(late.runIds, []);
  const { kinds } = await subject.store.list({ type: "sizes" });
  for (const { of, before, spareFrom, countMax, bytesMax } of bounds) {
    if (of === "events") continue;
    const left = runs.flatMap((run, n) =>
      run.status === of && !isAwaited(run.parent) && !removed.has(ulidSample(n)) ? [run] : [],
    );
    const { count, bytes } = kinds[of];
    const isOver =
      (countMax !== null && count > countMax) || (bytesMax !== null && bytes > bytesMax);
    for (const { at } of left) {
      assert.ok(baseTime + at >= before, "nothing is left that is too old");
      assert.ok(!isOver || baseTime + at >= spareFrom, "nothing is left that is too much");
    }
  }
  for (const [n, { status, parent, at }] of runs.entries()) {
    if (!removed.has(ulidSample(n))) continue;
    assert.ok(status !== "running" && !isAwaited(parent), "nothing needed was removed");
    for (const [other, run] of runs.entries()) {
      if (run.status !== status || isAwaited(run.parent) || run.at >= at) continue;
      assert.ok(removed.has(ulidSample(other)), "nothing younger went before what is older");
    }
  }
  for (let event = 0; event < eventsCount; event++) {
    const users = runs.flatMap((run, n) => (run.event === event ? [ulidSample(n)] : []));
    if (removed.has(ulidSample(event + 100)))
      assert.ok(
        users.every((id) => removed.has(id)),
        "no run lost its event",
      );
  }
}

function stepProperty(make: MakeStore, numRuns: number): void {
  test("steps of retention come to the bounds and take nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(history, async (given) => {
        const made = await make();
        try {
          await checkSteps(new Subject(made, await made.store.open()), given);
        } finally {
          await made.cleanup();
        }
      }),
      { numRuns },
    );
  });
}
