import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  AppRecord,
  CallJob,
  FunctionRecord,
  RunRecord,
  StepRecord,
} from "@pawl/engine/records";
import { defaultSettings } from "@pawl/engine/settings";
import { HotState } from "@pawl/engine/state/hot-state";
import type { Change } from "@pawl/engine/changes";
import { assertJson } from "@pawl/protocol/json-span";
import { toJsonText } from "@pawl/protocol/json-text";
import { dispatchId } from "@pawl/protocol/dispatch-id";
import { event } from "../loop/testing/fixtures.ts";
import { spanIdOf, traceIdOf } from "../api/words.ts";
import { buildCall, defaultRequestOptions } from "./request.ts";
import { StepUrl } from "./step-url.ts";

const runId = "01J0000000000000000000RVN0";
const effect = { type: "call", runId, jobId: "step", generation: 2 } as const;

function state(
  more: { sdk?: string; memoChars?: number; target?: string; error?: object; input?: string } = {},
): HotState {
  const hot = new HotState({ ...defaultSettings, epoch: 1 });
  const cause = event("shop/order", { n: 1 });
  const fn: FunctionRecord = {
    id: "7b1c4c1e-0000-5000-8000-000000000000",
    slug: "shop-f",
    name: "f",
    appId: "app",
    url: "http://localhost:3000/api?fnId=shop-f&step=step",
    triggers: [],
    retries: 3,
    version: 1,
    config: toJsonText({}),
    pausedAt: null,
  };
  const app: AppRecord = {
    id: "app",
    name: "shop",
    url: "http://localhost:3000/api",
    sdk: more.sdk ?? "js:v4.24.0",
    framework: null,
    platform: null,
    appVersion: null,
    checksum: "",
    error: null,
    functions: [fn],
    createdAt: 0,
    updatedAt: 0,
  };
  hot.boot({ apps: [app], waitPaths: [], queues: [], runtimeSchedules: 0 });
  const apply = (change: unknown): void => hot.apply(change as Change); // proof: shaped below as changes are
  const face = {
    displayName: "a",
    userId: "a",
    userIndex: 0,
    stepType: null,
    opts: null,
    queuedAt: 0,
  };
  const run: Partial<RunRecord> = {
    id: runId,
    functionId: fn.id,
    appId: "app",
    status: "running",
    eventIds: [cause.id],
    requestVersion: 2,
    forcePlan: true,
    gates: [],
  };
  const step: Partial<StepRecord> = {
    ...face,
    id: "abc",
    seq: 0,
    op: "run",
    ...(more.error === undefined
      ? { status: "completed", memo: toJsonText({ data: "x".repeat(more.memoChars ?? 1) }) }
      : { status: "failed", memo: toJsonText({ error: more.error }) }),
  };
  const job: Partial<CallJob> = {
    ...face,
    runId,
    id: "step",
    kind: "call",
    target: more.target ?? "step",
    attempt: 1,
    attemptsMax: 4,
    generation: 2,
    gateway: null,
    input: more.input === undefined ? null : assertJson(more.input),
    state: { at: "leased", epoch: 1, leaseUntil: 9 },
  };
  apply({ type: "event.put", event: cause, keys: [] });
  apply({ type: "run.put", run });
  apply({ type: "step.put", runId, step });
  apply({ type: "job.put", job });
  return hot;
}

interface Body {
  readonly steps: unknown;
  readonly use_api: boolean;
  readonly events: readonly { readonly name: string }[];
  readonly ctx: Readonly<Record<string, unknown>>;
}

// proof: the tests look at what the protocol says about it.
const bodyOf = (text: string): Body => JSON.parse(text) as Body;

test("a request holds the run's events, steps and place in its attempts", () => {
  const call = buildCall(effect, state(), defaultRequestOptions);
  const body = bodyOf(call.body);
  assert.equal(call.requestId, dispatchId(runId, "step", 2));
  assert.equal(call.traceparent, `00-${traceIdOf(runId)}-${spanIdOf(runId, "run")}-01`);
  assert.equal(call.url, "http://localhost:3000/api?fnId=shop-f&step=step&stepId=step");
  assert.deepEqual(body.steps, { abc: { data: "x" } });
  assert.equal(body.events[0]?.name, "shop/order");
  assert.deepEqual(
    [
      body.ctx["attempt"],
      body.ctx["max_attempts"],
      body.ctx["stack"],
      body.ctx["disable_immediate_execution"],
      body.use_api,
    ],
    [1, 4, { stack: ["abc"], current: 1 }, true, false],
  );
});

test("a step that runs with edited input is told so beside the finished ones", () => {
  const call = buildCall(effect, state({ target: "def", input: "[1,2]" }), defaultRequestOptions);
  assert.deepEqual(bodyOf(call.body).steps, { abc: { data: "x" }, def: { input: [1, 2] } });
});

test("above 4 MB the app is told to fetch, unless its SDK cannot", () => {
  const memoChars = 4 * 1024 * 1024;
  const js = bodyOf(buildCall(effect, state({ memoChars }), defaultRequestOptions).body);
  assert.deepEqual([js.use_api, js.ctx["use_api"], js.steps], [true, true, {}]);
  const go = bodyOf(
    buildCall(effect, state({ memoChars, sdk: "go:v0.16.0" }), defaultRequestOptions).body,
  );
  assert.equal(go.use_api, false);
});

test("errors of steps get a member data for the Go SDK, and stay as they are for others", () => {
  const stepsFor = (sdk: string, error: object): unknown =>
    bodyOf(buildCall(effect, state({ sdk, error }), defaultRequestOptions).body).steps;
  const error = { name: "Error", message: "no" };
  for (const sdk of ["go:v0.16.0", "inngest-go:v0.16.0"]) {
    assert.deepEqual(stepsFor(sdk, error), { abc: { error: { data: null, ...error } } });
    assert.deepEqual(stepsFor(sdk, {}), { abc: { error: { data: null } } });
    const own = { ...error, data: { n: 1 } };
    assert.deepEqual(stepsFor(sdk, own), { abc: { error: own } });
  }
  assert.deepEqual(stepsFor("js:v4.24.0", error), { abc: { error } });
});

test("a call that the state does not hold cannot be built", () => {
  assert.throws(
    () => buildCall({ ...effect, generation: 1 }, state(), defaultRequestOptions),
    /generation 1/,
  );
});

test("the registered URL keeps everything but stepId", () => {
  const at = (registered: string): string => new StepUrl(registered).at("0a1b");
  assert.equal(at("http://h/p?fnId=a&stepId=step"), "http://h/p?fnId=a&stepId=0a1b");
  assert.equal(at("http://h/p?fnId=a&step=step"), "http://h/p?fnId=a&step=step&stepId=0a1b");
  assert.equal(at("http://h"), "http://h/?stepId=0a1b");
  assert.equal(at("https://h/p?stepId=step&x=%20y#frag"), "https://h/p?stepId=0a1b&x=+y");
  assert.throws(() => new StepUrl("not a url"), TypeError);
});
