// How servers start, refuse and stop: through real sockets, on the memory store.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryStore } from "@pawl/store/memory-store";
import type { Fence, Store } from "@pawl/store/store";
import { StoreError } from "@pawl/store/store-error";
import { hashSigningKey } from "@pawl/protocol/signature";
import { ask, look, until } from "./http/test-client.ts";
import { startServer } from "./server.ts";
import { startAppStub } from "./sync/app-stub.ts";

const event = { body: '{"name":"greet"}' };

/** A memory store that opens in its own way. */
function opening(open: (inner: Store) => Promise<Fence>): Store {
  const inner = createMemoryStore();
  return {
    open: () => open(inner),
    load: (needs) => inner.load(needs),
    commit: (changes, fence) => inner.commit(changes, fence),
    due: (query) => inner.due(query),
    list: (query) => inner.list(query),
    watch: (listener) => inner.watch(listener),
    close: () => inner.close(),
  };
}

test("both loopback addresses answer", async () => {
  const server = await startServer({ store: createMemoryStore() });
  assert.ok(server.hosts.includes("127.0.0.1"));
  for (const host of server.hosts) {
    const shown = host.includes(":") ? `[${host}]` : host;
    assert.equal((await fetch(`http://${shown}:${String(server.port)}/health`)).status, 200);
  }
  await server.close();
});

test("a port that is taken is named, and the store is not even opened", async () => {
  const first = await startServer({ store: createMemoryStore() });
  let opened = 0;
  const store = opening((inner) => {
    opened += 1;
    return inner.open();
  });
  await assert.rejects(startServer({ store, port: first.port }), {
    code: "port_taken",
    message: new RegExp(`Port ${String(first.port)} .*--port`),
  });
  assert.equal(opened, 0);
  await first.close();
});

test("an address that this machine does not have is named", async () => {
  await assert.rejects(startServer({ store: createMemoryStore(), host: "192.0.2.1" }), {
    code: "host_unavailable",
    message: /192\.0\.2\.1.*--host/,
  });
});

test("a store that cannot be opened leaves no open port", async () => {
  const probe = await startServer({ store: createMemoryStore() });
  const { port } = probe;
  await probe.close();
  const store = opening(() => Promise.reject(new StoreError("store_locked", "held by another")));
  await assert.rejects(startServer({ store, port }), { code: "store_locked" });
  await assert.rejects(fetch(`http://127.0.0.1:${String(port)}/health`));
});

test("requests that arrive before the store is open wait for it", async () => {
  const probe = await startServer({ store: createMemoryStore() });
  const { port } = probe;
  await probe.close();
  const release = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const store = opening(async (inner) => {
    asked.resolve();
    await release.promise;
    return inner.open();
  });
  const starting = startServer({ store, port });
  await asked.promise;
  const answer = ask(`http://127.0.0.1:${String(port)}`, "GET", "/health");
  release.resolve();
  assert.equal((await answer).status, 200);
  await (await starting).close();
});

test("a full store answers 503 with its code, and nothing is accepted", async () => {
  let full = false;
  const store = createMemoryStore({
    onCommit: () => {
      if (full) throw new StoreError("store_full", "No room.");
    },
  });
  const server = await startServer({ store });
  full = true;
  const { status, json } = await ask(server.url, "POST", "/e/key", event);
  assert.equal(status, 503);
  assert.equal(look(json, "code"), "store_full");
  assert.deepEqual(look(json, "ids"), []);
  full = false;
  assert.equal((await ask(server.url, "POST", "/e/key", event)).status, 200);
  await server.close();
});

test("a production server asks for keys", async () => {
  const key = "signkey-prod-0123456789abcdef";
  const store = createMemoryStore();
  const server = await startServer({ store, kind: "cloud", signingKeys: [key], eventKeys: ["ek"] });
  const { url } = server;
  const signed = { headers: { authorization: `Bearer ${hashSigningKey(key)}` } };
  assert.equal((await ask(url, "POST", "/e/ek", event)).status, 200);
  assert.deepEqual((await ask(url, "POST", "/e/nope", event)).json, {
    ids: [],
    error: "Event key not found",
    status: 401,
    code: "event_key_unknown",
  });
  const missing = await ask(url, "POST", "/e/", event);
  assert.deepEqual([missing.status, look(missing.json, "error")], [401, "Event key is required"]);
  const closed = [
    ["GET", "/v1/events"],
    ["GET", "/v0/runs/x/batch"],
    ["POST", "/invoke/x"],
    ["POST", "/fn/register"],
    ["POST", "/v1/checkpoint/x/async"],
    ["DELETE", "/v1/runs/x"],
    ["DELETE", "/fn/remove?url=x"],
  ] as const;
  for (const [method, path] of closed) {
    assert.equal((await ask(url, method, path)).status, 401, path);
  }
  assert.equal((await ask(url, "GET", "/v1/events", signed)).status, 200);
  assert.equal((await ask(url, "GET", "/dev", signed)).status, 404);
  const health = await ask(url, "GET", "/health");
  assert.equal(health.status, 200);
  assert.equal(health.headers.get("x-inngest-server-kind"), "cloud");
  await server.close();
});

test("a stopping server takes what its calls bring, but no new events", async () => {
  const slow = await startAppStub("slow");
  const server = await startServer({ store: createMemoryStore(), appUrls: [slow.url] });
  const { url } = server;
  const called = Promise.withResolvers<unknown>();
  const release = Promise.withResolvers<void>();
  slow.answerCall = async (body) => {
    called.resolve(body);
    await release.promise;
    return { status: 200, body: "1" };
  };
  const apps = () => [...server.runtime.hot.apps()];
  await until(apps, ([first]) => first?.name === "slow");
  const written: string[] = [];
  server.runtime.onCommit((changes) => {
    for (const change of changes)
      written.push(change.type === "run.put" ? change.run.status : change.type);
  });
  await ask(url, "POST", "/e/key", event);
  const call = await called.promise;
  const closing = server.close();
  const refused = await ask(url, "POST", "/e/key", event);
  assert.equal(refused.status, 503);
  assert.equal(look(refused.json, "code"), "draining");
  const runId = String(look(call, "ctx.run_id"));
  const steps = [{ op: "StepRun", id: "abc", name: "abc", data: 1 }];
  const names = {
    run_id: runId,
    qi_id: look(call, "ctx.qi_id"),
    request_id: look(call, "ctx.request_id"),
  };
  const checkpoint = { body: JSON.stringify({ ...names, steps }) };
  assert.equal((await ask(url, "POST", `/v1/checkpoint/${runId}/async`, checkpoint)).status, 200);
  release.resolve();
  await closing;
  assert.ok(written.includes("step.put"));
  assert.ok(written.includes("completed"));
  await assert.rejects(fetch(`${url}/health`));
  await slow.close();
});
