// Through real sockets: what senders get to see, also when they break the rules.
import assert from "node:assert/strict";
import { request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { unlimited } from "../auth/scopes.ts";
import { createGateway, type ServerKind } from "./gateway.ts";
import { listen, type Listener } from "./listen.ts";
import { jsonResponse, valueResponse, type HttpResponse } from "./response.ts";
import { httpProblem } from "./problem.ts";
import { Router, type Route } from "./router.ts";

const base = {
  bodyBytesMax: 0,
  access: "runs:write",
  anyOrigin: false,
  startsWork: false,
} as const;
let pieces: { closed: boolean } = { closed: false };

const routes: readonly Route[] = [
  {
    ...base,
    method: "POST",
    pattern: "/echo",
    bodyBytesMax: 1_000,
    handle: ({ body }) => valueResponse(200, { body }),
  },
  {
    ...base,
    method: "POST",
    pattern: "/open/:key",
    bodyBytesMax: 1_000,
    anyOrigin: true,
    access: "event",
    handle: () => jsonResponse(200, "{}"),
  },
  {
    ...base,
    method: "GET",
    pattern: "/fails",
    handle: () => Promise.reject(new Error("secret detail")),
  },
  { ...base, method: "GET", pattern: "/absent", handle: () => Promise.reject(absent) },
  {
    ...base,
    method: "GET",
    pattern: "/page",
    handle: ({ query }) => jsonResponse(200, `{"q":"${query.get("q") ?? ""}"}`),
  },
  {
    ...base,
    method: "GET",
    pattern: "/secret",
    access: "signed",
    handle: () => jsonResponse(200, "{}"),
  },
  {
    ...base,
    method: "GET",
    pattern: "/tools",
    access: "dev",
    handle: () => jsonResponse(200, "{}"),
  },
  {
    ...base,
    method: "POST",
    pattern: "/work",
    startsWork: true,
    handle: () => jsonResponse(200, "{}"),
  },
  { ...base, method: "GET", pattern: "/pieces", handle: endless },
];

function endless(): HttpResponse {
  const state = { closed: false };
  pieces = state;
  const next = () =>
    new Promise<IteratorResult<string>>((resolve) =>
      setImmediate(() => resolve({ done: false, value: "line\n" })),
    );
  const stop = () => {
    state.closed = true;
    return Promise.resolve({ done: true, value: undefined } as const);
  };
  return {
    status: 200,
    headers: {},
    body: { [Symbol.asyncIterator]: () => ({ next, return: stop }) },
  };
}

const absent = new Error("not part of this server");
const faults: string[] = [];
const refusals: string[] = [];
let draining = false;

function serve(kind: ServerKind, requestMs = 5_000): Promise<Listener> {
  const gateway = createGateway({
    router: new Router(routes),
    kind,
    guard: (access) => ({
      caller: unlimited,
      problem: access === "signed" ? httpProblem(401, "invalid_signing_key", "No.") : null,
    }),
    origins: { pages: ["https://ops.example"], hosts: ["dev.example"] },
    onKeyUsed: () => undefined,
    onRefused: (_request, route, { code }) => void refusals.push(`${route.pattern} ${code}`),
    draining: () => draining,
    explain: (error) => (error === absent ? httpProblem(501, "not_implemented", "No.") : null),
    onFault: (requestId) => void faults.push(requestId),
  });
  return listen({
    gateway,
    hosts: ["127.0.0.1"],
    port: 0,
    bodiesBytesMax: 4_000,
    requestMs,
    onMissingHost: () => undefined,
  });
}

let dev: Listener;
let origin = "";

before(async () => {
  dev = await serve("dev");
  origin = `http://127.0.0.1:${String(dev.port)}`;
});

after(() => dev.close(0));

async function answer(
  path: string,
  init?: RequestInit,
): Promise<{ status: number; headers: Headers; json: unknown }> {
  const response = await fetch(origin + path, init);
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    json: text === "" ? null : JSON.parse(text),
  };
}

function codeOf(json: unknown): unknown {
  return typeof json === "object" && json !== null && "code" in json ? json.code : null;
}

/** Sends bytes as they are and yields everything that comes back until the connection ends. */
function raw(text: string, port = dev.port): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    let received = "";
    socket.setEncoding("utf8");
    socket.on("connect", () => socket.write(text));
    socket.on("data", (chunk: string) => (received += chunk));
    socket.on("end", () => resolve(received));
    socket.on("error", reject);
  });
}

