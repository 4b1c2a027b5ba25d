// A whole server on the memory store, spoken to through real sockets, with a stub for an app.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, look, lookArray, until, type Answer } from "./http/test-client.ts";
import { startServer, type PawlServer } from "./server.ts";
import { register, startAppStub, type AppStub } from "./sync/app-stub.ts";

let server: PawlServer;
let app: AppStub;

before(async () => {
  app = await startAppStub("shop");
  server = await startServer({ store: createMemoryStore() });
  app.serverUrl = server.url;
  assert.equal((await register(app, "shop")).status, 200);
});

after(async () => {
  await server.close();
  await app.close();
});

beforeEach(() => {
  app.expression = undefined;
  app.registerHeaders = {};
});

async function asked(
  method: string,
  path: string,
  body?: string,
  headers?: Record<string, string>,
): Promise<Answer> {
  return ask(server.url, method, path, {
    ...(body === undefined ? null : { body }),
    ...(headers === undefined ? null : { headers }),
  });
}

async function send(body: string, headers?: Record<string, string>): Promise<string[]> {
  const { json, status } = await asked("POST", "/e/key", body, headers);
  assert.equal(status, 200, JSON.stringify(json));
  return lookArray(json, "ids").map(String);
}

interface ShownRun {
  readonly id: string;
  readonly status: unknown;
  readonly output: unknown;
}

async function runsOf(eventId: string): Promise<ShownRun[]> {
  const { json } = await asked("GET", `/v1/events/${eventId}/runs`);
  return lookArray(json, "data").map((run) => ({
    id: String(look(run, "run_id")),
    status: look(run, "status"),
    output: look(run, "output"),
  }));
}

test("an event starts a run, the run ends, and its output is shown", async () => {
  const [eventId = ""] = await send('{"name":"greet","data":{"n":12345678901234567890}}');
  const [run] = await until(
    () => runsOf(eventId),
    ([first]) => first?.status === "Completed",
  );
  assert.equal(run?.output, "hello");
  const one = await asked("GET", `/v1/runs/${run?.id ?? ""}`);
  assert.equal(look(one.json, "data.event_id"), eventId);
  assert.equal(look(one.json, "data.status"), "Completed");
  assert.ok(
    String(look(one.json, "data.ended_at")) >= String(look(one.json, "data.run_started_at")),
  );
  const raw = await (await fetch(`${server.url}/v0/runs/${run?.id ?? ""}/batch`)).text();
  assert.match(raw, /^\[\{.*"data":\{"n":12345678901234567890\}.*\}\]$/);
  assert.deepEqual((await asked("GET", `/v0/runs/${run?.id ?? ""}/actions`)).json, {});
});

test("a failed run shows its error as output", async () => {
  const before = app.answerCall;
  app.answerCall = () => ({ status: 500, body: '{"name":"Error","message":"out of stock"}' });
  try {
    const [eventId = ""] = await send('{"name":"greet"}');
    const [run] = await until(
      () => runsOf(eventId),
      ([first]) => first?.status === "Failed",
    );
    assert.match(JSON.stringify(run?.output), /out of stock/);
  } finally {
    app.answerCall = before;
  }
});

test("memoized steps are shown as the text that arrived", async () => {
  const before = app.answerCall;
  const step =
    '[{"op":"StepRun","id":"abc","name":"abc","data":{"big":12345678901234567890}},{"op":"Sleep","id":"def","name":"1h"}]';
  app.answerCall = () => ({ status: 206, body: step });
  try {
    const [eventId = ""] = await send('{"name":"greet"}');
    const [run] = await until(
      () => runsOf(eventId),
      (runs) => runs.length === 1,
    );
    const path = `${server.url}/v0/runs/${run?.id ?? ""}/actions`;
    const text = await until(
      async () => (await fetch(path)).text(),
      (found) => found !== "{}",
    );
    assert.equal(text, '{"abc":{"data":{"big":12345678901234567890}}}');
    const cancelled = await asked("DELETE", `/v1/runs/${run?.id ?? ""}`);
    assert.equal(cancelled.status, 200);
    assert.equal((await runsOf(eventId))[0]?.status, "Cancelled");
    const shown = (await asked("GET", `/v1/runs/${run?.id ?? ""}`)).json;
    assert.equal(look(shown, "data.end_reason"), "cancelled through the API");
    assert.equal(
      look((await asked("DELETE", `/v1/runs/${run?.id ?? ""}`)).json, "code"),
      "run_ended",
    );
  } finally {
    app.answerCall = before;
  }
});

