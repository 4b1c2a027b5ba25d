// The REST API v2 over real sockets.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, look, lookArray, until, type Answer } from "../../http/test-client.ts";
import { startServer, type PawlServer } from "../../server.ts";
import { register, startAppStub, type AppStub } from "../../sync/app-stub.ts";

let server: PawlServer;
let app: AppStub;

const step =
  '[{"op":"StepRun","id":"abc","displayName":"charge","data":{"big":12345678901234567890}}]';

before(async () => {
  app = await startAppStub("shop");
  server = await startServer({ store: createMemoryStore() });
  app.serverUrl = server.url;
  assert.equal((await register(app, "shop")).status, 200);
  app.answerCall = (call) => {
    if (look(call, "event.data.sleep") === true)
      return { status: 206, body: '[{"op":"Sleep","id":"def","displayName":"nap","name":"1h"}]' };
    return look(call, "steps.abc") === undefined
      ? { status: 206, body: step }
      : { status: 200, body: '"done"' };
  };
});

after(async () => {
  await server.close();
  await app.close();
});

async function asked(method: string, path: string, body?: unknown): Promise<Answer> {
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  return ask(server.url, method, path, text);
}

async function invoke(data: object): Promise<string> {
  const { status, json } = await asked("POST", "/v2/apps/shop/functions/greet/invoke", { data });
  assert.equal(status, 201, JSON.stringify(json));
  return String(look(json, "data.runId"));
}

async function ended(runId: string): Promise<Answer> {
  return until(
    () => asked("GET", `/v2/runs/${runId}?includeOutput=true`),
    ({ json }) => look(json, "data.endedAt") !== null,
  );
}

test("a function is started by the id its author gave it, and its run is shown", async () => {
  const { json } = await ended(await invoke({ n: 1 }));
  assert.deepEqual(look(json, "data.function"), { id: "greet", name: "Greet" });
  assert.deepEqual(look(json, "data.app"), { id: "shop" });
  assert.equal(look(json, "data.status"), "COMPLETED");
  assert.equal(look(json, "data.output"), "done");
  assert.ok(Number.isInteger(look(json, "data.durationMs")));
  const eventId = String(look(json, "data.trigger.eventIds.0"));
  const ofEvent = await asked("GET", `/v2/events/${eventId}/runs`);
  assert.equal(look(ofEvent.json, "data.0.id"), look(json, "data.id"));
  assert.equal(look(ofEvent.json, "page.hasMore"), false);
});

test("runs are listed in pages, at both addresses", async () => {
  for (const n of [1, 2, 3]) await ended(await invoke({ n }));
  const all = await asked("GET", "/v2/runs?limit=100&status=COMPLETED");
  const seen: unknown[] = [];
  for (let cursor = ""; ; ) {
    const { json } = await asked("GET", `/api/v2/runs?limit=2&status=COMPLETED&cursor=${cursor}`);
    seen.push(...lookArray(json, "data").map((run) => look(run, "id")));
    if (look(json, "page.hasMore") !== true) break;
    cursor = String(look(json, "page.cursor"));
  }
  assert.deepEqual(
    seen,
    lookArray(all.json, "data").map((run) => look(run, "id")),
  );
  const ofFunction = await asked("GET", "/v2/apps/shop/functions/shop-greet/runs?limit=1");
  assert.equal(lookArray(ofFunction.json, "data").length, 1);
});

test("a trace is cut at a depth and carries outputs when asked", async () => {
  const runId = await invoke({ n: 1 });
  await ended(runId);
  const url = `${server.url}/v2/runs/${runId}/trace`;
  const text = await (await fetch(`${url}?includeOutput=true`)).text();
  assert.match(text, /"output":\{"big":12345678901234567890\}/);
  const cut = await asked("GET", `/v2/runs/${runId}/trace?maxDepth=1`);
  assert.equal(look(cut.json, "data.rootSpan.childrenTruncated"), true);
  assert.deepEqual(look(cut.json, "data.rootSpan.children"), []);
  const whole = await asked("GET", `/v2/runs/${runId}/trace`);
  assert.equal(look(whole.json, "data.rootSpan.children.0.stepOp"), "RUN");
  assert.equal(typeof look(whole.json, "data.rootSpan.durationMs"), "string");
});

test("a run is cancelled once", async () => {
  const runId = await invoke({ sleep: true });
  assert.equal((await asked("POST", `/v2/runs/${runId}/cancel`)).status, 200);
  const again = await asked("POST", `/v2/runs/${runId}/cancel`);
  assert.equal(again.status, 409);
  assert.equal(look(again.json, "errors.0.code"), "state_conflict");
});

