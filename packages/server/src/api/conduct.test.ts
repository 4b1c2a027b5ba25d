// How every route behaves as HTTP: wrong parameters, methods, paths, encodings and origins, each with
// a code and a sentence; over real sockets.
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, look, lookArray, until } from "../http/test-client.ts";
import { startServer, type PawlServer } from "../server.ts";
import { register, startAppStub, type AppStub } from "../sync/app-stub.ts";

let server: PawlServer;
let app: AppStub;
let runId: string;

const page = "https://ops.example.com";

before(async () => {
  app = await startAppStub("shop");
  app.options = {
    concurrency: [{ limit: 3, key: "event.data.n" }, { limit: 5 }],
    rateLimit: { limit: 1, period: "1h", key: "event.data.limited" },
  };
  server = await startServer({ store: createMemoryStore(), corsOrigins: [page] });
  app.serverUrl = server.url;
  assert.equal((await register(app, "shop")).status, 200);
  app.answerCall = (call) =>
    look(call, "steps.abc") === undefined
      ? { status: 206, body: '[{"op":"StepRun","id":"abc","displayName":"charge","data":1}]' }
      : { status: 200, body: '"done"' };
  const path = "/v2/apps/shop/functions/greet/invoke";
  const body = '{"data":{"limited":0}}';
  runId = String(look((await ask(server.url, "POST", path, { body })).json, "data.runId"));
  await until(
    () => ask(server.url, "GET", `/v2/runs/${runId}`),
    ({ json }) => look(json, "data.status") === "COMPLETED",
  );
});

after(async () => {
  await server.close();
  await app.close();
});

/** Status, code and sentence of a refusal, whatever its shape. */
async function refusal(method: string, path: string): Promise<readonly [number, unknown, string]> {
  const { status, json } = await ask(server.url, method, path);
  const inV2 = look(json, "errors.0");
  const code = look(inV2 ?? json, "code") ?? look(inV2, "extensions.code");
  return [status, code, String(look(inV2, "message") ?? look(json, "error"))];
}

test("parameters that cannot be meant are refused by name", async () => {
  const uuid = crypto.randomUUID();
  for (const [path, sentence] of [
    ["/v1/events?cursor=foo", /cursor is not one that this list gave out/],
    ["/v1/events?query=true&cursor=foo", /cursor is not one/],
    ["/v1/events?limit=", /limit: must be a whole number/],
    ["/v1/events?limit=0x10", /limit: must be a whole number/],
    ["/v1/events?limit=1e1", /limit: must be a whole number/],
    ["/v1/events?limit=2.5", /limit: must be a whole number/],
    ["/v1/events?limit=5&limit=6", /limit: given more than once/],
    ["/v1/events?received_after=2026-01-01T00:00:00Z&received_after=", /given more than once/],
    ["/v1/runs?function_id=shop-greet", /function_id.*must be a UUID/],
    [`/v1/runs?app_id=${uuid},shop`, /app_id.*must be a UUID/],
    ["/v1/functions?first=401", /first/],
  ] as const) {
    const [status, code, message] = await refusal("GET", path);
    assert.deepEqual([status, code], [400, "parameter_invalid"], path);
    assert.match(message, sentence, path);
  }
  for (const [path, sentence] of [
    ["/v2/runs?limit=101", /limit/],
    ["/v2/runs?bogus=1", /bogus: not known here/],
    ["/v2/apps?cursor=foo", /cursor is not one/],
    ["/v2/runs?limit=1&limit=1", /limit: given more than once/],
    [`/v2/runs/${runId}/trace?maxDepth=0`, /maxDepth/],
    [`/v2/runs/${runId}?includeOutput=yes`, /includeOutput/],
  ] as const) {
    const [status, code, message] = await refusal("GET", path);
    assert.deepEqual([status, code], [400, "invalid_request"], path);
    assert.match(message, sentence, path);
  }
});

