// An app that never answers, on a runtime whose limit for a call is short: the real driver over
// real sockets, the store in memory.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { defaultSettings } from "@pawl/engine/settings";
import { defaultHttpDriverOptions, HttpDriver } from "@pawl/server/driver/http-driver";
import { systemClock } from "@pawl/server/loop/clock";
import { silentLog } from "@pawl/server/loop/log";
import { startRuntime, type Runtime } from "@pawl/server/loop/runtime";
import { systemSeeds } from "@pawl/server/loop/seeds";
import { event, syncApp } from "@pawl/server/loop/testing/fixtures";
import { createMemoryStore } from "@pawl/store/memory-store";
import { eventually } from "../support/poll.ts";
import { returned, WireApp, type Reply, type WireCall } from "./wire-app.ts";

const callTimeoutMs = 150;
let runtime: Runtime;
let app: WireApp;
let handle: (call: WireCall) => Reply;

before(async () => {
  app = await WireApp.start("never", [], (call) => handle(call));
  runtime = await startRuntime({
    store: createMemoryStore(),
    settings: { ...defaultSettings, retryIntervalMs: 0 },
    drivers: [new HttpDriver(defaultHttpDriverOptions(systemClock))],
    clock: systemClock,
    seeds: systemSeeds(),
    log: silentLog,
    onFatal: (error) => assert.fail(error),
    request: { callTimeoutMs },
  });
  const synced = syncApp(["never"], { retries: 2 });
  assert.ok(synced.type === "app.synced");
  const functions = synced.functions.map((fn) => ({
    ...fn,
    url: `${app.url}?fnId=never-f&stepId=step`,
  }));
  await runtime.submit({ ...synced, functions });
});

after(async () => {
  await runtime.stop();
  await app.close();
});

/** Starts a run and waits for its end. */
async function ended() {
  app.calls.length = 0;
  const now = Date.now();
  const started = { ...event("never"), ts: now, receivedAt: now };
  await runtime.submit({ type: "events.received", events: [started], resendable: false });
  const query = { type: "runsOfEvent", eventId: started.id, limit: 10 } as const;
  return eventually("the run ends", async () => {
    const [run] = await runtime.store.list<"runsOfEvent">(query);
    return run?.endedAt !== null && run;
  });
}

test("bug class 20: an app that never answers is called again, and the run says what was wrong", async () => {
  handle = () => null;
  const run = await ended();
  assert.equal(run.status, "failed");
  assert.equal(app.calls.length, 3);
  const output = await runtime.store.list<"output">({ type: "output", runId: run.id });
  assert.match(output ?? "", /http_timeout/);
});

test("bug class 20: half a body and then silence counts as no answer", async () => {
  handle = (call) => {
    if (call.attempt > 0) return returned("well");
    call.response.writeHead(200, { "x-inngest-sdk": "js:v4.24.0" });
    call.response.write('{"half":');
    return null;
  };
  const run = await ended();
  assert.deepEqual([run.status, app.calls.length], ["completed", 2]);
});

test("bug class 20: an answer byte by byte does not outlast the limit", async () => {
  let drip: NodeJS.Timeout | undefined;
  handle = (call) => {
    if (call.attempt > 0) return returned("well");
    call.response.writeHead(201, { "x-inngest-sdk": "js:v4.24.0" });
    drip = setInterval(() => call.response.write(" "), 10);
    return null;
  };
  const run = await ended();
  clearInterval(drip);
  assert.deepEqual([run.status, app.calls.length], ["completed", 2]);
});