test("ids are in order of input, and the same seed yields the same ids and one run", async () => {
  const headers = {
    "x-inngest-event-id-seed": `1700000000000,${Buffer.alloc(10, 7).toString("base64")}`,
  };
  const body = '[{"name":"greet"},{"name":"greet"}]';
  const first = await send(body, headers);
  const second = await send(body, headers);
  assert.deepEqual(second, first);
  assert.equal(new Set(first).size, 2);
  for (const id of first) assert.equal((await runsOf(id)).length, 1);
});

test("a seed that is malformed is as good as none", async () => {
  const headers = { "x-inngest-event-id-seed": "yesterday" };
  const [first] = await send('{"name":"other"}', headers);
  const [second] = await send('{"name":"other"}', headers);
  assert.notEqual(first, second);
});

test("an event's own id is its idempotency key", async () => {
  const [first = ""] = await send('{"name":"greet","id":"order-1"}');
  const [second = ""] = await send('{"name":"greet","id":"order-1"}');
  assert.equal((await runsOf(first)).length + (await runsOf(second)).length, 1);
  const { json } = await asked("GET", `/v1/events/${second}`);
  assert.equal(look(json, "data.id"), "order-1");
  assert.equal(look(json, "data.internal_id"), second);
});

const badEvents: readonly (readonly [string, string, number, string])[] = [
  ["nothing", "", 0, "json_invalid"],
  ["blanks", " \n", 0, "json_invalid"],
  ["words", "hello", 0, "json_invalid"],
  ["half an object", '{"name":"a"', 0, "json_invalid"],
  ["half an array", '[{"name":"a"},', 0, "json_invalid"],
  ["a number", "1", 0, "event_invalid"],
  ["null", "null", 0, "event_invalid"],
  ["a nested array", '[[{"name":"a"}]]', 0, "event_invalid"],
  ["no name", '{"data":{}}', 0, "event_invalid"],
  ["a number for a name", '{"name":1}', 0, "event_invalid"],
  ["a reserved name", '{"name":"inngest/function.failed"}', 0, "event_invalid"],
  ["a long name", `{"name":"${"n".repeat(257)}"}`, 0, "event_name_too_long"],
  ["an array for data", '{"name":"a","data":[]}', 0, "event_invalid"],
  ["text for data", '{"name":"a","data":"x"}', 0, "event_invalid"],
  ["text for ts", '{"name":"a","ts":"now"}', 0, "event_invalid"],
  ["a second event without a name", '[{"name":"a"},{"name":""},{"name":"b"}]', 1, "event_invalid"],
  ["a stream with damage behind two events", '{"name":"a"}\n{"name":"b"}\n{"na', 2, "json_invalid"],
  [
    "an event over the limit",
    `[{"name":"a"},{"name":"b","data":{"x":"${"y".repeat(3 * 1024 * 1024)}"}}]`,
    1,
    "event_too_large",
  ],
  [
    "too many events",
    `[${Array.from({ length: 5_001 }, () => '{"name":"a"}').join(",")}]`,
    5_000,
    "too_many_events",
  ],
];

for (const [what, body, accepted, code] of badEvents) {
  test(`a request with ${what} gets 400 ${code} and ${String(accepted)} ids`, async () => {
    const { status, json } = await asked("POST", "/e/key", body);
    assert.equal(status, 400);
    assert.equal(look(json, "status"), 400);
    assert.equal(look(json, "code"), code);
    assert.equal(typeof look(json, "error"), "string");
    assert.equal(lookArray(json, "ids").length, accepted);
  });
}

test("limits of one function's runs are set and taken back", async () => {
  const set = await asked("POST", "/fn/step-limit", "functionId=shop-greet&limit=3");
  assert.deepEqual(set.json, { functionId: look(set.json, "functionId"), limit: 3 });
  const form = '--b\r\ncontent-disposition: form-data; name="limit"\r\n\r\n9\r\n--b--\r\n';
  const type = { "content-type": "multipart/form-data; boundary=b" };
  const path = "/fn/state-size-limit?functionId=shop-greet";
  assert.equal(look((await asked("POST", path, form, type)).json, "limit"), 9);
  const taken = await asked("DELETE", "/fn/step-limit?functionId=shop-greet", undefined);
  assert.equal(look(taken.json, "limit"), null);
});

