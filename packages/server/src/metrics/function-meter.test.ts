// What is counted for each function, and that neither functions nor days can pile up; then the route
// that shows it, with a real app behind.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  attemptSample,
  baseTime,
  runSample,
  stepSample,
  ulidSample,
} from "@pawl/store/contract/samples";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, look, until } from "../http/test-client.ts";
import { startServer } from "../server.ts";
import { register, startAppStub } from "../sync/app-stub.ts";
import type { Change } from "@pawl/engine/changes";
import { FunctionMeter } from "./function-meter.ts";
import { RunMomentReader } from "./run-moments.ts";

const dayMs = 86_400_000;

test("runs, steps and calls are counted for their function, by day", () => {
  const made = runSample(1, { requestVersion: -1 });
  const { functionId } = made;
  const meter = new FunctionMeter({ functionsMax: 9, now: () => baseTime, functionOf: () => "f2" });
  const changes: readonly Change[] = [
    { type: "run.put", run: { ...made, status: "running", startedAt: made.queuedAt } },
    { type: "run.put", run: { ...made, status: "completed", endedAt: baseTime } },
    { type: "step.put", runId: ulidSample(1), step: stepSample(0) },
    { type: "step.put", runId: ulidSample(2), step: stepSample(0) },
    { type: "attempt.put", attempt: attemptSample(ulidSample(1), 0) },
  ];
  meter.committed(changes, new RunMomentReader().read(changes));
  for (const moment of ["sent", "sent", "answered", "failed"] as const)
    meter.call(functionId, moment);
  const [[day, counts] = []] = meter.days;
  assert.equal(day, new Date(baseTime).toISOString().slice(0, 10));
  assert.deepEqual(counts?.get(functionId), {
    runsEnded: { completed: 1, failed: 0, cancelled: 0, skipped: 0 },
    runsScheduled: 1,
    runsStarted: 1,
    callsStarted: 2,
    callsAnswered: 1,
    callsFailed: 1,
    steps: 1,
    failedAttempts: 1,
    outputBytes: Buffer.byteLength(stepSample(0).memo),
  });
  assert.equal(counts.get("f2")?.steps, 1);
});

test("a run is made once and started once, however often it is written", () => {
  const reader = new RunMomentReader();
  const queued = runSample(1, { status: "queued", startedAt: null, requestVersion: -1 });
  const running = { ...queued, status: "running", startedAt: queued.queuedAt + 5 } as const;
  const seen = [
    queued,
    { ...queued, eventIds: [ulidSample(7)] },
    running,
    { ...running, generation: 3 },
    { ...running, requestVersion: 2 },
    { ...running, status: "failed" as const, endedAt: baseTime },
  ].map((run) => {
    const found = reader.read([{ type: "run.put", run }]).get(run.id);
    return [found?.made, found?.started];
  });
  const neither = [false, false];
  assert.deepEqual(seen, [[true, false], neither, [false, true], neither, neither, neither]);
});

test("functions beyond the limit are one, and days before yesterday are forgotten", () => {
  let now = baseTime;
  const meter = new FunctionMeter({ functionsMax: 2, now: () => now, functionOf: () => null });
  for (const id of ["a", "b", "c", "d", "a"]) meter.call(id, "sent");
  const [counts] = meter.days.values();
  assert.deepEqual(
    [...(counts ?? [])].map(([id, { callsStarted }]) => [id, callsStarted]),
    [
      ["a", 2],
      ["b", 1],
      ["", 2],
    ],
  );
  for (let day = 0; day < 5; day += 1) {
    now += dayMs;
    meter.call("a", "sent");
  }
  assert.equal(meter.days.size, 2);
});

test("/v1/prom/{env} shows functions under the names of the hosted product", async () => {
  const app = await startAppStub("shop");
  const store = createMemoryStore();
  const server = await startServer({ store, metricsFunctionsMax: 1 });
  try {
    app.serverUrl = server.url;
    await register(app, "shop");
    const body = '{"name":"greet"}';
    await ask(server.url, "POST", "/e/key", { body });
    const text = await until(
      async () => (await fetch(`${server.url}/v1/prom/production`)).text(),
      (found) => /run_ended_total\{.*status="Completed"\} 1/.test(found),
    );
    const labels = 'app="shop",fn="shop-greet",date="\\d{4}-\\d\\d-\\d\\d"';
    for (const pattern of [
      `inngest_function_run_scheduled_total\\{${labels}\\} 1`,
      `inngest_function_run_started_total\\{${labels}\\} 1`,
      `inngest_sdk_req_started_total\\{${labels}\\} 1`,
      `inngest_sdk_req_ended_total\\{${labels},status="success"\\} 1`,
      "# TYPE inngest_steps_scheduled gauge",
      "# TYPE inngest_steps_running gauge",
    ])
      assert.match(text, new RegExp(pattern));
  } finally {
    await server.close();
    await app.close();
  }
});

test("calls under way are a gauge of their function", async () => {
  const app = await startAppStub("shop");
  const server = await startServer({ store: createMemoryStore() });
  const open = Promise.withResolvers<{ status: number; body: string }>();
  app.answerCall = () => open.promise;
  try {
    app.serverUrl = server.url;
    await register(app, "shop");
    await ask(server.url, "POST", "/invoke/shop-greet", { body: "{}" });
    await until(
      async () => (await fetch(`${server.url}/v1/prom/x`)).text(),
      (found) => found.includes('inngest_steps_running{app="shop",fn="shop-greet"} 1'),
    );
  } finally {
    open.resolve({ status: 200, body: "1" });
    await server.close();
    await app.close();
  }
});

test("a production server asks the scraper for a key", async () => {
  const keys = { kind: "cloud", signingKeys: ["signkey-test-00aa"] } as const;
  const server = await startServer({ store: createMemoryStore(), ...keys });
  try {
    const refused = await ask(server.url, "GET", "/v1/prom/production");
    assert.equal(look(refused.json, "code"), "authorization_header_missing");
    const headers = { authorization: "Bearer signkey-test-00aa" };
    const scraped = await fetch(`${server.url}/v1/prom/production`, { headers });
    assert.equal(scraped.status, 200);
    assert.match(scraped.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  } finally {
    await server.close();
  }
});
