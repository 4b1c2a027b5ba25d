// What an older dispatch of a call still brings, on a real server: its steps may count, its
// decisions may not.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PawlServer } from "../support/pawl-server.ts";
import { eventually } from "../support/poll.ts";
import {
  memoOf,
  opcodes,
  returned,
  runComplete,
  stepRun,
  WireApp,
  type Reply,
  type WireCall,
} from "./wire-app.ts";

let server: PawlServer;
let app: WireApp;
let handle: (call: WireCall) => Reply | Promise<Reply>;

before(async () => {
  server = await PawlServer.start({ flags: ["--retry-interval", "0"] });
  const functions = [{ id: "late", event: "bugs/late" }];
  app = await WireApp.start("answers", functions, (call) => handle(call));
  await app.register(server.url);
});

after(async () => {
  await server.stop();
  await app.close();
});

/** Saves steps as the dispatch of that call. */
async function checkpoint(call: WireCall, ...steps: object[]): Promise<number> {
  const { runId, jobId, requestId } = call;
  const body = { run_id: runId, fn_id: "", qi_id: jobId, request_id: requestId, steps, ts: 1 };
  return (await server.api.request("POST", `/v1/checkpoint/${runId}/async`, body)).status;
}

/** Starts a run whose first dispatch is cut off, and waits until the second is out. */
async function twoDispatches(second: (call: WireCall) => Promise<Reply>) {
  const taken: WireCall[] = [];
  handle = (call) => {
    taken.push(call);
    if (taken.length > 1) return second(call);
    call.response.destroy();
    return null;
  };
  const eventId = await server.api.sendOne({ name: "bugs/late" });
  const [older, newer] = await eventually("two dispatches", () => taken.length > 1 && taken);
  assert.ok(older !== undefined && newer !== undefined);
  assert.notEqual(older.requestId, newer.requestId);
  return { eventId, older, newer };
}

test("bug class 8: steps of an older dispatch that nobody has are kept, with a 409", async () => {
  const gate = Promise.withResolvers<void>();
  const { eventId, older } = await twoDispatches(async (call) => {
    if (memoOf(call, "a") !== undefined) return returned(memoOf(call, "a"));
    await gate.promise;
    return opcodes(stepRun("a", "newer"));
  });
  assert.equal(await checkpoint(older, stepRun("a", "older")), 409);
  gate.resolve();
  const [run] = await server.api.ended(eventId);
  assert.deepEqual([run?.status, run?.output], ["Completed", { data: "older" }]);
});

test("bug class 8: steps of an older dispatch do not replace what is recorded", async () => {
  const gate = Promise.withResolvers<void>();
  const { eventId, older, newer } = await twoDispatches(async (call) => {
    if (call.attempt > 1 || memoOf(call, "a") !== undefined) return returned(memoOf(call, "a"));
    await gate.promise;
    return returned("newer");
  });
  assert.equal(await checkpoint(newer, stepRun("a", "newer")), 200);
  assert.equal(await checkpoint(older, stepRun("a", "older"), stepRun("b", "older b")), 409);
  const { body } = await server.api.request("GET", `/v0/runs/${older.runId}/actions`);
  // proof: memos by hashed id
  const memos = Object.values(body as Record<string, unknown>);
  assert.deepEqual(memos, [{ data: "newer" }, { data: "older b" }]);
  gate.resolve();
  const [run] = await server.api.ended(eventId);
  assert.equal(run?.status, "Completed");
});

test("bug class 8: an older dispatch does not end the run", async () => {
  const gate = Promise.withResolvers<void>();
  const { eventId, older } = await twoDispatches(async () => {
    await gate.promise;
    return returned("newer");
  });
  assert.equal(await checkpoint(older, runComplete("older")), 409);
  assert.equal((await server.api.runsOf(eventId))[0]?.status, "Running");
  gate.resolve();
  const [run] = await server.api.ended(eventId);
  assert.deepEqual([run?.status, run?.output], ["Completed", "newer"]);
});

test("bug class 8: a current dispatch that brings another value is stopped, and the run goes on from the record", async () => {
  let called = 0;
  const gate = Promise.withResolvers<void>();
  const { eventId, older, newer } = await twoDispatches(async (call) => {
    called++;
    const memo = memoOf(call, "a");
    if (memo !== undefined) return returned(memo);
    await gate.promise;
    return null;
  });
  assert.equal(await checkpoint(older, stepRun("a", "older")), 409);
  assert.equal(await checkpoint(newer, stepRun("a", "newer")), 409);
  const [run] = await server.api.ended(eventId);
  assert.deepEqual([run?.status, run?.output, called], ["Completed", { data: "older" }, 2]);
  assert.equal(await checkpoint(newer, stepRun("a", "after the end")), 409);
  assert.deepEqual(await server.api.run(older.runId), run);
  gate.resolve();
});
