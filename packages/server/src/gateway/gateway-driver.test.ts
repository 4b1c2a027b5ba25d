import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { after, test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { writeGatewayRequest, type GatewayKind } from "@pawl/protocol/gateway-wire";
import type { OpcodesAnswer } from "@pawl/protocol/answer";
import type { Carriage } from "../driver/driver.ts";
import { systemClock } from "../loop/clock.ts";
import { GatewayDriver, gatewayOptions, type GatewayOptions } from "./gateway-driver.ts";
import { defaultGatewayLimits, type GatewayLimits } from "./gateway-request.ts";

const open: { close(): Promise<void> }[] = [];
after(async () => {
  for (const thing of open) await thing.close();
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // proof: it listens on TCP
  open.push({ close: () => new Promise((resolve) => server.close(() => resolve())) });
  return `http://127.0.0.1:${port}`;
}

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

function site(handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (body += chunk));
    request.on("end", () => handler(request, response, body));
  });
  open.unshift({ close: async () => server.closeAllConnections() });
  return listen(server);
}

/** A server that answers every connection with these bytes and then does as told. */
function rawSite(head: string, then: "stay" | "end" | "reset"): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => undefined);
    open.unshift({ close: async () => void socket.destroy() });
    socket.once("data", () => {
      socket.write(head, () => {
        if (then === "end") socket.end();
        if (then === "reset") socket.resetAndDestroy();
      });
    });
  });
  return listen(server);
}

interface Given {
  readonly limits?: Partial<GatewayLimits>;
  readonly options?: Partial<GatewayOptions>;
  readonly kind?: GatewayKind;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | null;
}

function start(url: string, given: Given = {}): Carriage {
  const { kind = "fetch", method = "GET", headers = {}, body = null } = given;
  const driver = new GatewayDriver(
    gatewayOptions({
      clock: systemClock,
      limits: { ...defaultGatewayLimits, timeoutMs: 5_000, ...given.limits },
      guard: { allowPrivate: true, allow: [] },
      ...given.options,
    }),
  );
  open.unshift(driver);
  const face = {
    id: "5e7",
    displayName: "call out",
    userId: "call out",
    userIndex: 0,
    race: false,
    stepType: null,
    opts: null,
    retries: null,
  };
  return driver.carry({
    url: `gateway:${kind}`,
    body: writeGatewayRequest({ url, method, headers, body }),
    gateway: { kind, face },
    appId: "app",
    functionId: "fn",
    traceparent: "00-0-0-01",
    tracestate: "",
    runId: "01RUN",
    jobId: "5e7",
    generation: 1,
    requestId: "01REQ",
    timeoutMs: 60_000,
  });
}

interface Data {
  readonly url: string;
  readonly status_code: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly body_encoding?: string;
}

async function opcode(url: string, given?: Given) {
  const answer = await start(url, given).answer;
  assert.equal(answer.kind, "opcodes");
  const { opcodes, retryAfterMs } = answer as OpcodesAnswer; // proof: asserted
  const [only] = opcodes;
  assert.ok(only !== undefined && opcodes.length === 1);
  assert.equal(only.id, "5e7");
  return { opcode: only, retryAfterMs };
}

async function result(url: string, given?: Given): Promise<Data> {
  const { opcode: found } = await opcode(url, given);
  assert.ok(found.op === "StepRun", JSON.stringify(found));
  return (JSON.parse(found.memo) as { data: Data }).data; // proof: a memo of step.fetch
}

interface Failure {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly noRetry: boolean;
  readonly retryAfterMs: number | null;
}

async function failure(url: string, given?: Given): Promise<Failure> {
  const { opcode: found, retryAfterMs } = await opcode(url, given);
  assert.ok(found.op === "StepError", JSON.stringify(found));
  const error = JSON.parse(found.error) as Failure; // proof: every error of the driver has these
  return { ...error, noRetry: found.noRetry, retryAfterMs };
}

test("method, headers and body go out as given; any status is a result", async () => {
  const seen: { request: IncomingMessage; body: string }[] = [];
  const url = await site((request, response, body) => {
    seen.push({ request, body });
    response.writeHead(503, { "x-a": ["1", "2"], "content-type": "text/plain" }).end("no ✓");
  });
  const given = { method: "PUT", headers: { "x-own": "yes", host: "evil" }, body: "ü" };
  const data = await result(`${url}/p?q=1`, given);
  assert.deepEqual(
    [data.status_code, data.body, data.headers["x-a"], data.url],
    [503, "no ✓", "1, 2", `${url}/p?q=1`],
  );
  const [first] = seen;
  assert.ok(first);
  assert.deepEqual(
    [first.request.method, first.request.url, first.request.headers["x-own"], first.body],
    ["PUT", "/p?q=1", "yes", "ü"],
  );
  assert.equal(first.request.headers.host, url.slice("http://".length));
  assert.equal(first.request.headers["idempotency-key"], "01RUN-5e7");
});

