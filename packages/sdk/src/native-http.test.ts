import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { nativeFetch } from "./native-http.ts";

const seen: { method: string; headers: IncomingMessage["headers"]; body: string; port: number }[] =
  [];
const server = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
  request.on("end", () => {
    const { method = "", headers, socket } = request;
    seen.push({ method, headers, body, port: socket.remotePort ?? 0 });
    answer(request.url ?? "", response);
  });
});
let origin = "";

function answer(path: string, response: ServerResponse): void {
  if (path === "/moved") response.writeHead(307, { location: "/here" }).end();
  else if (path === "/half") {
    response.writeHead(200, { "content-length": 100 });
    response.write("half", () => response.destroy());
  } else {
    response.writeHead(429, { "retry-after": "7", "content-type": "application/json" });
    response.end('{"say":"grüß dich €"}');
  }
}

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // proof: it listens on TCP
  origin = `http://127.0.0.1:${port}`;
});
after(() => server.close());

const request = nativeFetch() ?? assert.fail("Node has its own client");
const post = { method: "POST", headers: { "x-name": "value" }, body: "größer als Latein €" };

test("method, headers and body arrive; status, headers and text come back", async () => {
  const answered = await request(`${origin}/`, post);
  assert.equal(answered.status, 429);
  assert.equal(answered.headers.get("retry-after"), "7");
  assert.equal(answered.headers.get("x-none"), null);
  assert.equal(await answered.text(), '{"say":"grüß dich €"}');
  const { method, headers, body } = seen.at(-1) ?? assert.fail("nothing arrived");
  assert.deepEqual([method, headers["x-name"], body], ["POST", "value", post.body]);
  assert.equal(headers["content-length"], String(Buffer.byteLength(post.body)));
});

test("a request without a body, over the connection of the one before", async () => {
  await request(`${origin}/`, post);
  await request(`${origin}/`, { method: "GET", headers: {} });
  const [before, last] = seen.slice(-2);
  assert.deepEqual([last?.method, last?.body, last?.port], ["GET", "", before?.port]);
});

test("a redirect is followed with the same method and body", async () => {
  const answered = await request(`${origin}/moved`, post);
  assert.equal(answered.status, 429);
  assert.deepEqual([seen.at(-1)?.method, seen.at(-1)?.body], ["POST", post.body]);
});

test("half an answer, and no server, reject", async () => {
  await assert.rejects(request(`${origin}/half`, post), { code: "ECONNRESET" });
  await assert.rejects(request("http://127.0.0.1:1/", post), { code: "ECONNREFUSED" });
});

test("a fetch that somebody put in place is used", async (context) => {
  context.mock.method(globalThis, "fetch", () => Promise.resolve(new Response("mocked")));
  const answered = await request(`${origin}/`, post);
  assert.equal(await answered.text(), "mocked");
});
