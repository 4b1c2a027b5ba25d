// The MCP endpoint over real sockets.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { createMemoryStore } from "@pawl/store/memory-store";
import { toJsonText } from "@pawl/protocol/json-text";
import { ask, look, lookArray, type Answer } from "../../http/test-client.ts";
import { startServer, type PawlServer } from "../../server.ts";
import { ServerError } from "../../server-error.ts";
import { register, startAppStub, type AppStub } from "../../sync/app-stub.ts";
import { docTools, findDocs } from "./doc-tools.ts";

let server: PawlServer;
let app: AppStub;

before(async () => {
  app = await startAppStub("shop");
  server = await startServer({ store: createMemoryStore() });
  app.serverUrl = server.url;
  assert.equal((await register(app, "shop")).status, 200);
  app.answerCall = (call) =>
    look(call, "event.data.sleep") === true
      ? { status: 206, body: '[{"op":"Sleep","id":"def","displayName":"nap","name":"1h"}]' }
      : { status: 200, body: '{"big":12345678901234567890}' };
});

after(async () => {
  await server.close();
  await app.close();
});

async function rpc(body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return ask(server.url, "POST", "/mcp", { body: JSON.stringify(body), headers });
}

interface Outcome {
  readonly isError: unknown;
  readonly text: string;
}