test("the step's key stays the app's when it brings one, and reads have none", async () => {
  const keys: unknown[] = [];
  const url = await site((request, response) => {
    keys.push(request.headers["idempotency-key"]);
    response.end();
  });
  await result(url, { method: "POST", headers: { "idempotency-key": "mine" } });
  await result(url);
  assert.deepEqual(keys, ["mine", undefined]);
});

test("bodies: compressed ones are unpacked, others than text travel as base64, 204 has none", async () => {
  const url = await site((request, response) => {
    if (request.url === "/gzip")
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("hello"));
    else if (request.url === "/br")
      response.writeHead(200, { "content-encoding": "br" }).end(brotliCompressSync("hello"));
    else if (request.url === "/broken")
      response.writeHead(200, { "content-encoding": "gzip" }).end("hello");
    else if (request.url === "/latin")
      response
        .writeHead(200, { "content-type": "text/plain; charset=iso-8859-1" })
        .end(Buffer.from([0xfc]));
    else if (request.url === "/binary") response.end(Buffer.from([0xff, 0x00]));
    else response.writeHead(204).end();
  });
  for (const path of ["/gzip", "/br"]) {
    const data = await result(url + path);
    assert.equal(data.body, "hello");
    assert.equal(data.headers["content-encoding"], undefined);
  }
  assert.equal((await result(`${url}/latin`)).body, "ü");
  const binary = await result(`${url}/binary`);
  assert.deepEqual([binary.body, binary.body_encoding], ["/wA=", "base64"]);
  assert.equal((await result(`${url}/none`)).body, null);
  assert.equal((await failure(`${url}/broken`)).code, "gateway_response_malformed");
});

test("redirects are followed as browsers do, and another origin sees no secret header", async () => {
  const seen: string[] = [];
  const note = (request: IncomingMessage, body: string): void => {
    const { authorization = "-", accept = "-" } = request.headers;
    seen.push(`${request.method} ${request.url} ${authorization} ${accept} ${body}`);
  };
  const other = await site((request, response, body) => {
    note(request, body);
    response.end("there");
  });
  const url = await site((request, response, body) => {
    note(request, body);
    const { url: path = "" } = request;
    const locations = { "/303": "/here", "/307": "/here", "/away": `${other}/there` };
    const to = new Map(Object.entries(locations)).get(path);
    if (to === undefined) response.end("here");
    else response.writeHead(path === "/away" ? 307 : Number(path.slice(1)), { location: to }).end();
  });
  const given = {
    method: "POST",
    headers: { authorization: "Bearer s", accept: "a/b" },
    body: "B",
  };
  assert.equal((await result(`${url}/303`, given)).url, `${url}/here`);
  await result(`${url}/307`, given);
  assert.equal((await result(`${url}/away`, given)).url, `${other}/there`);
  assert.deepEqual(seen, [
    "POST /303 Bearer s a/b B",
    "GET /here Bearer s a/b ",
    "POST /307 Bearer s a/b B",
    "POST /here Bearer s a/b B",
    "POST /away Bearer s a/b B",
    "POST /there - a/b B",
  ]);
});

test("redirects end at their limit, and at what is no HTTP", async () => {
  const url = await site((request, response) => {
    response.writeHead(302, { location: request.url === "/file" ? "file:///etc/passwd" : "/" });
    response.end();
  });
  const loop = await failure(url, { limits: { redirectsMax: 3 } });
  assert.equal(loop.code, "gateway_redirect_invalid");
  assert.ok(loop.noRetry);
  assert.match(loop.message, /more than 3 times \(limit gateway-redirects-max\)/);
  assert.equal((await failure(`${url}/file`)).code, "gateway_redirect_invalid");
});

const strict = { guard: { allowPrivate: false, allow: [] } };

