// The queue before the collector, on a virtual clock: bounded, counted, never waited for.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change } from "@pawl/engine/changes";
import { silentLog } from "../loop/log.ts";
import { rest, VirtualClock } from "../loop/testing/virtual-clock.ts";
import { RunExport } from "./run-export.ts";

/** The change that ends a run; nothing else of it is looked at. */
function end(runId: string): Change {
  return { type: "run.put", run: { id: runId, endedAt: 1 } } as Change; // proof: the fields that are read
}

/** An exporter whose collector answers as told; spans are as many as the run's id says. */
function exporter(queueMax: number, send: () => Promise<string | null>) {
  const clock = new VirtualClock();
  const sizes: number[] = [];
  const warnings: string[] = [];
  const made = new RunExport({
    options: { url: "http://collector/v1/traces", headers: {}, serviceName: "pawl", queueMax },
    endedRun: (runId) => Promise.resolve({ runId } as never), // proof: only handed on to the sender below
    loadSender: () =>
      Promise.resolve({
        spansOf: () => [{} as never], // proof: only counted
        send: (spans) => {
          sizes.push(spans.length);
          return send();
        },
        close: () => Promise.resolve(),
      }),
    clock,
    log: { ...silentLog, warn: (_fields, message) => void warnings.push(message) },
  });
  return { made, clock, sizes, warnings };
}

const ids = (count: number): Change[] =>
  Array.from({ length: count }, (_, n) => end(`r${String(n)}`));

test("runs gather and go out together, in requests of a bounded size", async () => {
  const { made, clock, sizes } = exporter(2_000, () => Promise.resolve(null));
  made.committed([...ids(600), ...ids(600)]);
  assert.deepEqual(sizes, []);
  await clock.advance(500);
  while (made.counts.runsWaiting > 0) await rest();
  await rest();
  assert.deepEqual(sizes, [512, 88]);
  assert.deepEqual(made.counts, {
    spansSent: 600,
    spansDropped: 0,
    runsDropped: 0,
    runsWaiting: 0,
  });
});

test("a collector that never answers costs no more than the queue; a stop does not wait for it", async () => {
  const { made, clock, warnings } = exporter(3, () => new Promise(() => undefined));
  made.committed(ids(1));
  await clock.advance(500);
  made.committed(ids(5));
  await clock.advance(10_000);
  assert.deepEqual(made.counts, { spansSent: 0, spansDropped: 0, runsDropped: 2, runsWaiting: 3 });
  assert.match(warnings[0] ?? "", /the queue is full \(--otlp-queue-max 3\)/);
  let over = false;
  const flushed = made.flush(5_000).then(() => (over = true));
  await clock.advance(4_999);
  assert.equal(over, false);
  await clock.advance(1);
  await flushed;
  assert.equal(made.counts.runsDropped, 5);
  made.committed(ids(1));
  assert.equal(made.counts.runsWaiting, 0);
});

test("trouble is told once a minute, with what was dropped", async () => {
  const { made, clock, warnings } = exporter(10, () => Promise.resolve("refused"));
  for (let n = 0; n < 5; n += 1) {
    made.committed([end(`r${String(n)}`)]);
    await clock.advance(20_000);
  }
  assert.equal(made.counts.spansDropped, 5);
  assert.equal(warnings.length, 2);
  assert.match(warnings[1] ?? "", /collector at http:\/\/collector: refused; 4 span/);
});