test("an output belongs to its run", async () => {
  const trace = await ask(server.url, "GET", `/v1/runs/${runId}/trace`);
  const id = String(look(trace.json, "data.output_id"));
  assert.equal((await ask(server.url, "GET", `/v1/runs/${runId}/outputs/${id}`)).status, 200);
  const [status, code] = await refusal("GET", `/v1/runs/other/outputs/${id}`);
  assert.deepEqual([status, code], [404, "output_not_found"]);
});

test("one span of a trace is shown by its id", async () => {
  const path = `/v2/runs/${runId}/trace`;
  const whole = await ask(server.url, "GET", path);
  const child = look(whole.json, "data.rootSpan.children.0");
  const one = await ask(server.url, "GET", `${path}/${String(look(child, "id"))}`);
  assert.deepEqual(look(one.json, "data"), { runId, span: child });
  const withOutput = await ask(
    server.url,
    "GET",
    `${path}/${String(look(child, "id"))}?includeOutput=true`,
  );
  assert.equal(look(withOutput.json, "data.span.output"), 1);
  assert.deepEqual((await refusal("GET", `${path}/none`)).slice(0, 2), [404, "not_found"]);
});

test("a function shows its limits in the shape of v2; a rate limit refuses by its own code", async () => {
  const fn = await ask(server.url, "GET", "/v2/apps/shop/functions/greet");
  assert.deepEqual(look(fn.json, "data.configuration.concurrency"), [
    { scope: "fn", limit: { value: 3, isPlanLimit: false }, key: "event.data.n" },
    { scope: "fn", limit: { value: 5, isPlanLimit: false }, key: null },
  ]);
  assert.deepEqual(look(fn.json, "data.configuration.retries"), { value: 0, isDefault: false });
  const path = "/v2/apps/shop/functions/greet/invoke";
  const body = '{"data":{"limited":1}}';
  assert.equal((await ask(server.url, "POST", path, { body })).status, 201);
  const { status, json } = await ask(server.url, "POST", path, { body });
  assert.deepEqual([status, look(json, "errors.0.code")], [422, "rate_limited"]);
  assert.match(String(look(json, "errors.0.message")), /rate limit/);
});

test("405 names the methods; HEAD and OPTIONS answer on every kind of route", async () => {
  for (const [method, path, allow] of [
    ["PUT", "/v1/runs", "OPTIONS, GET, HEAD"],
    ["POST", `/v1/runs/${runId}`, "OPTIONS, GET, HEAD, DELETE"],
    ["GET", "/e/key", "OPTIONS, POST"],
    ["DELETE", "/mcp", "OPTIONS, POST"],
    ["GET", "/mcp", "OPTIONS, POST"],
    ["GET", "/v0/gql", "OPTIONS, POST"],
    ["POST", "/openapi.json", "OPTIONS, GET, HEAD"],
    ["POST", "/v1/prom/x", "OPTIONS, GET, HEAD"],
    ["PATCH", "/api/v2/runs", "OPTIONS, GET, HEAD"],
    ["GET", "/fn/register", "OPTIONS, POST"],
  ] as const) {
    const answer = await fetch(server.url + path, { method });
    assert.equal(answer.status, 405, path);
    assert.equal(answer.headers.get("allow"), allow, path);
    assert.match(await answer.text(), new RegExp(`takes ${allow}, not ${method}`));
    const options = await fetch(server.url + path, { method: "OPTIONS" });
    assert.deepEqual([options.status, options.headers.get("allow")], [204, allow]);
  }
  for (const path of ["/health", "/", "/v1/runs", "/v2/runs", "/openapi.json", "/metrics"]) {
    const head = await fetch(server.url + path, { method: "HEAD" });
    assert.deepEqual([head.status, await head.text()], [200, ""], path);
    assert.ok(Number(head.headers.get("content-length")) > 0, path);
  }
});

