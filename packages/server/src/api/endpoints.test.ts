// Durable endpoints over real sockets: checkpoints of an app that carries its runs, calls back to it, and
// the output for whoever asks with a token (protocol.md 6.3).
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, beforeEach, test } from "node:test";
import { ask, look, until } from "../http/test-client.ts";
import { createMemoryStore } from "@pawl/store/memory-store";
import { startServer, type PawlServer } from "../server.ts";

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

let server: PawlServer;
let appUrl = "";
let seen: Seen[] = [];
let answers: { status: number; body: object }[] = [];
let closeApp: () => Promise<void>;
let serial = 0;

before(async () => {
  server = await startServer({
    store: createMemoryStore(),
    settings: { endpointsMax: 5, retryIntervalMs: 1 },
  });
  const app = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = "", url = "", headers } = request;
      seen.push({ method, url, headers, body });
      const { status, body: json } = answers.shift() ?? { status: 500, body: {} };
      response.setHeader("x-inngest-sdk", "js:v4.24.0").setHeader("x-inngest-req-version", "2");
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
    });
  });
  await new Promise<void>((resolve) => app.listen(0, "127.0.0.1", resolve));
  const { port } = app.address() as AddressInfo; // proof: a TCP server that listens has one
  appUrl = `http://127.0.0.1:${String(port)}`;
  closeApp = async () => {
    app.closeAllConnections();
    await new Promise((resolve) => app.close(resolve));
  };
});

after(async () => {
  await server.close();
  await closeApp();
});

beforeEach(() => {
  seen = [];
  answers = [];
});

function newRunId(): string {
  serial += 1;
  return `01ARZ3NDEKTSV4RRFFQ69${String(serial).padStart(5, "0")}`;
}

const complete = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8";

function done(body: string, more: object = {}): object {
  const headers = {
    "content-type": "text/plain",
    "set-cookie": "a=b",
    "x-own": "1",
    connection: "x",
  };
  return { id: complete, op: "RunComplete", data: { status: 201, headers, body, ...more } };
}

