// The node adapter over a real loopback socket.
import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { FakeWorld, callRequest, devClient, parseAs } from "../test-kit.ts";
import { serve } from "./node.ts";

async function withServer(
  listener: http.RequestListener,
  use: (origin: string) => Promise<void>,
): Promise<void> {
  const server = http.createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // proof: a TCP server that listens
  try {
    await use(`http://127.0.0.1:${port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function setUp() {
  const world = new FakeWorld();
  const client = devClient(world);
  const fn = client.createFunction({ id: "f" }, { event: "go" }, ({ event, step }) =>
    step.run("a", () => ({ ü: event.data["n"] })),
  );
  return { world, fn, handler: serve({ client, functions: [fn] }) };
}

test("a call and a registration over a socket, below any path", async () => {
  const { world, fn, handler } = setUp();
  world.answer = () => Response.json({ ok: true, modified: true });
  await withServer(
    (request, response) => void handler(request, response),
    async (origin) => {
      const call = callRequest(fn);
      const path = new URL(call.url).search;
      const answer = await fetch(`${origin}/deep/below${path}`, {
        method: "POST",
        body: call.body,
      });
      assert.equal(answer.status, 206);
      const [op] = parseAs<[{ data: unknown }]>(await answer.text());
      assert.deepEqual(op.data, { ü: 1 });
      const put = await fetch(`${origin}/deep/below`, { method: "PUT" });
      assert.equal(put.status, 200);
      const registered = parseAs<{ url: string }>(world.sent.at(-1)?.body);
      assert.equal(registered.url, `${origin}/deep/below`);
    },
  );
});

test("a router that shortens the URL and has parsed the body", async () => {
  const { fn, handler } = setUp();
  const call = callRequest(fn);
  const mounted: http.RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
      const originalUrl = request.url;
      void handler(Object.assign(request, { originalUrl, url: "/", body }), response);
    });
  };
  await withServer(mounted, async (origin) => {
    const path = new URL(call.url).search;
    const answer = await fetch(`${origin}/api/pawl${path}`, { method: "POST", body: call.body });
    assert.equal(answer.status, 206);
  });
});

test("the signal of a call is aborted when the server goes away", async () => {
  const world = new FakeWorld();
  const client = devClient(world);
  let started: () => void = () => undefined;
  const running = new Promise<void>((resolve) => (started = resolve));
  let ended: (aborted: boolean) => void = () => undefined;
  const aborted = new Promise<boolean>((resolve) => (ended = resolve));
  const fn = client.createFunction({ id: "f" }, { event: "go" }, async ({ signal }) => {
    signal.addEventListener("abort", () => ended(signal.aborted));
    started();
    return aborted;
  });
  const handler = serve({ client, functions: [fn] });
  await withServer(
    (request, response) => void handler(request, response),
    async (origin) => {
      const call = callRequest(fn);
      const leaving = new AbortController();
      const answer = fetch(`${origin}/${new URL(call.url).search}`, {
        method: "POST",
        body: call.body,
        signal: leaving.signal,
      });
      await running;
      leaving.abort();
      await assert.rejects(answer);
      assert.equal(await aborted, true);
    },
  );
});
