// Signals over real sockets, and how every API shows steps that wait for them or for several events.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, look, until } from "../http/test-client.ts";
import { startServer, type PawlServer } from "../server.ts";
import { register, startAppStub, type AppStub } from "../sync/app-stub.ts";

let server: PawlServer;
let app: AppStub;

const events = '[{"name":"paid","event":"order/paid","if":"true"},{"name":"gone","event":"gone"}]';

/** What the app answers first, by `data.kind` of the event; then it returns what it was given. */
const opcodes: Readonly<Record<string, string>> = {
  signal: '"op":"WaitForSignal","id":"w","opts":{"signal":"ok/1","timeout":"1h"}',
  any: `"op":"WaitForEvents","id":"w","opts":{"mode":"any","events":${events},"timeout":"1h"}`,
  all: `"op":"WaitForEvents","id":"w","opts":{"mode":"all","events":${events},"timeout":"1h"}`,
};

before(async () => {
  app = await startAppStub("shop");
  server = await startServer({
    store: createMemoryStore(),
    settings: { signalDataCharsMax: 100, signalNameCharsMax: 20 },
  });
  app.serverUrl = server.url;
  assert.equal((await register(app, "shop")).status, 200);
  app.answerCall = (call) => {
    const memo = look(call, "steps.w");
    const kind = String(look(call, "event.data.kind"));
    return memo === undefined
      ? { status: 206, body: `[{${opcodes[kind] ?? ""}}]` }
      : { status: 200, body: JSON.stringify(memo) };
  };
});

after(async () => {
  await server.close();
  await app.close();
});

async function runWaiting(kind: string): Promise<string> {
  const body = JSON.stringify({ name: "greet", data: { kind } });
  const sent = await ask(server.url, "POST", "/e/key", { body });
  const path = `/v1/events/${String(look(sent.json, "ids.0"))}/runs`;
  const runs = await until(
    () => ask(server.url, "GET", path),
    ({ json }) => look(json, "data.0.run_id") !== undefined,
  );
  const runId = String(look(runs.json, "data.0.run_id"));
  await until(
    () => ask(server.url, "GET", `/v1/runs/${runId}/trace`),
    ({ json }) => look(json, "data.children.0.status") === "WAITING",
  );
  return runId;
}

async function output(runId: string): Promise<unknown> {
  const run = await until(
    () => ask(server.url, "GET", `/v1/runs/${runId}`),
    ({ json }) => look(json, "data.status") === "Completed",
  );
  return look(run.json, "data.output");
}

function signal(body: string) {
  return ask(server.url, "POST", "/v1/signals", { body });
}

async function graphql(runId: string): Promise<unknown> {
  const query = `{ run(runID: "${runId}") { trace { childrenSpans { stepOp stepType stepInfo { __typename
    ... on WaitForSignalStepInfo { signal timeout } ... on WaitForEventStepInfo { eventName } } } } } }`;
  const answer = await ask(server.url, "POST", "/v0/gql", { body: JSON.stringify({ query }) });
  return look(answer.json, "data.run.trace.childrenSpans.0");
}

test("a signal reaches the run that waits for it; then nobody waits any more", async () => {
  const runId = await runWaiting("signal");
  const sent = await signal('{"signal":"ok/1","data":{"n":1.5}}');
  assert.deepEqual([sent.status, look(sent.json, "data.run_id")], [200, runId]);
  assert.ok(typeof look(sent.json, "metadata.fetched_at") === "string");
  assert.deepEqual(await output(runId), {
    data: { signal: "ok/1", data: { n: 1.5 } },
  });
  const again = await signal('{"signal":"ok/1"}');
  assert.equal(again.status, 404);
  assert.deepEqual(again.json, {
    error: "No signal found",
    status: 404,
    code: "signal_not_found",
  });
});