test("a body arrives as text, whatever its content type, without a byte order mark", async () => {
  const headers = { "content-type": "text/plain" };
  const { json } = await answer("/echo", { method: "POST", body: "\uFEFFgrüße", headers });
  assert.deepEqual(json, { body: "grüße" });
});

test("a gzipped body arrives inflated", async () => {
  const headers = { "content-encoding": "gzip" };
  const { json } = await answer("/echo", { method: "POST", body: gzipSync("hello"), headers });
  assert.deepEqual(json, { body: "hello" });
});

const badBodies: readonly (readonly [string, RequestInit, number, string])[] = [
  ["over the limit", { body: "x".repeat(1_001) }, 413, "body_too_large"],
  [
    "that inflates over the limit",
    { body: gzipSync("x".repeat(50_000)), headers: { "content-encoding": "gzip" } },
    413,
    "body_too_large",
  ],
  [
    "in damaged gzip",
    { body: "not gzip", headers: { "content-encoding": "gzip" } },
    400,
    "content_encoding_invalid",
  ],
  [
    "in another encoding",
    { body: "x", headers: { "content-encoding": "br" } },
    415,
    "content_encoding_invalid",
  ],
  ["that is not UTF-8", { body: new Uint8Array([0xff, 0xfe, 0x7b]) }, 400, "body_not_text"],
];

for (const [what, init, status, code] of badBodies) {
  test(`a body ${what} gets ${code}`, async () => {
    const { status: found, json } = await answer("/echo", { method: "POST", ...init });
    assert.equal(found, status);
    assert.equal(codeOf(json), code);
  });
}

test("a body that is too long by its announcement is refused before it is sent", async () => {
  const received = await raw(
    "POST /echo HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 999999999\r\n\r\n",
  );
  assert.match(received, /^HTTP\/1\.1 413 /);
  assert.match(received, /body_too_large/);
  assert.doesNotMatch(received, /100 Continue/);
});

test("a sender that asks first is told to go on", async () => {
  const received = await raw(
    "POST /echo HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi",
  );
  assert.match(received, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
});

test("a chunked body is cut off as soon as it is too long", async () => {
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(512).fill(120)),
  });
  const init: RequestInit & { duplex: "half" } = { method: "POST", body, duplex: "half" };
  // The server may cut the connection before fetch has seen the answer, but it must end.
  const outcome = await answer("/echo", init).then(
    ({ json }) => codeOf(json),
    () => "cut",
  );
  assert.ok(outcome === "body_too_large" || outcome === "cut", String(outcome));
});

test("bytes that are no HTTP get an answer in our shape", async () => {
  const received = await raw("NONSENSE\r\n\r\n");
  assert.match(received, /^HTTP\/1\.1 400 /);
  assert.match(received, /"code":"request_malformed"/);
});

test("a request that does not arrive in time gets an answer in our shape", async () => {
  const hasty = await serve("dev", 50);
  try {
    for (const text of [
      "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhal",
      "GET /page HTTP/1.1\r\nhost: x\r\nx-slo",
    ]) {
      const received = await raw(text, hasty.port);
      assert.match(received, /^HTTP\/1\.1 408 /);
      assert.match(received, /"code":"request_timeout"/);
      assert.equal(received.match(/HTTP\/1\.1/g)?.length, 1);
    }
  } finally {
    await hasty.close(0);
  }
});

test("headers over the limit get an answer in our shape", async () => {
  const received = await raw(
    `GET /page HTTP/1.1\r\nhost: x\r\nx-long: ${"y".repeat(20_000)}\r\n\r\n`,
  );
  assert.match(received, /^HTTP\/1\.1 431 /);
  assert.match(received, /"code":"headers_too_large"/);
});

test("unknown paths and methods are told apart, and every answer names the server's kind", async () => {
  const nowhere = await answer("/nowhere");
  assert.equal(nowhere.status, 404);
  assert.equal(codeOf(nowhere.json), "route_not_found");
  assert.equal(nowhere.headers.get("x-inngest-server-kind"), "dev");
  const method = await answer("/echo");
  assert.equal(method.status, 405);
  assert.equal(method.headers.get("allow"), "OPTIONS, POST");
});