test("paths are taken as they are: no slash more, no other spelling", async () => {
  for (const path of [
    "/v1/runs/",
    "//v1/runs",
    "/v1//runs",
    "/v1/%72uns",
    "/v1/runs/%ZZ",
    "/V1/runs",
    "/v1/runs/x/y/z",
  ])
    assert.deepEqual((await refusal("GET", path)).slice(0, 2), [404, "route_not_found"], path);
  // Parts of a path are decoded, whatever is in them.
  assert.match((await refusal("GET", "/v1/runs/a%2Fb%20c"))[2], /There is no run a\/b c/);
  assert.deepEqual((await refusal("GET", "/v2/nothing")).slice(0, 2), [404, "not_found"]);
});

test("a body is JSON whatever it is called, packed or not", async () => {
  const text = '{"name":"greet","data":{}}';
  for (const type of [
    "application/json; charset=utf-8",
    "text/plain",
    "application/x-www-form-urlencoded",
    "",
  ]) {
    const headers = type === "" ? {} : { "content-type": type };
    assert.equal(
      (await ask(server.url, "POST", "/e/key", { body: text, headers })).status,
      200,
      type,
    );
  }
  const packed = await fetch(`${server.url}/v2/events`, {
    method: "POST",
    headers: { "content-encoding": "gzip" },
    body: gzipSync(text),
  });
  assert.equal(packed.status, 200);
  for (const [body, headers, status, code] of [
    ["x", { "content-encoding": "gzip" }, 400, "content_encoding_invalid"],
    ["x", { "content-encoding": "br" }, 415, "content_encoding_invalid"],
    ["{", {}, 400, "json_invalid"],
  ] as const) {
    const { status: got, json } = await ask(server.url, "POST", "/v1/signals", { body, headers });
    assert.deepEqual([got, look(json, "code")], [status, code]);
  }
});