interface Wanted {
  readonly steps: readonly object[];
  readonly runId?: string;
  readonly path?: string;
  readonly data?: object;
  readonly prefix?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function begin({
  steps,
  runId = newRunId(),
  path = "/buy",
  data = {},
  prefix = "/v1/checkpoint",
  headers = {},
}: Wanted) {
  const request = {
    content_type: "",
    domain: appUrl,
    ip: "",
    method: "GET",
    path,
    query_params: "",
    body: "",
  };
  const event = { name: "inngest/http.request", data: { ...request, ...data } };
  const body = JSON.stringify({
    run_id: runId,
    event,
    steps,
    ts: 1,
    request_version: 2,
    retries: 1,
  });
  const answer = await ask(server.url, "POST", prefix, { headers, body });
  return { ...answer, runId, token: String(look(answer.json, "data.token")) };
}

function goOn(runId: string, steps: readonly object[], prefix = "/v1/checkpoint") {
  return ask(server.url, "POST", `${prefix}/${runId}/steps`, { body: JSON.stringify({ steps }) });
}

function output(runId: string, token: string): Promise<Response> {
  return fetch(`${server.url}/v1/http/runs/${runId}/output?token=${token}`);
}

function step(id: string, value: unknown = id): object {
  return { id, op: "StepRun", displayName: id, data: value };
}

test("a run that its app carries to the end, under both prefixes", async () => {
  for (const prefix of ["/v1/checkpoint", "/v1/http/runs"]) {
    const { status, json, headers, runId, token } = await begin({ steps: [step("a")], prefix });
    assert.equal(status, 200, JSON.stringify(json));
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(look(json, "data.run_id"), runId);
    for (const key of ["fn_id", "app_id", "token", "realtime_token"]) {
      assert.match(String(look(json, `data.${key}`)), /./, key);
    }
    const run = await ask(server.url, "GET", `/v1/runs/${runId}`);
    assert.equal(look(run.json, "data.status"), "Running");
    assert.equal(look(run.json, "data.function_id"), look(json, "data.fn_id"));
    const waiting = output(runId, token);
    assert.equal((await goOn(runId, [step("b"), done("bought")], prefix)).status, 200);
    const answer = await waiting;
    assert.deepEqual([answer.status, await answer.text()], [201, "bought"]);
    assert.equal(answer.headers.get("content-type"), "text/plain");
    assert.equal(answer.headers.get("x-own"), "1");
    assert.equal(answer.headers.get("set-cookie"), null);
    assert.equal(answer.headers.get("content-security-policy"), "sandbox");
    assert.equal(seen.length, 0, "nobody was called");
  }
});

test("what the app cannot do itself the server does, and calls the original URL", async () => {
  const data = {
    method: "POST",
    query_params: "a=1",
    body: '{"n":1}',
    content_type: "application/json",
  };
  answers = [
    { status: 206, body: [step("b")] },
    { status: 206, body: done("ok") },
  ];
  const { runId, token } = await begin({
    steps: [step("a"), { id: "n", op: "Sleep", name: "10ms" }],
    data,
  });
  const answer = await output(runId, token);
  assert.equal(await answer.text(), "ok");
  assert.equal(seen.length, 2);
  for (const { method, url, headers, body } of seen) {
    assert.deepEqual([method, url, body], ["POST", "/buy?a=1", '{"n":1}']);
    assert.equal(headers["content-type"], "application/json");
    assert.equal(headers["x-run-id"], runId);
    assert.equal(headers["x-inngest-signature"], "");
    assert.equal(headers["x-inngest-step-id"], "step");
    assert.equal(headers["x-inngest-req-version"], "2");
    assert.equal(headers["x-inngest-force-step-plan"], "false");
  }
  const batch = await ask(server.url, "GET", `/v0/runs/${runId}/batch`);
  assert.equal(look(batch.json, "0.name"), "inngest/http.request");
  assert.equal(look(batch.json, "0.data.body"), '{"n":1}');
  const memos = await ask(server.url, "GET", `/v0/runs/${runId}/actions`);
  assert.deepEqual(memos.json, { a: { data: "a" }, n: null, b: { data: "b" } });
});

test("a planned step is named in a header, and steps side by side set the plan", async () => {
  const plan = ["a", "b"].map((id) => ({ id, op: "StepPlanned", displayName: id }));
  answers = [
    { status: 206, body: [step("a")] },
    { status: 206, body: [step("b")] },
    { status: 206, body: done("both") },
  ];
  const { runId, token } = await begin({ steps: plan });
  await output(runId, token);
  const ids = seen.map(({ headers }) => String(headers["x-inngest-step-id"]));
  assert.deepEqual(ids.slice(0, 2).toSorted(), ["a", "b"]);
  assert.equal(ids[2], "step");
  assert.deepEqual(
    seen.map(({ headers }) => headers["x-inngest-force-step-plan"]),
    ["true", "true", "false"],
  );
});

test("an app that falls silent is called", async () => {
  const boom = { status: 400, body: { name: "Error", message: "it is over" } };
  answers = [boom, boom];
  const usual = server;
  const impatient = await startServer({
    store: createMemoryStore(),
    settings: { endpointSilenceMs: 50, retryIntervalMs: 1 },
  });
  server = impatient;
  try {
    const { runId, token } = await begin({ steps: [step("a")] });
    const answer = await output(runId, token);
    const json: unknown = await answer.json();
    assert.deepEqual([answer.status, look(json, "code")], [500, "run_failed"]);
    assert.equal(look(json, "data.message"), "it is over");
    const late = await goOn(runId, [step("b")]);
    assert.deepEqual([late.status, look(late.json, "code")], [409, "run_ended"]);
  } finally {
    server = usual;
    await impatient.close();
  }
});

test("in production no origin is called that is not listed", async () => {
  const usual = server;
  const signingKey = "signkey-test-0123456789abcdef";
  server = await startServer({
    store: createMemoryStore(),
    kind: "cloud",
    signingKeys: [signingKey],
    eventKeys: ["key"],
  });
  try {
    const headers = { authorization: `Bearer ${signingKey}` };
    const { status, json } = await begin({ steps: [], headers });
    assert.deepEqual([status, look(json, "code")], [403, "endpoint_origin_refused"]);
    assert.match(String(look(json, "error")), /--endpoint-origins/);
  } finally {
    await server.close();
    server = usual;
  }
});

test("where origins are listed, endpoints elsewhere are refused", async () => {
  const usual = server;
  const careful = await startServer({
    store: createMemoryStore(),
    endpointOrigins: ["https://shop.example"],
  });
  server = careful;
  try {
    const refused = await begin({ steps: [] });
    assert.deepEqual(
      [refused.status, look(refused.json, "code")],
      [403, "endpoint_origin_refused"],
    );
    const taken = await begin({ steps: [step("a")], data: { domain: "https://shop.example" } });
    assert.equal(taken.status, 200);
  } finally {
    server = usual;
    await careful.close();
  }
});

test("people are told who carries the run", async () => {
  const { runId } = await begin({ steps: [step("a")] });
  const explained = await ask(server.url, "GET", `/v2/runs/${runId}/explain`);
  assert.match(JSON.stringify(explained.json), /carries the run itself.*--endpoint-silence/);
  await goOn(runId, [done("over")]);
});

test("refusals say why", async () => {
  const { runId, token } = await begin({ steps: [step("a")] });
  const again = await begin({ steps: [], runId });
  assert.deepEqual([again.status, look(again.json, "code")], [409, "run_exists"]);
  const odd = await begin({ steps: [], runId: "x" });
  assert.deepEqual([odd.status, look(odd.json, "code")], [400, "checkpoint_invalid"]);
  const unknown = await goOn("01ARZ3NDEKTSV4RRFFQ69ZZZZZ", [step("a")]);
  assert.deepEqual([unknown.status, look(unknown.json, "code")], [404, "run_not_found"]);
  for (const [id, key, code] of [
    [runId, "", "token_missing"],
    [runId, "x.y.z", "token_invalid"],
    ["01ARZ3NDEKTSV4RRFFQ69ZZZZZ", token, "token_invalid"],
  ] as const) {
    const refused = await output(id, key);
    assert.deepEqual([refused.status, look(await refused.json(), "code")], [401, code]);
  }
  const realtime = (await begin({ steps: [] })).json;
  const foreign = await output(runId, String(look(realtime, "data.realtime_token")));
  assert.equal(foreign.status, 401, "a token of realtime opens no output");
  await goOn(runId, [done("over")]);
});

test("data that is no answer is answered as it is", async () => {
  for (const data of [{ status: 99, body: "" }, { a: 1 }, [1], "text", null]) {
    const { runId, token } = await begin({
      steps: [{ id: complete, op: "SyncRunComplete", data }],
    });
    const answer = await output(runId, token);
    assert.deepEqual([answer.status, await answer.json()], [200, data]);
  }
});

test("an endpoint has one function whatever its query, and there is a limit to them", async () => {
  const ids = new Set<unknown>();
  for (const query_params of ["a=1", "a=2"]) {
    const { json } = await begin({ steps: [done("x")], data: { query_params }, path: "/one" });
    ids.add(look(json, "data.fn_id"));
  }
  for (const path of ["/users/1", "/users/2"]) {
    const { json } = await begin({ steps: [done("x")], path, data: { fn: "user" } });
    ids.add(look(json, "data.fn_id"));
  }
  assert.equal(ids.size, 2);
  assert.equal((await begin({ steps: [done("x")], path: "/two" })).status, 200);
  const refused = await begin({ steps: [done("x")], path: "/three" });
  assert.deepEqual([refused.status, look(refused.json, "code")], [422, "endpoints_too_many"]);
  const functions = await ask(server.url, "GET", "/v1/functions?first=100");
  assert.match(JSON.stringify(functions.json), /GET \/one/);
});

test("bytes that the endpoint streams reach who follows the run with its token", async () => {
  const { runId, json } = await begin({ steps: [step("a")] });
  const token = String(look(json, "data.realtime_token"));
  const stop = new AbortController();
  const stream = await fetch(`${server.url}/v1/realtime/sse?token=${token}`, {
    signal: stop.signal,
  });
  assert.equal(stream.status, 200);
  const reader = stream.body?.getReader();
  const sent = "event: inngest.stream\ndata: hello\n\n";
  await until(
    () => ask(server.url, "POST", `/v1/realtime/publish/tee?channel=${runId}`, { body: sent }),
    ({ json: told }) => Number(look(told, "data.subscribers")) > 0,
  );
  let got = "";
  while (!got.includes("hello")) got += Buffer.from((await reader?.read())?.value ?? []).toString();
  assert.ok(got.includes(sent), got);
  stop.abort();
  await goOn(runId, [done("over")]);
});
