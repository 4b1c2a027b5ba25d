import assert from "node:assert/strict";
import { test } from "node:test";
import {
  attemptSample,
  baseTime,
  callSample,
  hashSample,
  runSample,
  sleepSample,
  stepSample,
  ulidSample,
  waitJobSample,
} from "@pawl/store/contract/samples";
import type { StepRecord } from "@pawl/engine/records";
import { assertJson } from "@pawl/protocol/json-span";
import { toJsonText } from "@pawl/protocol/json-text";
import { outputIdOf, placeOfOutputId, type OutputPlace } from "./output-id.ts";
import { attemptOutput, runOutput, stepOutput } from "./outputs.ts";
import { infoOfStep } from "./step-info.ts";
import { buildTrace, type Span } from "./trace.ts";

const runId = ulidSample(1);
const running = runSample(1, { status: "running", startedAt: baseTime + 1 });
const empty = { functionName: "Order", steps: [], jobs: [], attempts: [] };

function faces(spans: readonly Span[]): readonly unknown[] {
  return spans.map(({ name, status, attempts, children }) => [
    name,
    status,
    attempts,
    ...(children.length === 0 ? [] : [faces(children)]),
  ]);
}

test("steps come below the run in order of time, attempts below steps that took several", () => {
  const id = hashSample(3);
  const trace = buildTrace({
    ...empty,
    run: running,
    steps: [
      stepSample(0, { startedAt: baseTime + 90, displayName: "late" }),
      stepSample(1, { id, startedAt: baseTime + 50, attempts: 2, displayName: "twice" }),
    ],
    attempts: [{ ...attemptSample(runId, 0), stepId: id, displayName: "twice" }],
  });
  assert.deepEqual(faces(trace.children), [
    [
      "twice",
      "completed",
      2,
      [
        ["Attempt 1", "failed", 1],
        ["Attempt 2", "completed", 2],
      ],
    ],
    ["late", "completed", 1],
  ]);
  assert.equal(trace.children[0]?.startedAt, baseTime);
  assert.equal(trace.outputId, null);
  assert.equal(trace.children[0]?.outputId, `${runId}.step.${id}`);
});

test("what is open shows what it waits for", () => {
  const trace = buildTrace({
    ...empty,
    run: running,
    jobs: [
      callSample(runId, { id: "step", target: "step" }),
      callSample(runId, {
        id: hashSample(1),
        target: hashSample(1),
        displayName: "planned",
        state: { at: "leased", epoch: 1, leaseUntil: baseTime },
      }),
      callSample(runId, {
        id: hashSample(9),
        target: hashSample(9),
        gateway: { kind: "infer", request: toJsonText({}) },
      }),
      sleepSample(runId, 2, baseTime + 99),
      waitJobSample(runId, 3),
    ],
  });
  assert.deepEqual(
    trace.children.map(({ op, status, info }) => [op, status, info?.type ?? null]),
    [
      ["run", "running", null],
      ["infer", "queued", null],
      ["sleep", "waiting", "sleep"],
      ["waitForEvent", "waiting", "waitForEvent"],
    ],
  );
});

test("attempts of the function are the run's own, and its end has an output", () => {
  const run = runSample(1, { status: "failed", startedAt: baseTime, endedAt: baseTime + 30 });
  const attempts = [
    { ...attemptSample(runId, 0), retryAt: baseTime + 5 },
    { ...attemptSample(runId, 1), retryAt: null },
  ];
  const trace = buildTrace({ ...empty, run, attempts });
  assert.equal(trace.attempts, 2);
  assert.equal(trace.outputId, `${runId}.run`);
  assert.deepEqual(faces(trace.children), [
    ["Attempt 1", "failed", 1],
    ["Attempt 2", "failed", 2],
  ]);
  assert.equal(buildTrace({ ...empty, run: running, attempts: attempts.slice(0, 1) }).attempts, 2);
});

test("a step that failed inside a discovery is shown until it is tried again", () => {
  const attempts = [
    { ...attemptSample(runId, 0), stepId: "abc", displayName: "flaky", retryAt: baseTime + 5 },
  ];
  const open = buildTrace({ ...empty, run: running, attempts });
  assert.deepEqual(faces(open.children), [["flaky", "queued", 1, [["Attempt 1", "failed", 1]]]]);
  const cancelled = runSample(1, { status: "cancelled", endedAt: baseTime + 9 });
  assert.equal(buildTrace({ ...empty, run: cancelled, attempts }).children[0]?.status, "cancelled");
});