test("a failing route answers 500 with a code and the id that is logged, and tells no details", async () => {
  const { status, json } = await answer("/fails");
  assert.equal(status, 500);
  assert.deepEqual(json, {
    error: "The server failed; its log has the details.",
    status: 500,
    code: "internal",
    request_id: faults.at(-1),
  });
});

test("HEAD answers like GET without a body", async () => {
  const { status, headers, json } = await answer("/page?q=1", { method: "HEAD" });
  assert.equal(status, 200);
  assert.equal(headers.get("content-length"), String('{"q":"1"}'.length));
  assert.equal(json, null);
});

test("what is not part of the server is no fault of it", async () => {
  const before = faults.length;
  const { status, json } = await answer("/absent");
  assert.deepEqual([status, codeOf(json)], [501, "not_implemented"]);
  assert.equal(faults.length, before);
});

test("HEAD of an endless answer ends, and stops its source", async () => {
  const { status } = await answer("/pieces", { method: "HEAD" });
  assert.equal(status, 200);
  assert.equal(pieces.closed, true);
});

test("pages of any origin may use open routes, and only those", async () => {
  const open = await answer("/open/key", { method: "OPTIONS" });
  assert.equal(open.status, 204);
  assert.equal(open.headers.get("access-control-allow-origin"), "*");
  const closed = await answer("/echo", { method: "OPTIONS" });
  assert.equal(closed.headers.get("access-control-allow-origin"), null);
});

test("pages of other origins are kept from routes that change or show things", async () => {
  const from = (origin: string) => ({ method: "POST", body: "x", headers: { origin } });
  const foreign = await answer("/echo", from("https://evil.example"));
  assert.equal(foreign.status, 403);
  assert.equal(codeOf(foreign.json), "origin_refused");
  assert.equal((await answer("/echo", from("null"))).status, 403);
  assert.equal((await answer("/echo", from(origin))).status, 200);
  assert.equal((await answer("/open/key", from("https://shop.example"))).status, 200);
});

test("pages of listed origins may use every route, with a key and no more than that", async () => {
  const headers = { origin: "https://ops.example" };
  const asked = await answer("/echo", { method: "OPTIONS", headers });
  assert.equal(asked.status, 204);
  assert.equal(asked.headers.get("access-control-allow-origin"), "https://ops.example");
  assert.match(asked.headers.get("access-control-allow-headers") ?? "", /authorization/);
  assert.equal(asked.headers.get("access-control-allow-methods"), "OPTIONS, POST");
  assert.equal(asked.headers.get("access-control-allow-credentials"), null);
  assert.equal(asked.headers.get("vary"), "origin");
  assert.equal((await answer("/echo", { method: "POST", body: "x", headers })).status, 200);
  const other = await answer("/echo", { headers: { origin: "https://ops.example.evil" } });
  assert.equal(other.headers.get("access-control-allow-origin"), null);
  assert.equal(other.headers.get("vary"), "origin");
});

const hosts: readonly (readonly [host: string, isOwn: boolean])[] = [
  ["127.0.0.1:8288", true],
  ["[::1]:8288", true],
  ["192.168.1.7", true],
  ["localhost", true],
  ["LOCALHOST:1", true],
  ["pawl:8288", true],
  ["host.docker.internal:8288", true],
  ["shop.localhost", true],
  ["dev.example:8288", true],
  ["dev.example.", true],
  ["evil.example", false],
  ["localhost.evil.example:8288", false],
  ["127.0.0.1.evil.example", false],
  ["xdev.example", false],
];
for (const [host, isOwn] of hosts) {
  test(`a server without keys ${isOwn ? "answers" : "does not answer"} under the name ${host}`, async () => {
    const { status, code } = await askAs(host, "/page");
    assert.deepEqual([status, code], isOwn ? [200, null] : [403, "host_refused"]);
    // Events may come from anywhere, as their CORS rules say.
    assert.equal((await askAs(host, "/open/key", "POST")).status, 200);
  });
}

/** `fetch` always names the real host. */
function askAs(
  host: string,
  path: string,
  method = "GET",
): Promise<{ readonly status: number | undefined; readonly code: unknown }> {
  return new Promise((resolve, reject) => {
    const options = { port: dev.port, host: "127.0.0.1", method, path, headers: { host } };
    request(options, (message) => {
      void text(message).then(
        (body) => resolve({ status: message.statusCode, code: codeOf(JSON.parse(body)) }),
        reject,
      );
    })
      .on("error", reject)
      .end();
  });
}