test("a private address is refused at once: as a literal, behind a name, behind a redirect", async () => {
  let requests = 0;
  const inside = await site((_request, response) => {
    requests += 1;
    response.end("secret");
  });
  const { port } = new URL(inside);
  const literal = await failure(`http://127.0.0.1:${port}/`, { options: strict });
  assert.deepEqual(
    [literal.name, literal.code, literal.noRetry],
    ["GatewayError", "gateway_address_refused", true],
  );
  assert.match(literal.message, /127\.0\.0\.1.*--gateway-allow.*--gateway-allow-private/);
  for (const host of ["0x7f.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "localhost"]) {
    const refused = await failure(`http://${host}:${port}/`, { options: strict });
    assert.equal(refused.code, "gateway_address_refused", host);
  }
  const outside = await site((_request, response) => {
    response.writeHead(307, { location: `http://127.0.0.1:${port}/` }).end();
  });
  const allow = [`out.test`];
  const resolve: GatewayOptions["resolve"] = (_host, done) =>
    done(null, [{ address: "127.0.0.1", family: 4 }]);
  const behind = await failure(`http://out.test:${new URL(outside).port}/`, {
    options: { guard: { allowPrivate: false, allow }, resolve },
  });
  assert.equal(behind.code, "gateway_address_refused");
  assert.equal(requests, 0);
});

test("the address that was checked is the one connected to: a name is resolved once a request", async () => {
  const hosts: unknown[] = [];
  const url = await site((request, response) => {
    hosts.push(request.headers.host);
    response.end("ok");
  });
  const { port } = new URL(url);
  let asked = 0;
  const resolve: GatewayOptions["resolve"] = (_host, done) => {
    asked += 1;
    // A name that is allowed the first time and leads inside the second.
    const address = asked === 1 ? "127.0.0.1" : "169.254.169.254";
    done(null, [{ address, family: 4 }]);
  };
  const options = { guard: { allowPrivate: false, allow: ["127.0.0.1"] }, resolve };
  assert.equal((await result(`http://rebind.test:${port}/`, { options })).body, "ok");
  assert.equal(asked, 1);
  assert.deepEqual(hosts, [`rebind.test:${port}`]);
  const second = await failure(`http://rebind.test:${port}/`, { options });
  assert.equal(second.code, "gateway_address_refused");
  assert.match(second.message, /rebind\.test is at 169\.254\.169\.254/);
});

test("TLS asks for the name, at the address that was checked", async () => {
  const hello = Promise.withResolvers<Buffer>();
  const server = createTcpServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", (chunk) => {
      hello.resolve(chunk);
      socket.destroy();
    });
  });
  const { port } = new URL(await listen(server));
  const resolve: GatewayOptions["resolve"] = (_host, done) =>
    done(null, [{ address: "127.0.0.1", family: 4 }]);
  const options = { guard: { allowPrivate: false, allow: ["127.0.0.1"] }, resolve };
  const found = await failure(`https://name.test:${port}/`, { options });
  assert.equal(found.code, "gateway_connection_lost");
  assert.ok((await hello.promise).includes("name.test"));
});

test("of several addresses only the allowed ones are tried", async () => {
  const url = await site((_request, response) => response.end("ok"));
  const resolve: GatewayOptions["resolve"] = (_host, done) =>
    done(null, [
      { address: "10.0.0.1", family: 4 },
      { address: "127.0.0.1", family: 4 },
    ]);
  const options = { guard: { allowPrivate: false, allow: ["127.0.0.0/8"] }, resolve };
  const data = await result(`http://two.test:${new URL(url).port}/`, { options });
  assert.equal(data.body, "ok");
});

test("what cannot be sent is refused at once, and says why", async () => {
  const codes: [string, Given, string][] = [
    ["file:///etc/passwd", {}, "gateway_url_invalid"],
    ["not a url", {}, "gateway_url_invalid"],
    ["http://user:pass@127.0.0.1/", {}, "gateway_url_invalid"],
    ["http://127.0.0.1/", { method: "CONNECT" }, "gateway_request_invalid"],
    ["http://127.0.0.1/", { method: "GE T" }, "gateway_request_invalid"],
    ["http://127.0.0.1/", { headers: { "a b": "1" } }, "gateway_request_invalid"],
    ["http://127.0.0.1/", { headers: { a: "1\r\nb: 2" } }, "gateway_request_invalid"],
    [
      "http://127.0.0.1/",
      { method: "POST", body: "x".repeat(9), limits: { requestBytesMax: 8 } },
      "gateway_request_too_large",
    ],
  ];
  for (const [url, given, code] of codes) {
    const found = await failure(url, given);
    assert.equal(found.code, code, url);
    assert.ok(found.noRetry, url);
    assert.doesNotMatch(found.message, /pass@|user:/);
  }
});

