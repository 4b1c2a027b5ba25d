// The endpoints of the REST API v2 as MCP tools, over real sockets.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createMemoryStore } from "@pawl/store/memory-store";
import { apiKeyBytes, apiKeyFrom, hashApiKey } from "../../auth/api-key.ts";
import { ask, look, lookArray, until } from "../../http/test-client.ts";
import { startServer, type PawlServer } from "../../server.ts";
import { register, startAppStub, type AppStub } from "../../sync/app-stub.ts";

let server: PawlServer;
let app: AppStub;

before(async () => {
  app = await startAppStub("shop");
  server = await startServer({ store: createMemoryStore() });
  app.serverUrl = server.url;
  await register(app, "shop");
  app.answerCall = () => ({ status: 200, body: '{"big":12345678901234567890}' });
});

after(async () => {
  await server.close();
  await app.close();
});

async function call(name: string, input: object | string): Promise<readonly [unknown, string]> {
  const given = typeof input === "string" ? input : JSON.stringify(input);
  const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":${given}}}`;
  const { json } = await ask(server.url, "POST", "/mcp", { body });
  return [look(json, "result.isError"), String(look(json, "result.content.0.text"))];
}

async function tools(url = server.url, headers = {}): Promise<readonly unknown[]> {
  const body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
  return lookArray((await ask(url, "POST", "/mcp", { body, headers })).json, "result.tools");
}

const named = (list: readonly unknown[], name: string): unknown =>
  list.find((tool) => look(tool, "name") === name);

test("each described endpoint is a tool with its schema and hints", async () => {
  const list = await tools();
  const { json } = await ask(server.url, "GET", "/openapi.json");
  const described = [...JSON.stringify(look(json, "paths")).matchAll(/"operationId":"[a-z]+V2/g)];
  const names = list
    .map((tool) => String(look(tool, "name")))
    .filter((name) => name.startsWith("v2_"));
  assert.equal(names.length, described.length);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) assert.match(name, /^[a-zA-Z0-9_-]{1,64}$/);
  const trace = named(list, "v2_get_runs_runId_trace");
  assert.deepEqual(look(trace, "inputSchema.required"), ["runId"]);
  assert.equal(look(trace, "inputSchema.properties.maxDepth.maximum"), 10);
  assert.equal(look(trace, "inputSchema.properties.includeOutput.type"), "boolean");
  assert.equal(look(trace, "annotations.readOnlyHint"), true);
  assert.equal(look(named(list, "v2_post_runs_runId_cancel"), "annotations.destructiveHint"), true);
  const invoke = named(list, "v2_post_apps_appId_functions_functionId_invoke");
  assert.equal(look(invoke, "annotations.openWorldHint"), true);
  assert.ok(look(invoke, "inputSchema.properties.data") !== undefined);
});

test("a tool does what its endpoint does, with arguments of every kind", async () => {
  const [, text] = await call(
    "v2_post_apps_appId_functions_functionId_invoke",
    '{"appId":"shop","functionId":"greet","data":{"n":98765432109876543210}}',
  );
  const runId = String(look(JSON.parse(text), "data.runId"));
  const [, shown] = await until(
    () => call("v2_get_runs_runId", { runId, includeOutput: true }),
    ([, found]) => found.includes("COMPLETED"),
  );
  assert.match(shown, /"output":\{"big":12345678901234567890\}/);
  const [, list] = await call("v2_get_runs", { limit: 1, status: ["COMPLETED", "FAILED"] });
  assert.equal(look(JSON.parse(list), "data.0.id"), runId);
  assert.equal(look(JSON.parse(list), "page.limit"), 1);
  const [, event] = await call("v2_post_events", '{"name":"x","data":{"n":98765432109876543210}}');
  const eventId = String(look(JSON.parse(event), "data.eventId"));
  const kept = await (await fetch(`${server.url}/v1/events/${eventId}`)).text();
  assert.match(kept, /98765432109876543210/);
});

test("what an endpoint refuses, its tool tells as an error", async () => {
  const [isError, text] = await call("v2_get_runs_runId", { runId: "none" });
  assert.deepEqual([isError, look(JSON.parse(text), "errors.0.code")], [true, "not_found"]);
  const [wrong, why] = await call("v2_get_runs", { limit: 1_000 });
  assert.equal(wrong, true);
  assert.match(why, /parameter_invalid.*limit/);
  const [odd, message] = await call("v2_get_runs", { bogus: 1 });
  assert.equal(odd, true);
  assert.match(message, /bogus/);
});

test("a key sees and uses the tools of its scopes only", async () => {
  const token = apiKeyFrom(Buffer.alloc(apiKeyBytes, 7));
  const closed = await startServer({
    store: createMemoryStore(),
    kind: "cloud",
    signingKeys: ["signkey-test-00aa"],
    apiKeys: [{ name: "reader", hash: hashApiKey(token), scopes: ["runs:read"], expiresAt: null }],
  });
  try {
    const headers = { authorization: `Bearer ${token}` };
    const list = await tools(closed.url, headers);
    assert.ok(named(list, "v2_get_runs") !== undefined);
    assert.equal(named(list, "v2_post_runs_runId_cancel"), undefined);
    const params = { name: "v2_post_runs_runId_cancel", arguments: { runId: "x" } };
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
    const { json } = await ask(closed.url, "POST", "/mcp", { body, headers });
    assert.match(String(look(json, "result.content.0.text")), /access_denied/);
  } finally {
    await closed.close();
  }
});
