import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { defaultSettings, type Settings } from "@pawl/engine/settings";
import type { RunStatus } from "@pawl/engine/records";
import type { Answer } from "@pawl/protocol/answer";
import { createMemoryStore } from "@pawl/store/memory-store";
import { everyRun } from "@pawl/store/run-filter";
import { startQuestions } from "@pawl/store/store";
import { createMemoryData, type MemoryData } from "@pawl/store/memory/memory-data";
import type { Call } from "../driver/driver.ts";
import { ServerError } from "../server-error.ts";
import { silentLog } from "./log.ts";
import { startRuntime, type Runtime } from "./runtime.ts";
import {
  answered,
  countingSeeds,
  returned,
  ScriptedDriver,
  sendEvents,
  sleeps,
  syncApp,
  waitsFor,
} from "./testing/fixtures.ts";
import { HeldStore } from "./testing/held-store.ts";
import { rest, VirtualClock } from "./testing/virtual-clock.ts";

interface Options {
  readonly data?: MemoryData;
  readonly clock?: VirtualClock;
  readonly settings?: Partial<Settings>;
}

async function start(script: (call: Call) => Answer | Promise<Answer>, options: Options = {}) {
  const data = options.data ?? createMemoryData();
  const clock = options.clock ?? new VirtualClock();
  const store = new HeldStore(createMemoryStore({ data }));
  const driver = new ScriptedDriver(script);
  const fatal: ServerError[] = [];
  const runtime = await startRuntime({
    store,
    settings: { ...defaultSettings, ...options.settings },
    drivers: [driver],
    clock,
    seeds: countingSeeds(),
    log: silentLog,
    onFatal: (error) => fatal.push(error),
  });
  return { runtime, store, driver, clock, data, fatal };
}

async function statuses(runtime: Runtime): Promise<RunStatus[]> {
  const query = {
    type: "runs",
    filter: everyRun,
    behind: null,
    oldestFirst: false,
    limit: 1_000,
  } as const;
  return (await runtime.store.list<"runs">(query)).map((run) => run.status);
}

const never = new Promise<Answer>(() => undefined);

test("a start asks no more than stores are ready to answer at once", async () => {
  const store = createMemoryStore();
  const asked: string[] = [];
  const list = store.list.bind(store);
  store.list = (query) => {
    asked.push(query.type);
    return list(query);
  };
  const clock = new VirtualClock();
  const runtime = await startRuntime({
    store,
    settings: defaultSettings,
    drivers: [],
    clock,
    seeds: countingSeeds(),
    log: silentLog,
    onFatal: assert.fail,
  });
  await runtime.recovered;
  await clock.advance(1_000);
  const once = [...startQuestions].toSorted();
  assert.deepEqual(asked.toSorted(), once, "each of them once, and no other");
  await runtime.stop();
});

test("an event starts a function, its steps go on, and the run completes", async () => {
  const { runtime, driver, clock } = await start((call) => {
    const body: unknown = JSON.parse(call.body);
    assert.ok(body !== null && typeof body === "object" && "steps" in body);
    return Object.keys(body.steps ?? {}).length === 0
      ? answered(sleeps("nap", 5_000))
      : returned("done");
  });
  await runtime.submit(syncApp(["f"]));
  await runtime.submit(sendEvents("f"));
  await clock.advance(4_999);
  assert.deepEqual(await statuses(runtime), ["running"]);
  await clock.advance(1);
  assert.deepEqual(await statuses(runtime), ["completed"]);
  assert.equal(driver.calls.length, 2);
  await runtime.stop();
});

test("an app is never shown a step that is not committed", async () => {
  const bodies: string[] = [];
  const answers: ((answer: Answer) => void)[] = [];
  const { runtime, store } = await start((call) => {
    bodies.push(call.body);
    return new Promise((resolve) => answers.push(resolve));
  });
  await runtime.submit(syncApp(["f"]));
  await runtime.submit(sendEvents("f"));
  await rest();
  answers[0]?.(answered(waitsFor("w1", "one", true), waitsFor("w2", "two", true)));
  await rest();
  store.hold();
  void runtime.submit(sendEvents("one"));
  await rest();
  // Decided on top of the commit that is held, so that memory knows more than the disk.
  void runtime.submit(sendEvents("two"));
  await rest();
  store.release();
  await rest();
  assert.equal(bodies.length, 2, "the first wait led to a call");
  assert.ok(bodies[1]?.includes('"w1":') && !bodies[1].includes('"w2":'), bodies[1]);
  store.releaseAll();
  await rest();
  answers[1]?.(answered());
  await rest();
  assert.ok(bodies[2]?.includes('"w2":'), bodies[2]);
  await runtime.stop();
});

