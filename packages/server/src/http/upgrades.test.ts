// Connections that leave HTTP, and bodies that are taken as they arrive, through real sockets.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { unlimited } from "../auth/scopes.ts";
import { createGateway } from "./gateway.ts";
import { listen, type Listener } from "./listen.ts";
import { httpProblem, problemResponse } from "./problem.ts";
import { valueResponse } from "./response.ts";
import { Router, type Route } from "./router.ts";
import type { WebSocketPeer } from "./web-socket.ts";

const base = { access: "runs:write", anyOrigin: false, startsWork: false } as const;
const get = { ...base, method: "GET", bodyBytesMax: 0 } as const;
const ok = () => valueResponse(200, {});

function echo(peer: WebSocketPeer) {
  return {
    message: (bytes: Uint8Array, isText: boolean) => peer.send(bytes, isText, () => undefined),
    pong: () => undefined,
    closed: () => undefined,
  };
}

const routes: readonly Route[] = [
  {
    ...get,
    pattern: "/echo/:name",
    startsWork: true,
    handle: ok,
    upgrade: async ({ params, query }) => {
      if (params["name"] === "fails") throw new Error("secret detail");
      if (query.get("key") !== "k")
        return problemResponse(httpProblem(401, "token_missing", "No."));
      return { messageBytesMax: 1_000, open: echo };
    },
  },
  { ...get, pattern: "/plain", handle: ok },
  {
    ...base,
    method: "POST",
    pattern: "/pieces",
    bodyBytesMax: 1_000,
    readsBody: true,
    handle: async ({ incoming, body }) => {
      const pieces: string[] = [];
      const problem = await incoming.readPieces({ bytesMax: 1_000, withinMs: 300 }, (piece) =>
        pieces.push(Buffer.from(piece).toString()),
      );
      return problem === null ? valueResponse(200, { pieces, body }) : problemResponse(problem);
    },
  },
  { ...base, method: "POST", pattern: "/whole", bodyBytesMax: 1_000, handle: ok },
];

let draining = false;

function serve(): Promise<Listener> {
  const gateway = createGateway({
    router: new Router(routes),
    kind: "dev",
    guard: () => ({ caller: unlimited, problem: null }),
    origins: { pages: [], hosts: null },
    onKeyUsed: () => undefined,
    onRefused: () => undefined,
    draining: () => draining,
    explain: () => null,
    onFault: () => undefined,
  });
  return listen({
    gateway,
    hosts: ["127.0.0.1"],
    port: 0,
    bodiesBytesMax: 4_000,
    requestMs: 300,
    onMissingHost: () => undefined,
  });
}

let listener: Listener;

before(async () => {
  listener = await serve();
});
after(() => listener.close(0));

async function open(path: string, port = listener.port): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${String(port)}${path}`);
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error("refused")));
  });
  return socket;
}

/** Sends bytes as they are and yields everything that comes back until the connection ends. */
function raw(text: string, end = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: listener.port });
    let received = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => (received += chunk));
    socket.on("close", () => resolve(received)).on("error", reject);
    if (end) socket.end(text);
    else socket.write(text);
  });
}

function asked(path: string, upgrade = "websocket"): string {
  return `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: ${upgrade}\r\n`;
}

test("a route speaks WebSocket with who it lets in", async () => {
  const socket = await open("/echo/a?key=k");
  const answer = new Promise((resolve) =>
    socket.addEventListener("message", ({ data }) => resolve(data)),
  );
  socket.send("hello");
  assert.equal(await answer, "hello");
  socket.close();
});

const refusals: readonly (readonly [what: string, path: string, status: number, code: string])[] = [
  ["the route's own", "/echo/a", 401, "token_missing"],
  ["where there are no WebSockets", "/plain", 400, "upgrade_unsupported"],
  ["where there is nothing", "/nowhere", 404, "route_not_found"],
  ["of a failure", "/echo/fails", 500, "internal"],
];
for (const [what, path, status, code] of refusals) {
  test(`a refusal ${what} is an answer like any other`, async () => {
    const received = await raw(`${asked(path)}\r\n`, true);
    const [head = "", body = ""] = received.split("\r\n\r\n");
    assert.match(head, new RegExp(`^HTTP/1\\.1 ${String(status)} `));
    assert.match(head, /x-inngest-server-kind: dev/);
    assert.match(head, new RegExp(`content-length: ${String(Buffer.byteLength(body))}`));
    assert.match(body, new RegExp(`"code":"${code}"`));
    assert.doesNotMatch(body, /secret/);
  });
}

test("a server that stops takes no new WebSockets", async () => {
  draining = true;
  const received = await raw(`${asked("/echo/a?key=k")}\r\n`, true);
  draining = false;
  assert.match(received, /^HTTP\/1\.1 503 .*"code":"draining"/s);
});

test("wishes for other protocols are passed over", async () => {
  const rest = "connection: close\r\n\r\n";
  const received = await raw(asked("/plain", "h2c").replace("connection: upgrade\r\n", "") + rest);
  assert.match(received, /^HTTP\/1\.1 200 /);
  assert.match(await raw(`${asked("/plain", "h2c")}\r\n`, true), /^HTTP\/1\.1 200 /);
});

test("closing does not wait for open WebSockets beyond its grace", async () => {
  const other = await serve();
  const socket = await open("/echo/a?key=k", other.port);
  const closed = new Promise<number>((resolve) =>
    socket.addEventListener("close", ({ code }) => resolve(code)),
  );
  await other.close(10);
  assert.equal(await closed, 1006);
});

test("a body that is taken as it arrives is not read twice", async () => {
  const response = await fetch(`http://127.0.0.1:${String(listener.port)}/pieces`, {
    method: "POST",
    body: "abc",
  });
  assert.deepEqual(await response.json(), { pieces: ["abc"], body: "" });
});

test("a body that does not arrive in time is refused, whoever reads it", async () => {
  for (const path of ["/pieces", "/whole"]) {
    const received = await raw(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc`);
    assert.match(received, /^HTTP\/1\.1 408 .*"code":"request_timeout"/s, path);
  }
});

test("a body that is taken as it arrives has its limit, and is not inflated", async () => {
  const url = `http://127.0.0.1:${String(listener.port)}/pieces`;
  const long = await fetch(url, { method: "POST", body: "x".repeat(1_001) });
  assert.equal(long.status, 413);
  await long.text();
  const headers = { "content-encoding": "gzip" };
  const packed = await fetch(url, { method: "POST", body: "x", headers });
  assert.equal(packed.status, 415);
  await packed.text();
});
