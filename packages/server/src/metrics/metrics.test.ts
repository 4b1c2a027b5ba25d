import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryStore } from "@pawl/store/memory-store";
import {
  attemptSample,
  baseTime,
  eventSample,
  runSample,
  stepSample,
  ulidSample,
} from "@pawl/store/contract/samples";
import { until } from "../http/test-client.ts";
import { startServer } from "../server.ts";
import { register, startAppStub } from "../sync/app-stub.ts";
import { writeExposition } from "./exposition.ts";
import { FunctionMeter } from "./function-meter.ts";
import { Histogram } from "./histogram.ts";
import { Meter, meteredStore } from "./meter.ts";

test("a histogram counts each observation in every bucket above it", () => {
  const histogram = new Histogram([1, 10]);
  for (const value of [0.5, 1, 2, 11]) histogram.observe(value);
  assert.deepEqual(histogram.cumulative(), [2, 3]);
  assert.deepEqual([histogram.count, histogram.sum], [4, 14.5]);
});

test("the exposition has a line for each series, with labels escaped", () => {
  const histogram = new Histogram([1]);
  histogram.observe(2);
  const text = writeExposition([
    {
      name: "a_total",
      help: "Two\nlines.",
      type: "counter",
      samples: [{ value: 1 }, { labels: { x: 'q"\\' }, value: 2 }],
    },
    { name: "b", help: "Sizes.", type: "histogram", histogram },
  ]);
  assert.equal(
    text,
    [
      "# HELP a_total Two\\nlines.",
      "# TYPE a_total counter",
      "a_total 1",
      'a_total{x="q\\"\\\\"} 2',
      "# HELP b Sizes.",
      "# TYPE b histogram",
      'b_bucket{le="1"} 0',
      'b_bucket{le="+Inf"} 1',
      "b_sum 2",
      "b_count 1",
      "",
    ].join("\n"),
  );
});

test("a metered store counts what it commits, and a run once for all its writes", async () => {
  const meter = new Meter(
    new FunctionMeter({ functionsMax: 10, now: () => baseTime, functionOf: () => null }),
  );
  let now = 0;
  const store = meteredStore(createMemoryStore(), meter, () => (now += 2));
  const fence = await store.open();
  await store.commit(
    [
      { type: "event.put", event: eventSample(1), keys: [] },
      { type: "run.put", run: runSample(1, { status: "queued", requestVersion: -1 }) },
      { type: "run.put", run: runSample(1, { status: "failed", endedAt: baseTime }) },
      { type: "run.put", run: runSample(1, { status: "completed", endedAt: baseTime }) },
      { type: "step.put", runId: ulidSample(1), step: stepSample(0) },
      { type: "attempt.put", attempt: attemptSample(ulidSample(1), 0) },
    ],
    fence,
  );
  assert.deepEqual(meter.runsEnded, { completed: 1, failed: 0, cancelled: 0, skipped: 0 });
  assert.deepEqual(
    [meter.events, meter.runsStarted, meter.steps, meter.failedAttempts],
    [1, 1, 1, 1],
  );
  assert.equal(meter.commitChanges.sum, 6);
  assert.equal(meter.commitSeconds.sum, 0.002);
  await assert.rejects(store.commit([], { epoch: fence.epoch - 1 }));
  assert.equal(meter.commitFailures, 1);
});

test("/metrics tells of runs, calls and commits, and asks for the key in production", async () => {
  const app = await startAppStub("shop");
  const server = await startServer({ store: createMemoryStore() });
  const closed = await startServer({
    store: createMemoryStore(),
    kind: "cloud",
    signingKeys: ["signkey-test-00aa"],
  });
  try {
    app.serverUrl = server.url;
    await register(app, "shop");
    const body = '{"name":"greet"}';
    await fetch(`${server.url}/e/key`, { method: "POST", body });
    const text = await until(
      async () => (await fetch(`${server.url}/metrics`)).text(),
      (found) => found.includes('pawl_runs_ended_total{status="completed"} 1'),
    );
    for (const line of [
      "inngest_queue_depth 0",
      "pawl_calls_in_flight 0",
      'pawl_runs{status="running"} 0',
      "pawl_events_total 1",
      "pawl_runs_started_total 1",
      'pawl_commit_seconds_bucket{le="+Inf"}',
    ])
      assert.ok(text.includes(line), line);
    assert.equal((await fetch(`${closed.url}/metrics`)).status, 401);
    const headers = { authorization: "Bearer signkey-test-00aa" };
    assert.equal((await fetch(`${closed.url}/metrics`, { headers })).status, 200);
  } finally {
    await Promise.all([server.close(), closed.close()]);
    await app.close();
  }
});
