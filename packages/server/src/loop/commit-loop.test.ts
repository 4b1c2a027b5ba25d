import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultSettings } from "@pawl/engine/settings";
import type { Effect } from "@pawl/engine/effects";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ServerError, type ServerErrorCode } from "../server-error.ts";
import { defaultBatchLimits, type BatchLimits, type CommandInput } from "./batch.ts";
import { CommitLoop } from "./commit-loop.ts";
import { silentLog } from "./log.ts";
import { bootState, rebuildState } from "./boot.ts";
import {
  answered,
  countingSeeds,
  returned,
  sendEvents,
  syncApp,
  waitsFor,
} from "./testing/fixtures.ts";
import { HeldStore } from "./testing/held-store.ts";
import { rest, VirtualClock } from "./testing/virtual-clock.ts";

async function setUp(limits: Partial<BatchLimits> = {}, waitingMax = 1_000) {
  const store = new HeldStore(createMemoryStore());
  const fence = await store.open();
  const clock = new VirtualClock();
  const settings = { ...defaultSettings, epoch: fence.epoch };
  const performed: Effect[] = [];
  const fatal: ServerError[] = [];
  const loop = new CommitLoop(await bootState(store, settings), {
    store,
    fence,
    clock,
    seeds: countingSeeds(),
    log: silentLog,
    limits: { ...defaultBatchLimits, ...limits },
    prepare: (effect) => () => performed.push(effect),
    mailed: () => undefined,
    rebuild: () => rebuildState(store, settings),
    startedOver: () => undefined,
    onFatal: (error) => fatal.push(error),
    waitingMax,
  });
  const events = async (): Promise<number> =>
    (
      await store.list<"events">({
        type: "events",
        name: null,
        receivedFrom: null,
        receivedUntil: null,
        before: null,
        limit: 1_000,
      })
    ).length;
  return { store, clock, loop, performed, fatal, events };
}

const code = (expected: ServerErrorCode) => (error: unknown) =>
  error instanceof ServerError && error.code === expected;

/** A command that no correct shell sends: deciding it throws. */
function faulty(): CommandInput {
  // proof: wrong on purpose; the functions are missing.
  return { ...syncApp([]), functions: null } as unknown as CommandInput;
}

test("commands of one tick share a commit, and those that come meanwhile the next", async () => {
  const { store, loop, events } = await setUp();
  store.hold();
  const first = Array.from({ length: 50 }, () => loop.submit(sendEvents("a")));
  await rest();
  const second = Array.from({ length: 30 }, () => loop.submit(sendEvents("b")));
  await rest();
  second.push(...Array.from({ length: 20 }, () => loop.submit(sendEvents("c"))));
  await rest();
  assert.equal(store.commits.length, 1, "one commit is in flight");
  store.releaseAll();
  await Promise.all([...first, ...second]);
  assert.equal(store.commits.length, 2);
  assert.equal(await events(), 100);
});

test("a lone command is committed without waiting for anything", async () => {
  const { store, loop } = await setUp();
  const reply = await loop.submit(sendEvents("a"));
  assert.equal(reply.ok, true);
  assert.equal(store.commits.length, 1);
});

test("nothing is answered or performed before its batch is committed", async () => {
  const { store, loop, performed } = await setUp();
  await loop.submit(syncApp(["f"]));
  store.hold();
  let replied = false;
  const reply = loop.submit(sendEvents("f")).then(() => (replied = true));
  await rest();
  assert.deepEqual([replied, performed.length], [false, 0]);
  store.releaseAll();
  await reply;
  assert.deepEqual(
    performed.map((effect) => effect.type),
    ["call"],
  );
});

test("the next batch is decided while the last commits, and commits after it", async () => {
  const { store, loop } = await setUp();
  await loop.submit(syncApp(["f"]));
  store.hold();
  void loop.submit(sendEvents("f"));
  await rest();
  const second = loop.submit(syncApp(["f", "g"]));
  await rest();
  assert.equal(loop.hot.functionBySlug("g")?.slug, "g", "decided eagerly");
  assert.equal(store.commits.length, 2, "but not committed");
  store.releaseAll();
  assert.equal((await second).ok, true);
});

test("a failed commit rejects both batches and leaves nothing of them", async () => {
  const { store, clock, loop, events, performed } = await setUp();
  await loop.submit(syncApp(["f"]));
  store.hold();
  store.failures = ["store_full"];
  const first = assert.rejects(loop.submit(sendEvents("f")), code("store_full"));
  await rest();
  const second = assert.rejects(loop.submit(syncApp(["f", "g"])), code("store_full"));
  await rest();
  store.releaseAll();
  await Promise.all([first, second]);
  await clock.advance(1_000);
  assert.equal(loop.hot.functionBySlug("g"), undefined, "the hot state is what the store has");
  assert.deepEqual([await events(), performed.length], [0, 0]);
  assert.equal((await loop.submit(sendEvents("f"))).ok, true, "the loop has recovered");
});