test("an empty array of events is fine", async () => {
  assert.deepEqual((await asked("POST", "/e/key", "[]")).json, { ids: [], status: 200 });
});

const badRequests: readonly (readonly [string, string, string | undefined, number, string])[] = [
  ["POST", "/fn/register", "", 400, "json_invalid"],
  ["POST", "/fn/register", "<html>", 400, "json_invalid"],
  ["POST", "/fn/register", "[]", 400, "registration_invalid"],
  [
    "POST",
    "/fn/register",
    '{"appName":"x","url":"nope","functions":[]}',
    400,
    "registration_invalid",
  ],
  ["DELETE", "/fn/remove", undefined, 400, "parameter_invalid"],
  ["DELETE", "/fn/remove?url=http://nobody.example/x", undefined, 404, "app_not_found"],
  ["POST", "/fn/step-limit", "functionId=nobody&limit=3", 404, "function_not_found"],
  ["POST", "/fn/step-limit", "functionId=shop-greet&limit=0", 400, "parameter_invalid"],
  ["POST", "/fn/state-size-limit?functionId=shop-greet", undefined, 400, "parameter_invalid"],
  ["POST", "/invoke/nobody", "{}", 404, "function_not_found"],
  ["POST", "/invoke/shop-greet", "[1]", 400, "event_invalid"],
  ["POST", "/invoke/shop-greet", "{", 400, "json_invalid"],
  ["POST", "/v1/checkpoint/x/async", "", 400, "json_invalid"],
  ["POST", "/v1/checkpoint/x/async", "{}", 400, "checkpoint_invalid"],
  ["POST", "/v1/checkpoint/x/async", '{"steps":[{"op":1}]}', 400, "opcode_invalid"],
  ["POST", "/v1/checkpoint/x/async", '{"steps":[]}', 404, "run_not_found"],
  ["POST", "/v1/http/runs/x/async", '{"steps":[]}', 404, "run_not_found"],
  ["GET", "/v0/runs/x/batch", undefined, 404, "run_not_found"],
  ["GET", "/v0/runs/x/actions", undefined, 404, "run_not_found"],
  ["GET", "/v1/runs/x", undefined, 404, "run_not_found"],
  ["POST", "/v1/functions/nobody/pause", undefined, 404, "function_not_found"],
  ["POST", "/v1/functions/nobody/resume", undefined, 404, "function_not_found"],
  ["DELETE", "/v1/runs/x", undefined, 404, "run_not_found"],
  ["GET", "/v1/events/x", undefined, 404, "event_not_found"],
  ["GET", "/v1/events?limit=0", undefined, 400, "parameter_invalid"],
  ["GET", "/v1/events?limit=101", undefined, 400, "parameter_invalid"],
  ["GET", "/v1/events?limit=ten", undefined, 400, "parameter_invalid"],
  ["GET", "/v1/events?received_after=today", undefined, 400, "parameter_invalid"],
  ["GET", "/v1/runs/x/", undefined, 404, "route_not_found"],
  ["GET", "/api/unknown", undefined, 404, "route_not_found"],
  ["PUT", "/e/key", "{}", 405, "method_not_allowed"],
];

for (const [method, path, body, status, code] of badRequests) {
  test(`${method} ${path} with ${body ?? "nothing"} gets ${String(status)} ${code}`, async () => {
    const answer = await asked(method, path, body);
    assert.equal(answer.status, status, JSON.stringify(answer.json));
    assert.equal(look(answer.json, "status"), status);
    assert.equal(look(answer.json, "code"), code);
    assert.equal(answer.headers.get("x-inngest-server-kind"), "dev");
  });
}