test("calls of one app stay within its limit, and the queue moves on by itself", async () => {
  const answers: ((answer: Answer) => void)[] = [];
  const { runtime, driver } = await start(() => new Promise((resolve) => answers.push(resolve)), {
    settings: { callsPerAppMax: 3 },
  });
  await runtime.submit(syncApp(["f"]));
  await Promise.all(Array.from({ length: 20 }, () => runtime.submit(sendEvents("f"))));
  for (let turn = 0; turn < 40 && answers.length > 0; turn++) {
    answers.shift()?.(returned(1));
    await rest();
  }
  assert.equal(driver.underWayMax, 3);
  assert.deepEqual(new Set(await statuses(runtime)), new Set(["completed"]));
  await runtime.stop();
});

test("a call of a function that its app no longer has fails in words, and is not sent", async () => {
  const answers: ((answer: Answer) => void)[] = [];
  const { runtime, driver, data } = await start(
    () => new Promise((resolve) => answers.push(resolve)),
    { settings: { callsPerAppMax: 1 } },
  );
  await runtime.submit(syncApp(["f", "g"], { retries: 0 }));
  await runtime.submit(sendEvents("g", "f"));
  await runtime.submit(syncApp(["g"], { retries: 0 }));
  await rest();
  while (answers.length > 0) {
    answers.shift()?.(returned(1));
    await rest();
  }
  assert.equal(driver.calls.length, 1);
  assert.deepEqual((await statuses(runtime)).toSorted(), ["completed", "failed"]);
  assert.match(inspect(data, { depth: null }), /Sync the app.*function_unregistered/);
  await runtime.stop();
});

test("keys have limits of their own, and functions that share a gate take turns", async () => {
  const answers: { readonly fn: string; readonly send: (answer: Answer) => void }[] = [];
  const { runtime, driver } = await start(
    (call) =>
      new Promise((resolve) =>
        answers.push({ fn: new URL(call.url).searchParams.get("fnId") ?? "", send: resolve }),
      ),
    { settings: { callsPerAppMax: 4 } },
  );
  const concurrency = { limit: 2, key: "event.name", scope: "fn" };
  await runtime.submit(syncApp(["f", "g"], { config: { concurrency } }));
  await runtime.submit(sendEvents(...Array.from({ length: 20 }, () => "f")));
  await runtime.submit(sendEvents(...Array.from({ length: 3 }, () => "g")));
  const order: string[] = [];
  const out = new Map<string, number>();
  await rest();
  for (let turn = 0; turn < 60 && answers.length > 0; turn++) {
    for (const fn of ["f", "g"]) out.set(fn, answers.filter((answer) => answer.fn === fn).length);
    assert.ok((out.get("f") ?? 0) <= 2 && (out.get("g") ?? 0) <= 2);
    const answer = answers.shift();
    order.push(answer?.fn ?? "");
    answer?.send(returned(1));
    await rest();
  }
  assert.equal(driver.underWayMax, 4);
  assert.ok(order.lastIndexOf("g") < 8, `g does not wait for f: ${order.join()}`);
  assert.deepEqual(new Set(await statuses(runtime)), new Set(["completed"]));
  assert.deepEqual([...runtime.hot.gateKeys()], []);
  await runtime.stop();
});

test("calls, timers and queues of a process that died are taken over", async () => {
  const first = await start(() => never, { settings: { callsPerAppMax: 200 } });
  await first.runtime.submit(syncApp(["f"]));
  await first.runtime.submit(sendEvents(...Array.from({ length: 500 }, () => "f")));
  await rest();
  assert.equal(first.driver.calls.length, 200);
  const second = await start(() => returned(1), {
    data: first.data,
    clock: first.clock,
    settings: { callsPerAppMax: 200 },
  });
  await second.runtime.recovered;
  await rest();
  assert.equal(
    (await statuses(second.runtime)).filter((status) => status === "completed").length,
    500,
  );
  assert.equal(new Set(second.driver.calls.map((call) => call.requestId)).size, 500);
  const again = new Set(first.driver.calls.map((call) => call.requestId));
  assert.ok(
    second.driver.calls.every((call) => !again.has(call.requestId)),
    "each call has a new dispatch id",
  );
  // The old process still lives: it must not be able to write.
  await assert.rejects(
    first.runtime.submit(sendEvents("f")),
    (e) => e instanceof ServerError && e.code === "store_fenced",
  );
  assert.deepEqual(
    first.fatal.map((error) => error.code),
    ["store_fenced"],
  );
  await second.runtime.stop();
});

