// Subscribers whose connections stand still, over real sockets: they are dropped, and neither publishers
// nor other subscribers notice.
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, look, until } from "../http/test-client.ts";
import { startServer, type PawlServer } from "../server.ts";
import { SocketReader } from "./testing/readers.ts";

let server: PawlServer;

before(async () => {
  server = await startServer({
    store: createMemoryStore(),
    realtimeLimits: { subscriberBytesMax: 256 * 1024, pingMs: 60_000, connectionsMax: 3 },
  });
});
after(() => server.close());

async function askToken(channel: string, at = server): Promise<string> {
  const body = JSON.stringify([{ channel, name: "t" }]);
  return String(look((await ask(at.url, "POST", "/v1/realtime/token", { body })).json, "jwt"));
}

/** A connection that has sent a request and reads no more than the first bytes of the answer. */
async function stalled(path: string, headers: readonly string[], at = server): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port: at.port });
  socket.on("error", () => undefined);
  socket.write(`${[`GET ${path} HTTP/1.1`, "host: x", ...headers].join("\r\n")}\r\n\r\n`);
  await new Promise<void>((resolve) => socket.once("readable", () => resolve()));
  return socket;
}

const closeCode = 4008;

/** The code that a connection is closed with; null when it just ends. */
function goodbyeOf(socket: Socket): Promise<number | null> {
  let tail = Buffer.alloc(0);
  return new Promise((resolve) => {
    socket.on("close", () => resolve(null));
    socket.on("data", (chunk: Buffer) => {
      tail = Buffer.concat([tail, chunk]).subarray(-200);
      const at = tail.indexOf("read too slowly");
      if (at === -1) return;
      resolve(tail.readUInt16BE(at - 2));
      socket.destroy();
    });
  });
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(
    text
      .split("\n")
      .find((line) => line.startsWith(`${name} `))
      ?.split(" ")[1],
  );
}

const upgrade = [
  "connection: upgrade",
  "upgrade: websocket",
  "sec-websocket-version: 13",
  "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
];

for (const [way, headers] of [
  ["connect", upgrade],
  ["sse", []],
] as const) {
  test(`${way}: who stops reading is dropped, others get every message`, async () => {
    const slow = await stalled(`/v1/realtime/${way}?token=${await askToken(way)}`, headers);
    const quick = await SocketReader.open(server.url, await askToken(way));
    const dropped = 'pawl_realtime_subscribers_dropped_total{reason="slow"}';
    const before = await metric(dropped);
    const payload = JSON.stringify("x".repeat(200_000));
    let sent = 0;
    while ((await metric(dropped)) === before) {
      const path = `/v1/realtime/publish?channel=${way}&topic=t`;
      assert.equal((await ask(server.url, "POST", path, { body: payload })).status, 200);
      sent += 1;
      assert.equal(look(await quick.next(), "kind"), "data");
      assert.ok(sent < 500, "a stalled subscriber is never dropped");
    }
    // The rest of what it was sent can be had; behind it a WebSocket says why it is closed.
    assert.equal(await goodbyeOf(slow), way === "connect" ? closeCode : null);
    quick.close();
    await until(
      () => metric("pawl_realtime_waiting_bytes"),
      (bytes) => bytes === 0,
    );
  });
}

test("no more subscribers than are allowed, and the refusal names the setting", async () => {
  await until(
    () => metric('pawl_realtime_subscribers{transport="websocket"}'),
    (count) => count === 0,
  );
  const token = await askToken("many");
  const readers = await Promise.all([1, 2, 3].map(() => SocketReader.open(server.url, token)));
  await assert.rejects(SocketReader.open(server.url, token));
  const { status, json } = await ask(server.url, "GET", `/v1/realtime/sse?token=${token}`);
  assert.deepEqual([status, look(json, "code")], [503, "overloaded"]);
  assert.match(String(look(json, "error")), /3 .*--realtime-connections-max/);
  for (const reader of readers) reader.close();
});

test("who does not answer pings is cut off, who does stays", async () => {
  const pinging = await startServer({
    store: createMemoryStore(),
    realtimeLimits: { pingMs: 150 },
  });
  const token = await askToken("ping", pinging);
  const dead = await stalled(`/v1/realtime/connect?token=${token}`, upgrade, pinging);
  const alive = await SocketReader.open(pinging.url, token);
  dead.resume();
  await new Promise<void>((resolve) => dead.once("close", () => resolve()));
  const path = "/v1/realtime/publish?channel=ping&topic=t";
  const { json } = await ask(pinging.url, "POST", path, { body: "1" });
  assert.equal(look(json, "data.subscribers"), 1);
  assert.equal(look(await alive.next(), "data"), 1);
  alive.close();
  await pinging.close();
});