test("events are listed newest first, in pages, by name and time", async () => {
  const ids = await send('[{"name":"page","data":{"n":1}},{"name":"page"},{"name":"page"}]');
  const first = await asked("GET", "/v1/events?name=page&limit=2");
  const list = (answer: Answer) =>
    lookArray(answer.json, "data").map((event) => look(event, "internal_id"));
  assert.deepEqual(list(first), [ids[2], ids[1]]);
  assert.deepEqual(list(await asked("GET", `/v1/events?name=page&cursor=${ids[1] ?? ""}`)), [
    ids[0],
  ]);
  assert.deepEqual(
    list(await asked("GET", "/v1/events?name=page&received_before=2001-01-01T00:00:00Z")),
    [],
  );
  assert.equal(look(first.json, "metadata.cached_until"), null);
});

test("invoking by id starts a run with the data given", async () => {
  const { status, json } = await asked("POST", "/invoke/shop-greet", '{"data":{"by":"hand"}}');
  assert.equal(status, 200);
  const runs = await until(
    () => runsOf(String(look(json, "id"))),
    ([first]) => first?.status === "Completed",
  );
  assert.equal(runs[0]?.id, look(json, "run_id"));
  assert.equal(look(app.calls.at(-1), "event.data.by"), "hand");
});

test("a paused function keeps its new runs until it is resumed", async () => {
  const paused = await asked("POST", "/v1/functions/shop-greet/pause");
  assert.deepEqual(look(paused.json, "data"), { id: "shop-greet", paused: true });
  const calls = app.calls.length;
  const [eventId = ""] = await send('{"name":"greet"}');
  const [held] = await until(
    () => runsOf(eventId),
    (runs) => runs.length === 1,
  );
  assert.equal(held?.status, "Running");
  assert.equal(app.calls.length, calls);
  const resumed = await asked("POST", "/v1/functions/shop-greet/resume");
  assert.deepEqual(look(resumed.json, "data"), { id: "shop-greet", paused: false });
  await until(
    () => runsOf(eventId),
    ([first]) => first?.status === "Completed",
  );
});

test("registering again changes nothing; another configuration does", async () => {
  assert.equal(look(await (await register(app, "shop")).json(), "modified"), false);
  app.expression = "event.data.vip == true";
  const changed: unknown = await (await register(app, "shop")).json();
  assert.equal(look(changed, "ok"), true);
  assert.equal(look(changed, "modified"), true);
  app.expression = undefined;
  assert.equal(look(await (await register(app, "shop")).json(), "modified"), true);
});

test("an expression that does not compile refuses the sync, naming function and expression", async () => {
  app.expression = "event.data.vip ==";
  const refused = await register(app, "shop");
  const problem: unknown = await refused.json();
  assert.equal(refused.status, 400);
  assert.equal(look(problem, "code"), "config_invalid");
  assert.match(String(look(problem, "error")), /shop-greet/);
  assert.match(String(look(problem, "error")), /event\.data\.vip ==/);
});

test("an app that expects a server of another kind is refused", async () => {
  app.registerHeaders = { "x-inngest-expected-server-kind": "cloud" };
  const refused = await register(app, "shop");
  assert.equal(refused.status, 400);
  assert.equal(look(await refused.json(), "error"), "Expected server kind cloud, got dev");
});

test("GET /dev tells of apps and functions", async () => {
  const { json } = await asked("GET", "/dev");
  assert.equal(look(json, "functions.0.slug"), "shop-greet");
  assert.match(String(look(json, "functions.0.steps.0.uri")), /fnId=shop-greet&stepId=step$/);
});

test("GET / is a page for people", async () => {
  const response = await fetch(server.url);
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^text\/html/);
  assert.ok((await response.text()).includes(server.url));
});

test("the timeline tells of runs as they happen", async () => {
  const response = await fetch(`${server.url}/dev/timeline`);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const [eventId = ""] = await send('{"name":"greet"}');
  let text = "";
  while (!text.includes('"status":"completed"')) text += (await reader?.read())?.value ?? "";
  await reader?.cancel();
  const [run] = await runsOf(eventId);
  const lines = text
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  const own = lines.filter(
    (line) => look(line, "runId") === run?.id && look(line, "type") === "run",
  );
  assert.equal(look(own[0], "endedAt"), null);
  assert.equal(look(own[0], "functionSlug"), "shop-greet");
  assert.deepEqual(
    own.map((line) => look(line, "status")),
    ["running", "completed"],
  );
});