test("an open batch takes events of the next process, and goes out with all of them", async () => {
  const config = { batchEvents: { maxSize: 3, timeout: "1m" } };
  const first = await start(() => never);
  await first.runtime.submit(syncApp(["f"], { config }));
  await first.runtime.submit(sendEvents("f"));
  await first.runtime.submit(sendEvents("f"));
  await rest();
  assert.equal(first.driver.calls.length, 0);
  await first.runtime.stop();
  const second = await start(() => returned(1), { data: first.data, clock: first.clock });
  await second.runtime.recovered;
  await second.runtime.submit(sendEvents("f"));
  await rest();
  const [call, ...more] = second.driver.calls;
  assert.equal(more.length, 0);
  const body: unknown = JSON.parse(call?.body ?? "");
  assert.equal((body as { readonly events: readonly unknown[] }).events.length, 3); // proof: protocol.md 2.1
  assert.deepEqual(await statuses(second.runtime), ["completed"]);
  await second.runtime.stop();
});

test("a timer that came due while nobody ran fires at the next start", async () => {
  const first = await start(() => answered(sleeps("nap", 60_000)));
  await first.runtime.submit(syncApp(["f"]));
  await first.runtime.submit(sendEvents("f"));
  await rest();
  await first.runtime.stop();
  first.clock.jump(3_600_000);
  const second = await start(() => returned(1), { data: first.data, clock: first.clock });
  await second.runtime.recovered;
  await second.clock.advance(0);
  assert.deepEqual(await statuses(second.runtime), ["completed"]);
  await second.runtime.stop();
});

test("calls under way survive a failed commit, and gates still count them", async () => {
  const answers: ((answer: Answer) => void)[] = [];
  const { runtime, store, driver, clock } = await start(
    () => new Promise((resolve) => answers.push(resolve)),
    {
      settings: { callsPerAppMax: 2 },
    },
  );
  await runtime.submit(syncApp(["f"]));
  await runtime.submit(sendEvents("f", "f", "f", "f"));
  await rest();
  store.failures = ["store_full", "store_full"];
  answers[0]?.(returned(1)); // this answer meets the full disk
  await rest();
  await clock.advance(10_000);
  assert.equal(driver.calls.length, 3, "one call more went out, for the one that was answered");
  for (let turn = 1; turn < 4; turn++) {
    answers[turn]?.(returned(1));
    await rest();
  }
  assert.deepEqual(await statuses(runtime), ["completed", "completed", "completed", "completed"]);
  assert.equal(driver.underWayMax, 2);
  await runtime.stop();
});

test("draining finishes what is under way, takes nothing new, and closes the store", async () => {
  const answers: ((answer: Answer) => void)[] = [];
  const { runtime, driver, clock, data } = await start(
    () => new Promise((resolve) => answers.push(resolve)),
  );
  await runtime.submit(syncApp(["f"]));
  await runtime.submit(sendEvents("f", "f"));
  await rest();
  const drained = runtime.drain({ graceMs: 10_000 });
  await assert.rejects(
    runtime.submit(sendEvents("f")),
    (e) => e instanceof ServerError && e.code === "draining",
  );
  answers[0]?.(returned("kept"));
  await clock.advance(9_999);
  await clock.advance(1);
  await drained;
  assert.deepEqual(driver.aborted.length, 1, "the call that did not finish is given up");
  assert.ok(driver.closed);
  const next = await start(() => returned("second try"), { data, clock });
  await next.runtime.recovered;
  await rest();
  assert.deepEqual(await statuses(next.runtime), ["completed", "completed"]);
  assert.equal(next.driver.calls.length, 1, "only the unfinished call is made again");
  await next.runtime.stop();
});

test("an idle server drains at once", async () => {
  const { runtime } = await start(() => never);
  await runtime.drain({ graceMs: 10_000 });
  await runtime.stop();
});

test("cancelling a run gives up its call", async () => {
  const { runtime, driver } = await start(() => never);
  await runtime.submit(syncApp(["f"]));
  await runtime.submit(sendEvents("f"));
  await rest();
  const runId = driver.calls[0]?.runId ?? "";
  await runtime.submit({ type: "run.cancelled", runId, reason: "test" });
  assert.deepEqual(
    driver.aborted.map((call) => call.runId),
    [runId],
  );
  assert.equal(runtime.counts.callsUnderWay, 0);
  await runtime.stop();
});

test("a function whose URL no driver serves fails its attempts with the reason", async () => {
  const { runtime, store } = await start(() => never);
  const sync = syncApp(["f"], { retries: 0 });
  assert.ok(sync.type === "app.synced");
  await runtime.submit({
    ...sync,
    functions: sync.functions.map((fn) => ({ ...fn, url: "gopher://app/?fnId=f" })),
  });
  await runtime.submit(sendEvents("f"));
  await rest();
  assert.deepEqual(await statuses(runtime), ["failed"]);
  const output = store.commits.flat().find((change) => change.type === "output.put");
  assert.match(output?.type === "output.put" ? output.output : "", /driver_missing/);
  await runtime.stop();
});