test("responses beyond the limit are refused, whole, endless or packed", async () => {
  const url = await site((request, response) => {
    if (request.url === "/bomb")
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("x".repeat(100_000)));
    else if (request.url === "/endless") {
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(1_000)));
      };
      response.on("drain", more);
      more();
    } else response.end("x".repeat(5_000));
  });
  for (const path of ["/whole", "/endless", "/bomb"]) {
    const found = await failure(url + path, { limits: { responseBytesMax: 4_000 } });
    assert.equal(found.code, "gateway_response_too_large", path);
    assert.match(found.message, /4000 bytes \(limit gateway-response-bytes-max\)/);
    assert.ok(found.noRetry);
  }
});

test("servers that misbehave are failures that are tried again", async () => {
  const silent = await rawSite("", "stay");
  const half = await rawSite("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n123", "end");
  const reset = await rawSite("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n123", "reset");
  const stalled = await rawSite("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n123", "stay");
  const babble = await rawSite("this is no HTTP\r\n\r\n", "end");
  const codes: [string, Given, string][] = [
    [silent, { limits: { timeoutMs: 50 } }, "gateway_timeout"],
    [half, {}, "gateway_connection_lost"],
    [reset, {}, "gateway_connection_lost"],
    [stalled, { limits: { idleMs: 50 } }, "gateway_idle"],
    [babble, {}, "gateway_response_malformed"],
    [silent.replace("http:", "https:"), { limits: { timeoutMs: 50 } }, "gateway_timeout"],
    [babble.replace("http:", "https:"), {}, "gateway_unreachable"],
    ["http://127.0.0.1:9/?key=sekret", {}, "gateway_unreachable"],
  ];
  for (const [url, given, code] of codes) {
    const found = await failure(url, given);
    assert.deepEqual([found.code, found.noRetry], [code, false], JSON.stringify([url, found]));
    assert.doesNotMatch(found.message, /sekret/);
  }
});

test("infer: the provider's JSON is the result as it came, a stream its text", async () => {
  const url = await site((request, response, body) => {
    if (request.url === "/stream") response.end("data: 1\n\n");
    else response.end(`{ "echo":${body}, "n":12345678901234567890 }`);
  });
  const given = { kind: "infer", method: "POST", body: '{"q":1}' } as const;
  const { opcode: found } = await opcode(url, given);
  assert.ok(found.op === "StepRun");
  assert.equal(found.memo, '{"data":{ "echo":{"q":1}, "n":12345678901234567890 }}');
  const { opcode: text } = await opcode(`${url}/stream`, given);
  assert.ok(text.op === "StepRun");
  assert.equal(text.memo, '{"data":"data: 1\\n\\n"}');
});

test("infer: statuses above 2xx are failures; refusals are final, the rest is tried again in time", async () => {
  const key = "sk-0123456789";
  const url = await site((request, response) => {
    response.writeHead(Number(request.url?.slice(1)), { "retry-after": "7", location: "/200" });
    response.end(`{"error":"bad key ${key} in ${request.headers.authorization}"}`);
  });
  const given = {
    kind: "infer",
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
  } as const;
  for (const [status, final] of [
    [302, true],
    [400, true],
    [401, true],
    [404, true],
    [408, false],
    [409, false],
    [429, false],
    [500, false],
    [503, false],
    [529, false],
  ] as const) {
    const found = await failure(`${url}/${status}`, given);
    assert.deepEqual(
      [found.name, found.code, found.noRetry, found.retryAfterMs],
      ["AIGatewayError", "gateway_status", final, 7_000],
      String(status),
    );
    assert.match(found.message, new RegExp(`answered with status ${status}: .*bad key`));
    assert.ok(!JSON.stringify(found).includes(key), "the key is not repeated");
  }
});

test("an aborted request ends its connection and brings nothing", async () => {
  const arrived = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const url = await site((request) => {
    arrived.resolve();
    request.socket.once("close", () => closed.resolve());
  });
  const outcomes: string[] = [];
  const onOutcome: GatewayOptions["onOutcome"] = (kind, outcome) =>
    outcomes.push(`${kind} ${outcome}`);
  const carriage = start(url, { options: { onOutcome } });
  let isAnswered = false;
  void carriage.answer.then(() => (isAnswered = true));
  await arrived.promise;
  carriage.abort();
  await closed.promise;
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([isAnswered, outcomes], [false, ["fetch aborted"]]);
});