test("events are sent, apps and functions are shown", async () => {
  const sent = await asked("POST", "/v2/events", { name: "greet", data: { n: 1 } });
  assert.match(String(look(sent.json, "data.eventId")), /^[0-9A-Z]{26}$/);
  assert.equal(look((await asked("GET", "/v2/apps")).json, "data.0.id"), "shop");
  assert.equal(look((await asked("GET", "/v2/apps/shop")).json, "data.functionCount"), 1);
  const fns = await asked("GET", "/v2/apps/shop/functions");
  assert.equal(look(fns.json, "data.0.slug"), "shop-greet");
  const fn = await asked("GET", "/v2/apps/shop/functions/greet");
  assert.deepEqual(look(fn.json, "data.triggers"), [
    { type: "EVENT", value: "greet", condition: null },
  ]);
  assert.equal(look((await asked("GET", "/v2/health")).json, "data.status"), "ok");
});

test("refusals are errors with codes", async () => {
  const cases: readonly (readonly [string, string, number, string, unknown?])[] = [
    ["GET", "/v2/runs?limit=101", 400, "invalid_request"],
    ["GET", "/v2/runs?odd=1", 400, "invalid_request"],
    ["GET", "/v2/runs/nothing", 404, "not_found"],
    ["GET", "/v2/runs/nothing/trace", 404, "not_found"],
    ["GET", "/v2/runs/nothing/trace?maxDepth=11", 400, "invalid_request"],
    ["GET", "/v2/apps/nothing", 404, "not_found"],
    ["POST", "/v2/apps/shop/functions/nothing/invoke", 404, "not_found", {}],
    ["POST", "/v2/apps/shop/functions/greet/invoke", 400, "invalid_request", { odd: 1 }],
    [
      "POST",
      "/v2/apps/shop/functions/greet/invoke",
      400,
      "invalid_field_format",
      { idempotencyKey: "" },
    ],
    ["POST", "/v2/runs/x/cancel", 400, "invalid_request", { odd: 1 }],
    ["POST", "/v2/events", 400, "missing_field", { data: {} }],
    ["POST", "/v2/events", 400, "invalid_field_format", { name: "x", data: [] }],
    ["POST", "/v2/events", 400, "invalid_request", [1]],
    ["POST", "/v2/apps/shop/syncs", 400, "missing_field", {}],
    ["POST", "/v2/apps/shop/syncs", 400, "invalid_field_format", { url: "ftp://x" }],
    ["POST", "/v2/runs/x/rerun", 400, "missing_field", { fromStep: {} }],
    ["POST", "/v2/sandboxes", 501, "not_implemented"],
    ["GET", "/api/v2/account", 501, "not_implemented"],
    ["POST", "/v2/runs/x/rerun", 404, "not_found"],
  ];
  for (const [method, path, status, code, body] of cases) {
    const { status: got, json } = await asked(method, path, body);
    assert.deepEqual([got, look(json, "errors.0.code")], [status, code], `${method} ${path}`);
    assert.ok(typeof look(json, "errors.0.message") === "string");
  }
});

test("an invocation with an idempotency key starts one run; the same key again names it", async () => {
  const path = "/v2/apps/shop/functions/greet/invoke";
  const once = await asked("POST", path, { data: { n: 1 }, idempotencyKey: "order-7" });
  assert.equal(once.status, 201);
  const again = await asked("POST", path, { data: { n: 2 }, idempotencyKey: "order-7" });
  assert.equal(again.status, 409);
  assert.equal(look(again.json, "errors.0.code"), "idempotency_conflict");
  assert.equal(look(again.json, "data.runId"), look(once.json, "data.runId"));
  const other = await asked("POST", path, { data: { n: 1 }, idempotencyKey: "order-8" });
  assert.notEqual(look(other.json, "data.runId"), look(once.json, "data.runId"));
});

test("a production server asks for its signing key", async () => {
  const closed = await startServer({
    store: createMemoryStore(),
    kind: "cloud",
    signingKeys: ["signkey-test-00aa"],
    eventKeys: ["k"],
  });
  try {
    const denied = await ask(closed.url, "GET", "/v2/runs");
    assert.equal(denied.status, 401);
    assert.equal(look(denied.json, "errors.0.code"), "authorization_header_missing");
    const wrong = { authorization: "Bearer signkey-test-00bb" };
    const refused = await ask(closed.url, "GET", "/v2/runs", { headers: wrong });
    assert.equal(look(refused.json, "errors.0.code"), "invalid_signing_key");
    const headers = { authorization: "Bearer signkey-test-00aa" };
    assert.equal((await ask(closed.url, "GET", "/v2/runs", { headers })).status, 200);
    assert.equal((await ask(closed.url, "GET", "/v2/health")).status, 200);
  } finally {
    await closed.close();
  }
});