test("refusals are told with the pattern of their route, which holds no key", async () => {
  refusals.length = 0;
  await answer("/secret");
  await answer("/echo", { method: "POST", headers: { origin: "https://evil.example" } });
  assert.deepEqual(refusals, ["/secret invalid_signing_key", "/echo origin_refused"]);
});

test("the guard is asked before the body is read", async () => {
  const { status, json } = await answer("/secret");
  assert.equal(status, 401);
  assert.equal(codeOf(json), "invalid_signing_key");
});

test("development tools do not exist on a production server", async () => {
  const cloud = await serve("cloud");
  const response = await fetch(`http://127.0.0.1:${String(cloud.port)}/tools`);
  assert.equal(response.status, 404);
  assert.equal(response.headers.get("x-inngest-server-kind"), "cloud");
  assert.equal((await answer("/tools")).status, 200);
  await cloud.close(0);
});

test("a stopping server refuses new work and goes on with the rest", async () => {
  draining = true;
  try {
    const refused = await answer("/work", { method: "POST" });
    assert.equal(refused.status, 503);
    assert.equal(codeOf(refused.json), "draining");
    assert.equal(refused.headers.get("retry-after"), "1");
    assert.equal((await answer("/page")).status, 200);
  } finally {
    draining = false;
  }
});

test("bodies share one budget: what does not fit is refused as overloaded, and room comes back", async () => {
  const small = await listen({
    gateway: createGateway({
      router: new Router(routes),
      kind: "dev",
      guard: () => ({ caller: unlimited, problem: null }),
      origins: { pages: [], hosts: null },
      onRefused: () => undefined,
      onKeyUsed: () => undefined,
      draining: () => false,
      explain: () => null,
      onFault: () => undefined,
    }),
    hosts: ["127.0.0.1"],
    port: 0,
    bodiesBytesMax: 100,
    requestMs: 5_000,
    onMissingHost: () => undefined,
  });
  const target = `http://127.0.0.1:${String(small.port)}/echo`;
  const refused = await fetch(target, { method: "POST", body: "x".repeat(101) });
  assert.equal(codeOf(await refused.json()), "overloaded");
  const fits = await fetch(target, { method: "POST", body: "x".repeat(100) });
  assert.equal(fits.status, 200);
  await fits.text();
  await small.close(0);
});

test("a source of pieces is stopped when its reader has left before the answer", async () => {
  const opened = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<HttpResponse>();
  const other = await listen({
    gateway: {
      answer: () => {
        opened.resolve();
        return answered.promise;
      },
      upgrade: neverCalled,
    },
    hosts: ["127.0.0.1"],
    port: 0,
    bodiesBytesMax: 1,
    requestMs: 1_000,
    onMissingHost: () => undefined,
  });
  const socket = connect({ host: "127.0.0.1", port: other.port });
  socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  await opened.promise;
  socket.destroy();
  // Should the server not know yet, the test below proves the same.
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  const response = endless();
  const state = pieces;
  answered.resolve(response);
  while (!state.closed) await new Promise((resolve) => setImmediate(resolve));
  await other.close(0);
});

test("a source of pieces is stopped when its reader leaves", async () => {
  const aborter = new AbortController();
  const response = await fetch(`${origin}/pieces`, { signal: aborter.signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  assert.match((await reader?.read())?.value ?? "", /^line\n/);
  const watched = pieces;
  aborter.abort();
  while (!watched.closed) await new Promise((resolve) => setImmediate(resolve));
});

test("small requests share one connection", async () => {
  const one = "GET /page HTTP/1.1\r\nhost: x\r\n\r\n";
  const last = "GET /page HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
  const received = await raw(one + one + last);
  assert.equal(received.split("HTTP/1.1 200 OK").length - 1, 3);
});

const neverCalled = () => Promise.reject(new Error("never called"));

test("a port that is taken is an error with its code, and nothing stays open", async () => {
  await assert.rejects(
    listen({
      gateway: { answer: neverCalled, upgrade: neverCalled },
      hosts: ["127.0.0.1"],
      port: dev.port,
      bodiesBytesMax: 1,
      requestMs: 1_000,
      onMissingHost: () => undefined,
    }),
    { code: "EADDRINUSE" },
  );
});