test("commands of our own survive failed commits", async () => {
  const { store, clock, loop, events } = await setUp();
  store.failures = [
    "store_full",
    "store_full",
    "store_full",
    "store_full",
    "store_full",
    "store_full",
    "store_full",
  ];
  const kept = [loop.report(sendEvents("a")), loop.report(sendEvents("b"))];
  await clock.advance(20_000);
  assert.deepEqual(
    (await Promise.all(kept)).map((reply) => reply.ok),
    [true, true],
  );
  assert.equal(await events(), 2);
});

test("while the disk is full each command from outside is refused in the end, none is held", async () => {
  const { store, clock, loop, events } = await setUp();
  store.failures = Array.from({ length: 12 }, () => "store_full" as const);
  const own = loop.report(sendEvents("own"));
  for (let round = 0; round < 3; round++) {
    const refused = assert.rejects(loop.submit(sendEvents("x")), code("store_full"));
    await clock.advance(3_000);
    await refused;
  }
  await clock.advance(20_000);
  assert.equal((await own).ok, true);
  assert.equal(await events(), 1);
});

test("a command of our own that cannot be stored is given up; the others beside it are stored", async () => {
  const { store, clock, loop, events } = await setUp();
  store.refuse = (change) => change.type === "event.put" && change.event.name === "bad";
  const outcomes = Promise.allSettled(
    ["a", "bad", "b"].map((name) => loop.report(sendEvents(name))),
  );
  await clock.advance(20_000);
  assert.deepEqual(
    (await outcomes).map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  assert.equal(await events(), 2);
});

test("a store that is lost for good stops the loop", async () => {
  const { store, loop, fatal } = await setUp();
  store.failures = ["store_fenced"];
  const own = assert.rejects(loop.report(sendEvents("own")), code("store_fenced"));
  await assert.rejects(loop.submit(sendEvents("a")), code("store_fenced"));
  await own;
  assert.deepEqual(
    fatal.map((error) => error.code),
    ["store_fenced"],
  );
  await assert.rejects(loop.submit(sendEvents("a")), code("store_fenced"));
});

test("a command that the engine chokes on fails alone", async () => {
  const { loop, events, store } = await setUp();
  const outcomes = await Promise.allSettled([
    loop.submit(sendEvents("a")),
    loop.submit(faulty()),
    loop.submit(sendEvents("b")),
  ]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  await assert.rejects(loop.submit(faulty()), code("engine_fault"));
  assert.equal(await events(), 2);
  assert.equal(store.commits.length, 1, "the faulty one had nothing to commit");
});

test("too many waiting commands from outside are refused, our own never", async () => {
  const { loop } = await setUp({}, 2);
  const taken = [loop.submit(sendEvents("a")), loop.submit(sendEvents("a"))];
  const refused = assert.rejects(loop.submit(sendEvents("a")), code("overloaded"));
  taken.push(loop.report(sendEvents("own")));
  await Promise.all([refused, ...taken]);
  assert.equal((await loop.submit(sendEvents("a"))).ok, true, "there is room again");
});

test("a full batch leaves the rest to the next", async () => {
  const { store, loop, events } = await setUp({ commandsMax: 10, takeMax: 4 });
  await Promise.all(Array.from({ length: 25 }, () => loop.submit(sendEvents("a"))));
  assert.deepEqual(
    store.commits.map((changes) => changes.length),
    [10, 10, 5],
  );
  assert.equal(await events(), 25);
});

test("commands that change nothing cost no commit, but wait for what they were decided on", async () => {
  const { store, loop } = await setUp();
  const cancel = (): Promise<unknown> =>
    loop.submit({ type: "run.cancelled", runId: "01J00000000000000000000000", reason: "x" });
  await cancel();
  assert.equal(store.commits.length, 0);
  store.hold();
  void loop.submit(sendEvents("a"));
  await rest();
  let replied = false;
  const reply = cancel().then(() => (replied = true));
  await rest();
  assert.equal(replied, false);
  store.releaseAll();
  await reply;
  assert.equal(store.commits.length, 1);
});

test("messages beyond the bound are stored as mail and taken in the next batch", async () => {
  const { store, loop, performed } = await setUp({ roundsMax: 0 });
  await loop.submit(syncApp(["f"]));
  await loop.submit(sendEvents("f"));
  const call = performed.find((effect) => effect.type === "call");
  assert.ok(call);
  const { runId, jobId, generation } = call;
  await loop.report({
    type: "call.answered",
    runId,
    jobId,
    generation,
    sentAt: 0,
    answer: answered(waitsFor("w", "go")),
  });
  await loop.submit(sendEvents("go"));
  await loop.idle();
  const mail = store.commits.flat().filter((change) => change.type.startsWith("mail."));
  assert.deepEqual(
    mail.map((change) => change.type),
    ["mail.put", "mail.delete"],
  );
  assert.equal(loop.hot.run(runId)?.steps.get("w")?.status, "completed", "the message was taken");
  assert.deepEqual(await store.due<"mail">({ kind: "mail", shards: null, limit: 10 }), []);
});

test("mail of a failed batch is forgotten with it, and comes again when its cause is tried again", async () => {
  const { store, clock, loop, performed } = await setUp({ roundsMax: 0 });
  await loop.submit(syncApp(["f"]));
  await loop.submit(sendEvents("f"));
  const call = performed.find((effect) => effect.type === "call");
  assert.ok(call);
  const { runId, jobId, generation } = call;
  await loop.report({
    type: "call.answered",
    runId,
    jobId,
    generation,
    sentAt: 0,
    answer: answered(waitsFor("w", "go")),
  });
  store.failures = ["store_failed", null, "store_failed"];
  void loop.report(sendEvents("go"));
  await clock.advance(5_000);
  await loop.idle();
  assert.equal(loop.hot.run(runId)?.steps.size, 1);
  assert.deepEqual(await store.due<"mail">({ kind: "mail", shards: null, limit: 10 }), []);
});

test("no timer overtakes a message that a failed commit has put off once more", async () => {
  for (const commitsBefore of [0, 1]) {
    const { store, clock, loop, performed } = await setUp({ roundsMax: 0 });
    await loop.submit(syncApp(["f"]));
    for (let n = 0; n < commitsBefore; n++) await loop.submit(sendEvents("other"));
    await loop.submit(sendEvents("f"));
    const call = performed.find((effect) => effect.type === "call");
    assert.ok(call);
    const { runId, jobId, generation } = call;
    const answer = answered(waitsFor("w", "go", false, 10));
    await loop.report({ type: "call.answered", runId, jobId, generation, sentAt: 0, answer });
    store.failures = [null, "store_failed"];
    await loop.submit(sendEvents("go"));
    await clock.advance(20);
    const late = loop.report({ type: "timer.due", runId, jobId: "w" });
    await clock.advance(5_000);
    await late;
    assert.match(loop.hot.run(runId)?.steps.get("w")?.memo ?? "", /"name":"go"/, "it came in time");
  }
});

test("a message that the engine chokes on stays in its mailbox until it can be taken", async () => {
  const { store, loop, performed } = await setUp();
  await loop.submit(syncApp(["f"]));
  await loop.submit(sendEvents("f"));
  const call = performed.find((effect) => effect.type === "call");
  assert.ok(call);
  const { runId, jobId, generation } = call;
  const answer = answered(waitsFor("w", "go"));
  await loop.report({ type: "call.answered", runId, jobId, generation, sentAt: 0, answer });
  const run = loop.hot.run(runId)?.run;
  assert.ok(run);
  const { gates } = run;
  Object.assign(run, { gates: null });
  assert.equal((await loop.submit(sendEvents("go"))).ok, true);
  const mail = await store.due<"mail">({ kind: "mail", shards: null, limit: 10 });
  assert.deepEqual(
    mail.map(({ message }) => message.type),
    ["wait.matched"],
  );
  await loop.takeMail(mail);
  assert.equal((await store.due<"mail">({ kind: "mail", shards: null, limit: 10 })).length, 1);
  Object.assign(run, { gates });
  await loop.takeMail(mail);
  assert.deepEqual(await store.due<"mail">({ kind: "mail", shards: null, limit: 10 }), []);
  assert.equal(loop.hot.run(runId)?.steps.get("w")?.status, "completed");
});

test("stopping rejects what is not committed", async () => {
  const { store, loop } = await setUp();
  store.hold();
  const committing = assert.rejects(loop.submit(sendEvents("a")), code("stopped"));
  await rest();
  const waiting = assert.rejects(loop.report(sendEvents("b")), code("stopped"));
  loop.stop();
  await Promise.all([committing, waiting]);
  store.releaseAll();
  await loop.idle();
  await assert.rejects(
    loop.report({
      type: "call.answered",
      runId: "r",
      jobId: "j",
      generation: 0,
      sentAt: 0,
      answer: returned(1),
    }),
    code("stopped"),
  );
});
