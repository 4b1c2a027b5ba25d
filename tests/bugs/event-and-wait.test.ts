// Events and waits that meet in every order, and races between waits, on a real server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { RunInfo } from "../support/api.ts";
import { PawlServer } from "../support/pawl-server.ts";
import { eventually, pause } from "../support/poll.ts";
import { examine } from "../crash/doctor.ts";
import { memoOf, opcodes, returned, waitForEvent, WireApp, type WireCall } from "./wire-app.ts";

let server: PawlServer;
let app: WireApp;
/** Calls to `held` wait for these. */
const gates = new Map<string, PromiseWithResolvers<void>>();

const match = { if: "event.data.key == async.data.key", lookback: "run" };

function keyOf({ event }: WireCall): string {
  return String(event.data["key"]);
}

/** Waits for one event with the same key, and returns it. */
async function waits(call: WireCall) {
  const memo = memoOf(call, "wait");
  if (memo !== undefined) return returned(memo);
  await gates.get(keyOf(call))?.promise;
  return opcodes(waitForEvent("wait", "bugs/came", match));
}

/** Waits for the first of two events, and returns which. */
function races(call: WireCall) {
  const [left, right] = [memoOf(call, "left"), memoOf(call, "right")];
  if (left !== undefined || right !== undefined) return returned({ left, right });
  const race = { ...match, parallelMode: "race" };
  return opcodes(
    waitForEvent("left", "bugs/left", race),
    waitForEvent("right", "bugs/right", race),
  );
}

before(async () => {
  server = await PawlServer.start();
  const functions = [
    { id: "waits", event: "bugs/waits" },
    { id: "races", event: "bugs/races" },
  ];
  app = await WireApp.start("order", functions, (call) =>
    call.functionId === "waits" ? waits(call) : races(call),
  );
  await app.register(server.url);
});

after(async () => {
  await server.stop();
  await app.close();
});

function send(name: string, key: string): Promise<string> {
  return server.api.sendOne({ name, data: { key } });
}

async function theRun(eventId: string): Promise<RunInfo> {
  const [run] = await server.api.ended(eventId);
  assert.ok(run !== undefined);
  return run;
}

/** The run has ended with the event that it waited for. */
function assertMet(run: RunInfo, key: string): void {
  assert.equal(run.status, "Completed");
  // proof: `waits` returns the memo, which is the event
  const event = run.output as { name: string; data: { key: string } } | null;
  assert.deepEqual([event?.name, event?.data.key], ["bugs/came", key]);
}

test("bug class 1: an event before the registration of its wait is found by looking back", async () => {
  gates.set("early", Promise.withResolvers());
  const started = await send("bugs/waits", "early");
  await eventually("the function is called", () =>
    app.calls.some((call) => keyOf(call) === "early"),
  );
  await send("bugs/came", "early");
  gates.get("early")?.resolve();
  assertMet(await theRun(started), "early");
});

test("bug class 1: an event after the registration of its wait resumes it, others do not", async () => {
  const started = await send("bugs/waits", "late");
  await eventually("the function is called", () =>
    app.calls.some((call) => keyOf(call) === "late"),
  );
  await pause(100);
  await send("bugs/came", "another");
  await pause(100);
  assert.equal((await server.api.runsOf(started))[0]?.status, "Running");
  await send("bugs/came", "late");
  assertMet(await theRun(started), "late");
});

test("bug class 1: events during the registration of their waits meet them exactly once, 300 times", async () => {
  const keys = Array.from({ length: 300 }, (_, n) => `pair-${n}`);
  const started = new Map<string, string>();
  // Each pair meets at another moment: the event leaves while the wait is on its way.
  const one = async (key: string, n: number): Promise<void> => {
    const gate = Promise.withResolvers<void>();
    gates.set(key, gate);
    const call = eventually("called", () => app.calls.some((each) => keyOf(each) === key), {
      everyMs: 1,
    });
    started.set(key, await send("bugs/waits", key));
    await call;
    const order = n % 3;
    if (order === 0) gate.resolve();
    const sent = send("bugs/came", key);
    if (order === 1) gate.resolve();
    if (order === 2) setImmediate(gate.resolve);
    await sent;
  };
  for (let at = 0; at < keys.length; at += 30) {
    await Promise.all(keys.slice(at, at + 30).map((key, n) => one(key, n)));
  }
  for (const [key, eventId] of started) {
    assertMet(await theRun(eventId), key);
    // One call that registers the wait, one that takes its event.
    assert.equal(app.calls.filter((call) => keyOf(call) === key).length, 2, key);
  }
});

test("bug class 2: the loser of a race leaves nothing behind", async () => {
  const started = await send("bugs/races", "race");
  await eventually("the function is called", () =>
    app.calls.some((call) => keyOf(call) === "race"),
  );
  await pause(100);
  await send("bugs/right", "race");
  const run = await theRun(started);
  assert.equal(run.status, "Completed");
  // proof: `races` returns an object of the two memos
  const { left, right } = run.output as { left?: unknown; right?: { name: string } };
  assert.deepEqual([left, right?.name], [undefined, "bugs/right"]);
  const calls = app.calls.length;
  await send("bugs/left", "race");
  await pause(200);
  assert.equal(app.calls.length, calls, "the loser's event calls nobody");
  assert.deepEqual(await server.api.run(run.run_id), run);
});

test("bug class 2: both events of a race at the same time end it once, 50 times", async () => {
  const started = await Promise.all(
    Array.from({ length: 50 }, (_, n) => send("bugs/races", `both-${n}`)),
  );
  await Promise.all(
    started.flatMap((_, n) => [send("bugs/left", `both-${n}`), send("bugs/right", `both-${n}`)]),
  );
  for (const eventId of started) assert.equal((await theRun(eventId)).status, "Completed");
});

test("bug classes 1 and 2: no wait, timer or call is left in the store", async () => {
  const { code } = await server.stop();
  assert.equal(code, 0);
  const { unfinished, ...found } = await examine(server.dir);
  assert.deepEqual([found.code, unfinished], [0, 0], found.output);
});