async function call(name: string, input: object = {}): Promise<Outcome> {
  const params = { name, arguments: input };
  const { json } = await rpc({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
  assert.equal(look(json, "id"), 1, JSON.stringify(json));
  return {
    isError: look(json, "result.isError"),
    text: String(look(json, "result.content.0.text")),
  };
}

async function result(name: string, input: object = {}): Promise<unknown> {
  const { isError, text } = await call(name, input);
  assert.equal(isError, false, text);
  return JSON.parse(text);
}

test("a client introduces itself, and a version it asks for is kept when it is known", async () => {
  const hello = (protocolVersion: string) =>
    rpc({ jsonrpc: "2.0", id: "a", method: "initialize", params: { protocolVersion } });
  const known = await hello("2025-03-26");
  assert.equal(look(known.json, "result.protocolVersion"), "2025-03-26");
  assert.equal(look(known.json, "result.serverInfo.name"), "pawl");
  assert.deepEqual(look(known.json, "result.capabilities"), { tools: {} });
  assert.equal(look((await hello("1999-01-01")).json, "result.protocolVersion"), "2025-11-25");
  const ping = await rpc({ jsonrpc: "2.0", id: 2, method: "ping" });
  assert.deepEqual(ping.json, { jsonrpc: "2.0", id: 2, result: {} });
});

test("notifications are taken without an answer; there is no stream and no session", async () => {
  const body = JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" });
  const taken = await fetch(`${server.url}/mcp`, { method: "POST", body });
  assert.deepEqual([taken.status, await taken.text()], [202, ""]);
  assert.equal((await fetch(`${server.url}/mcp`)).status, 405);
  assert.equal((await fetch(`${server.url}/mcp`, { method: "DELETE" })).status, 405);
});

test("the tools are listed with schemas and hints", async () => {
  const { json } = await rpc({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  const tools = lookArray(json, "result.tools");
  const names = tools.map((tool) => String(look(tool, "name")));
  assert.deepEqual(names.filter((name) => !name.startsWith("v2_")).sort(), [
    "explain_run",
    "get_run_status",
    "grep_docs",
    "invoke_function",
    "list_docs",
    "list_functions",
    "poll_run_status",
    "read_doc",
    "search_events",
    "search_runs",
    "send_event",
  ]);
  const invoke = tools.find((tool) => look(tool, "name") === "invoke_function");
  assert.equal(look(invoke, "inputSchema.type"), "object");
  assert.deepEqual(look(invoke, "inputSchema.required"), ["functionId"]);
  assert.equal(look(invoke, "inputSchema.properties.timeout.default"), 30);
  assert.equal(look(invoke, "annotations.readOnlyHint"), false);
});

test("a function is invoked and its result comes back as it was", async () => {
  assert.equal(look(await result("list_functions"), "0.id"), "shop-greet");
  const { text } = await call("invoke_function", { functionId: "shop-greet", data: { n: 1 } });
  assert.match(text, /"status":"COMPLETED".*"output":\{"big":12345678901234567890\}/);
  const late = await result("invoke_function", {
    functionId: "shop-greet",
    data: { sleep: true },
    timeout: 0.01,
  });
  assert.equal(look(late, "endedAt"), null);
  const explained = await result("explain_run", { runId: look(late, "runId") });
  assert.match(String(look(explained, "reasons.0.sentence")), /sleeps until/);
});

test("an event is sent once for each seed, and its runs are awaited", async () => {
  const input = { name: "greet", data: { n: 2 }, eventIdSeed: "1760000000000,AAECAwQFBgcICQ==" };
  const first = await result("send_event", input);
  const again = await result("send_event", input);
  assert.equal(look(first, "eventId"), look(again, "eventId"));
  const runIds = lookArray(first, "runIds");
  assert.equal(runIds.length, 1);
  const polled = await result("poll_run_status", { runIds: [...runIds, "nothing"], timeout: 5 });
  assert.equal(look(polled, "completed"), true);
  assert.equal(look(polled, "runs.0.status"), "COMPLETED");
  assert.equal(look(polled, "runs.1.status"), "NOT_FOUND");
  assert.equal(
    look(await result("get_run_status", { runId: runIds[0] }), "functionId"),
    "shop-greet",
  );
});

test("what cannot be done is told to the model, what is no request to the client", async () => {
  for (const [name, input] of [
    ["get_run_status", { runId: "nothing" }],
    ["invoke_function", { functionId: "nothing" }],
    ["send_event", {}],
    ["send_event", { name: "inngest/x" }],
    ["read_doc", { path: "../package.json" }],
  ] as const)
    assert.equal((await call(name, input)).isError, true, name);
  const code = async (body: unknown): Promise<unknown> =>
    look((await rpc(body)).json, "error.code");
  assert.equal(await code({ jsonrpc: "2.0", id: 1, method: "nothing" }), -32601);
  assert.equal(
    await code({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "nothing" } }),
    -32602,
  );
  assert.equal(await code({ id: 1 }), -32600);
  assert.equal(await code([]), -32600);
  const bad = await ask(server.url, "POST", "/mcp", { body: "{" });
  assert.equal(look(bad.json, "error.code"), -32700);
  const spoken = await rpc(
    { jsonrpc: "2.0", id: 1, method: "ping" },
    { "mcp-protocol-version": "1999-01-01" },
  );
  assert.equal(spoken.status, 400);
  const many = await rpc([
    { jsonrpc: "2.0", id: 1, method: "ping" },
    { jsonrpc: "2.0", id: 2, method: "ping" },
  ]);
  assert.equal(lookArray({ many: many.json }, "many").length, 2);
});

test("documentation is listed, read and searched, and nothing beside it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pawl-docs-"));
  try {
    await writeFile(join(folder, "guide.md"), "# Guide\nSteps run once.\n");
    await writeFile(join(folder, "secret.txt"), "steps");
    const run = async (name: string, input: object): Promise<unknown> => {
      const found = docTools(folder).find((tool) => tool.name === name);
      assert.ok(found !== undefined);
      const answer = await found.run(found.input.parse(input), toJsonText(input));
      return typeof answer === "string" ? JSON.parse(answer) : answer;
    };
    assert.deepEqual(await run("list_docs", {}), ["guide.md"]);
    assert.equal(look(await run("read_doc", { path: "guide.md" }), "path"), "guide.md");
    assert.deepEqual(await run("grep_docs", { pattern: "STEPS" }), [
      { path: "guide.md", line: 2, text: "Steps run once." },
    ]);
    await assert.rejects(
      run("read_doc", { path: "secret.txt" }),
      (error) => error instanceof ServerError && error.code === "parameter_invalid",
    );
    assert.deepEqual(await docTools(join(folder, "nothing"))[0]?.run({}, toJsonText({})), "[]");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("documentation is found beside the bundle, or at the top of the repository", async () => {
  const root = await mkdtemp(join(tmpdir(), "pawl-package-"));
  const [far, near] = [join(root, "docs"), join(root, "a/b/c/d/docs")];
  const found = (): string => findDocs(pathToFileURL(join(root, "a/b/c/d/lib/main.js")).href);
  try {
    for (const folder of [far, near]) await mkdir(folder, { recursive: true });
    assert.equal(found(), near, "a folder that is not ours is not shown");
    await writeFile(join(far, "getting-started.md"), "");
    assert.equal(found(), far);
    await writeFile(join(near, "getting-started.md"), "");
    assert.equal(found(), near);
  } finally {
    await rm(root, { recursive: true });
  }
});