test("headers that are too long are refused, and the server goes on", async () => {
  const status = await new Promise<number>((resolve, reject) => {
    const headers = { "x-long": "x".repeat(40_000) };
    httpRequest(`${server.url}/v1/runs`, { headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on("error", reject)
      .end();
  });
  assert.equal(status, 431);
  assert.equal((await ask(server.url, "GET", "/health")).status, 200);
});

test("preflights: any page may send events, a listed one may do all, others nothing", async () => {
  const preflight = async (path: string, origin: string): Promise<Headers> => {
    const headers = { origin, "access-control-request-method": "POST" };
    return (await fetch(server.url + path, { method: "OPTIONS", headers })).headers;
  };
  const others = "https://other.example.com";
  for (const path of ["/e/key", "/health", "/dev"])
    assert.equal((await preflight(path, others)).get("access-control-allow-origin"), "*", path);
  for (const path of ["/v1/runs", "/v2/runs", "/v0/gql", "/mcp", "/openapi.json", "/v1/prom/x"]) {
    const listed = await preflight(path, page);
    assert.equal(listed.get("access-control-allow-origin"), page, path);
    assert.match(listed.get("access-control-allow-headers") ?? "", /authorization/);
    const other = await preflight(path, others);
    assert.equal(other.get("access-control-allow-origin"), null, path);
    assert.equal(other.get("vary"), "origin");
    const { status } = await ask(server.url, "POST", path, {
      headers: { origin: others },
      body: "{}",
    });
    assert.ok(status === 403 || status === 405, path);
  }
});

test("answers are not kept by anybody on the way, but the description may be asked about", async () => {
  for (const path of ["/v1/runs", "/v2/runs", "/v1/nothing", "/metrics"])
    assert.equal((await fetch(server.url + path)).headers.get("cache-control"), "no-store", path);
  const first = await fetch(`${server.url}/openapi.json`);
  const tag = first.headers.get("etag") ?? "";
  assert.match(tag, /^"[\w-]+"$/);
  const headers = { "if-none-match": tag };
  const again = await fetch(`${server.url}/openapi.json`, { headers });
  assert.deepEqual([again.status, await again.text()], [304, ""]);
  const other = await fetch(`${server.url}/openapi.json`, { headers: { "if-none-match": '"x"' } });
  assert.equal(other.status, 200);
});

test("pages stay as they are while new runs and events come in", async () => {
  const body = JSON.stringify(Array.from({ length: 5 }, (_, n) => ({ name: "page", data: { n } })));
  await ask(server.url, "POST", "/e/key", { body });
  const list = "/v1/events?name=page&limit=2";
  const seen: unknown[] = [];
  for (let cursor = ""; ; ) {
    const { json } = await ask(
      server.url,
      "GET",
      cursor === "" ? list : `${list}&cursor=${cursor}`,
    );
    const events = lookArray(json, "data");
    if (events.length === 0) break;
    seen.push(...events.map((event) => look(event, "data.n")));
    cursor = String(look(events.at(-1), "internal_id"));
    await ask(server.url, "POST", "/e/key", { body: '{"name":"page","data":{"n":"late"}}' });
  }
  assert.deepEqual(seen, [4, 3, 2, 1, 0]);
  const early = await ask(
    server.url,
    "GET",
    "/v1/events?received_before=2001-01-01T00:00:00Z&received_after=2000-01-01T00:00:00Z",
  );
  assert.deepEqual(look(early.json, "data"), []);
});

test("pages of runs stay as they are while new runs come in, in every API", async () => {
  const path = "/v2/apps/shop/functions/greet/invoke";
  const invoke = async (n: number): Promise<string> => {
    const body = JSON.stringify({ data: { limited: `p${String(n)}` } });
    return String(look((await ask(server.url, "POST", path, { body })).json, "data.runId"));
  };
  const made: string[] = [];
  for (let n = 0; n < 4; n += 1) made.unshift(await invoke(n));
  const gql = async (after: string | null): Promise<unknown> => {
    const query =
      'query($after:String){runs(first:2,after:$after,orderBy:[{field:QUEUED_AT,direction:DESC}],filter:{from:"2000-01-01T00:00:00Z"}){edges{node{id}} pageInfo{endCursor}}}';
    const body = JSON.stringify({ query, variables: { after } });
    return look((await ask(server.url, "POST", "/v0/gql", { body })).json, "data.runs");
  };
  const get = async (url: string): Promise<unknown> => (await ask(server.url, "GET", url)).json;
  const apis: readonly (readonly [
    (cursor: string | null) => Promise<unknown>,
    string,
    string,
    string,
  ])[] = [
    [(at) => get(`/v1/runs?first=2&cursor=${at ?? ""}`), "data.runs", "id", "data.cursor"],
    [(at) => get(`/v2/runs?limit=2&cursor=${at ?? ""}`), "data", "id", "page.cursor"],
    [gql, "edges", "node.id", "pageInfo.endCursor"],
  ];
  for (const [turn, items, id, next] of apis) {
    const newest = made.slice(0, 4);
    const first = await turn(null);
    made.unshift(await invoke(made.length));
    const second = await turn(String(look(first, next)));
    const seen = [...lookArray(first, items), ...lookArray(second, items)];
    assert.deepEqual(
      seen.map((one) => look(one, id)),
      newest,
      next,
    );
  }
});

test("what belongs to the hosted product is 501 at both addresses", async () => {
  for (const path of [
    "/v2/account",
    "/v2/envs",
    "/v2/keys/events",
    "/v2/keys/signing",
    "/v2/insights/tables",
    "/v2/sandboxes/x/logs",
    "/v2/partner/accounts",
  ])
    for (const prefix of ["", "/api"]) {
      const [status, code, message] = await refusal("GET", prefix + path);
      assert.deepEqual([status, code], [501, "not_implemented"], prefix + path);
      assert.match(message, /is not part of this server/);
    }
});