test("the same signal twice at once resumes one run, once", async () => {
  const runId = await runWaiting("signal");
  const answers = await Promise.all([1, 2, 3].map(() => signal('{"signal":"ok/1","data":1}')));
  assert.deepEqual(answers.map(({ status }) => String(status)).toSorted(), ["200", "404", "404"]);
  assert.deepEqual(await output(runId), { data: { signal: "ok/1", data: 1 } });
  const resent = await runWaiting("signal");
  const once = await Promise.all([1, 2, 3].map(() => signal('{"signal":"ok/1","id":"i1"}')));
  assert.deepEqual(
    once.map(({ json }) => look(json, "data.run_id")),
    [resent, resent, resent],
    "under one id all are answered like the first",
  );
});

test("bodies that do not fit are refused with the reason", async () => {
  const cases: readonly [body: string, status: number, code: string, says: RegExp][] = [
    ["{", 400, "json_invalid", /JSON/],
    ["{}", 400, "body_invalid", /signal/],
    ['{"signal":""}', 400, "body_invalid", /signal/],
    ['{"signal":"a","types":[1]}', 400, "body_invalid", /types/],
    [`{"signal":"${"x".repeat(21)}"}`, 413, "signal_too_large", /limit is 20.*signalNameCharsMax/],
    [
      `{"signal":"a","data":"${"x".repeat(100)}"}`,
      413,
      "signal_too_large",
      /limit is 100.*signalDataCharsMax/,
    ],
  ];
  for (const [body, status, code, says] of cases) {
    const refused = await signal(body);
    assert.deepEqual([refused.status, look(refused.json, "code")], [status, code]);
    assert.match(String(look(refused.json, "error")), says);
  }
});

test("REST, REST v2 and GraphQL show that a step waits for a signal", async () => {
  const runId = await runWaiting("signal");
  const v1 = await ask(server.url, "GET", `/v1/runs/${runId}/trace`);
  assert.equal(look(v1.json, "data.children.0.step_op"), "WAIT_FOR_SIGNAL");
  assert.equal(look(v1.json, "data.children.0.step_info.signal"), "ok/1");
  const v2 = await ask(server.url, "GET", `/v2/runs/${runId}/trace`);
  assert.equal(look(v2.json, "data.rootSpan.children.0.stepOp"), "WAIT_FOR_SIGNAL");
  const span = await graphql(runId);
  assert.equal(look(span, "stepOp"), "WAIT_FOR_SIGNAL");
  assert.equal(look(span, "stepInfo.__typename"), "WaitForSignalStepInfo");
  assert.equal(look(span, "stepInfo.signal"), "ok/1");
  assert.equal((await signal('{"signal":"ok/1"}')).status, 200);
  await output(runId);
  assert.equal(look(await graphql(runId), "stepOp"), "WAIT_FOR_SIGNAL", "and that it has");
});

test("a step that waits for several events is shown with what has come", async () => {
  const runId = await runWaiting("all");
  await ask(server.url, "POST", "/e/key", { body: '{"name":"gone","id":"e1"}' });
  const trace = await until(
    () => ask(server.url, "GET", `/v1/runs/${runId}/trace`),
    ({ json }) => look(json, "data.children.0.step_info.events.1.event_id") === "e1",
  );
  assert.deepEqual(look(trace.json, "data.children.0.step_info.events"), [
    { name: "paid", event_name: "order/paid", expression: "true", event_id: null },
    { name: "gone", event_name: "gone", expression: null, event_id: "e1" },
  ]);
  const span = await graphql(runId);
  assert.equal(look(span, "stepOp"), "WAIT_FOR_EVENT");
  assert.equal(look(span, "stepInfo.eventName"), "order/paid, gone");
  await ask(server.url, "POST", "/e/key", { body: '{"name":"order/paid","id":"e2"}' });
  const ended = await output(runId);
  assert.deepEqual([look(ended, "data.paid.id"), look(ended, "data.gone.id")], ["e2", "e1"]);
});

test("the first of several events ends the step, and says which it is", async () => {
  const runId = await runWaiting("any");
  await ask(server.url, "POST", "/e/key", { body: '{"name":"gone","id":"e3"}' });
  const ended = await output(runId);
  assert.deepEqual([look(ended, "data.name"), look(ended, "data.event.id")], ["gone", "e3"]);
});