test("output ids name their place and come back", () => {
  const places: readonly OutputPlace[] = [
    { kind: "run", runId },
    { kind: "step", runId, stepId: "a.b" },
    { kind: "attempt", runId, stepId: "a.1", attempt: 12 },
  ];
  for (const place of places) assert.deepEqual(placeOfOutputId(outputIdOf(place)), place);
  for (const text of ["", runId, `${runId}.`, `${runId}.attempt.a`, `${runId}.attempt..1`, ".run"])
    assert.equal(placeOfOutputId(text), null, text);
});

test("outputs lose their wrapper and nothing else", () => {
  const data = toJsonText({ error: 1 });
  const wrapped = runOutput(toJsonText({ data: { error: 1 } }), null);
  assert.deepEqual(wrapped, { input: null, data, error: null });
  const error = toJsonText({ message: "no" });
  assert.deepEqual(attemptOutput(error), { input: null, data: null, error });
  const failed = stepSample(0, {
    memo: toJsonText({ error: { message: "no" } }),
    opts: toJsonText({ input: [1], type: "x" }),
  });
  assert.deepEqual(stepOutput(failed), { input: toJsonText([1]), data: null, error });
  // An event that a wait got is no wrapper, whatever it holds.
  const event = toJsonText({ name: "a", data: {} });
  assert.equal(stepOutput(stepSample(0, { op: "waitForEvent", memo: event })).data, event);
  assert.equal(stepOutput(stepSample(0, { memo: toJsonText(5) })).data, "5");
  const opts = toJsonText({ url: "http://a" });
  const asked = stepSample(0, { op: "infer", opts, memo: toJsonText({ data: { a: 1 } }) });
  assert.deepEqual(stepOutput(asked), { input: opts, data: toJsonText({ a: 1 }), error: null });
});

test("a step that has ended shows what it had waited for, and how that ended", () => {
  const step = (
    op: StepRecord["op"],
    opts: string | null,
    memo: string,
    more: Partial<StepRecord> = {},
  ): StepRecord =>
    stepSample(0, {
      op,
      queuedAt: baseTime,
      endedAt: baseTime + 60_000,
      opts: opts === null ? null : assertJson(opts),
      memo: assertJson(memo),
      ...more,
    });
  const until = baseTime + 3_600_000;
  const opts = '{"event":"paid","timeout":"1h","if":"async.data.n > 1"}';
  const paid = { type: "waitForEvent", event: "paid", expression: "async.data.n > 1", until };
  assert.deepEqual(infoOfStep(step("waitForEvent", opts, '{"id":"e1","name":"paid"}')), {
    ...paid,
    end: { timedOut: false, eventId: "e1" },
  });
  assert.deepEqual(infoOfStep(step("waitForEvent", opts, "null")), {
    ...paid,
    end: { timedOut: true, eventId: null },
  });
  assert.deepEqual(infoOfStep(step("sleep", null, "null")), {
    type: "sleep",
    until: baseTime + 60_000,
  });
  assert.deepEqual(infoOfStep(step("waitForSignal", '{"signal":"s","timeout":"1h"}', "{}")), {
    type: "waitForSignal",
    signal: "s",
    until,
    end: { timedOut: false, eventId: null },
  });
  const called = '{"function_id":"shop-child","timeout":"30s"}';
  assert.deepEqual(infoOfStep(step("invoke", called, '{"error":{}}', { status: "failed" })), {
    type: "invoke",
    functionSlug: "shop-child",
    childRunId: null,
    until: baseTime + 30_000,
    end: { timedOut: true, eventId: null },
  });
  const events = '{"events":[{"name":"a","event":"x"},{"name":"b","event":"y","if":"true"}]}';
  const many = infoOfStep(step("waitForAny", events, '{"data":{"b":{"id":"e2"}}}'));
  assert.deepEqual(many?.type === "waitForEvents" && many.branches, [
    { name: "a", event: "x", expression: null, eventId: null },
    { name: "b", event: "y", expression: "true", eventId: "e2" },
  ]);
  assert.equal(infoOfStep(step("run", null, '{"data":1}')), null);
});
