// Searches by expression over real sockets: REST v1 and v2, GraphQL, MCP.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, look, lookArray, until, type Answer } from "../http/test-client.ts";
import { startServer, type PawlServer } from "../server.ts";
import { register, startAppStub, type AppStub } from "../sync/app-stub.ts";

let server: PawlServer;
let app: AppStub;

before(async () => {
  app = await startAppStub("shop");
  server = await startServer({
    store: createMemoryStore(),
    searchScanMax: 4,
    indexPaths: [{ event: "greet", path: "data.n" }],
  });
  app.serverUrl = server.url;
  assert.equal((await register(app, "shop")).status, 200);
  app.answerCall = (call) => {
    const n = Number(look(call, "event.data.n"));
    return n === 3
      ? { status: 400, body: '{"name":"Error","message":"three is too many"}' }
      : { status: 200, body: JSON.stringify({ double: 2 * n }) };
  };
  for (let n = 1; n <= 6; n++)
    await get("POST", "/e/key", { name: "greet", data: { n, even: n % 2 === 0 } });
  await until(
    () => get("GET", "/v1/runs?first=100"),
    ({ json }) =>
      lookArray(json, "data.runs").filter((run) => look(run, "ended_at") !== null).length === 6,
  );
});

after(async () => {
  await server.close();
  await app.close();
});

async function get(method: string, path: string, body?: unknown): Promise<Answer> {
  return ask(server.url, method, path, body === undefined ? {} : { body: JSON.stringify(body) });
}

const cel = (expression: string): string => `query=${encodeURIComponent(expression)}`;

test("v1: events by an expression, in bounded pages that say how far they looked", async () => {
  const seen: unknown[] = [];
  let cursor = "";
  let scanned = 0;
  for (let page = 0; page < 20; page++) {
    const { status, json } = await get(
      "GET",
      `/v1/events?name=greet&limit=2&cursor=${cursor}&${cel("event.data.even")}`,
    );
    assert.equal(status, 200);
    seen.push(...lookArray(json, "data").map((event) => look(event, "data.n")));
    scanned += Number(look(json, "metadata.search.scanned"));
    if (look(json, "metadata.search.has_more") === false) break;
    cursor = String(look(json, "metadata.search.cursor"));
  }
  assert.deepEqual(seen, [6, 4, 2]);
  assert.equal(scanned, 6);
});

test("v1: an indexed path is looked up", async () => {
  const { json } = await get("GET", `/v1/events?name=greet&${cel("event.data.n == 2")}`);
  assert.deepEqual(
    lookArray(json, "data").map((event) => look(event, "data.n")),
    [2],
  );
  assert.equal(look(json, "metadata.search.scanned"), 1);
  assert.equal(look(json, "metadata.search.has_more"), false);
});

test("v1 and v2: runs by event, output and themselves", async () => {
  const failed = await get("GET", `/v1/runs?first=10&${cel("output.message.contains('three')")}`);
  assert.equal(look(failed.json, "data.scanned"), 4);
  assert.equal(look(failed.json, "data.has_more"), true);
  assert.equal(look(failed.json, "data.total_count"), null);
  assert.deepEqual(
    lookArray(failed.json, "data.runs").map((run) => look(run, "status")),
    ["FAILED"],
  );
  const big = await get(
    "GET",
    `/v2/runs?limit=2&${cel("event.data.n >= 5 && run.status == 'COMPLETED'")}`,
  );
  assert.equal(lookArray(big.json, "data").length, 2);
  const next = String(look(big.json, "page.cursor"));
  const rest = await get("GET", `/v2/runs?limit=2&cursor=${next}&${cel("event.data.n >= 5")}`);
  assert.deepEqual(lookArray(rest.json, "data"), []);
  assert.equal(look(rest.json, "page.hasMore"), false);
  assert.equal(look(rest.json, "page.scanned"), 4);
});

const refused: readonly (readonly [string, number, RegExp])[] = [
  ["event.data.n ==", 15, /expression_syntax.*line 1, column 16.*for example event\.data/],
  ["event.name == 'x' && evnt.data.n == 1", 21, /reads "evnt".*Did you mean "event"/],
  ["nonsense(1)", 0, /expression_unknown_function/],
];

test("what is no expression is refused with its place and a hint", async () => {
  for (const [expression, position, message] of refused) {
    for (const path of ["/v1/events", "/v1/runs"]) {
      const { status, json } = await get("GET", `${path}?${cel(expression)}`);
      assert.equal(status, 400, expression);
      assert.equal(look(json, "code"), "expression_invalid");
      assert.equal(look(json, "position"), position);
      assert.match(String(look(json, "error")), message);
    }
    const v2 = await get("GET", `/v2/runs?${cel(expression)}`);
    assert.deepEqual([v2.status, look(v2.json, "errors.0.code")], [400, "invalid_request"]);
  }
  // Events have no output.
  assert.equal((await get("GET", `/v1/events?${cel("output.x == 1")}`)).status, 400);
});

async function gql(query: string): Promise<unknown> {
  return (await get("POST", "/v0/gql", { query })).json;
}

test("GraphQL: runs and events by an expression", async () => {
  const from = 'from: "2020-01-01T00:00:00Z"';
  const order = "orderBy: [{ field: QUEUED_AT, direction: DESC }]";
  const runs = (text: string, more = "") =>
    gql(
      `{ runs(first: 2, ${order}, filter: { ${from}, query: ${JSON.stringify(text)} }${more}) ` +
        "{ edges { node { status output } } pageInfo { hasNextPage endCursor } totalCount scanned } }",
    );
  const first = await runs("event.data.n <= 2");
  assert.equal(look(first, "data.runs.scanned"), 4);
  assert.deepEqual(lookArray(first, "data.runs.edges"), []);
  assert.equal(look(first, "data.runs.totalCount"), -1);
  const after = String(look(first, "data.runs.pageInfo.endCursor"));
  const second = await runs("event.data.n <= 2", `, after: "${after}"`);
  assert.deepEqual(
    lookArray(second, "data.runs.edges").map((edge) => look(edge, "node.output")),
    ['{"double":4}', '{"double":2}'],
  );
  assert.equal(look(second, "data.runs.pageInfo.hasNextPage"), false);
  const bad = await runs("event.data.");
  assert.equal(look(bad, "errors.0.extensions.code"), "expression_invalid");
  assert.equal(look(bad, "errors.0.extensions.position"), 11);
  const events = await gql(
    `{ eventsV2(first: 9, filter: { ${from}, eventNames: ["greet"], query: "event.data.n == 4" }) { edges { node { name } } scanned } }`,
  );
  assert.deepEqual(lookArray(events, "data.eventsV2.edges"), [{ node: { name: "greet" } }]);
  assert.equal(look(events, "data.eventsV2.scanned"), 1);
});

async function callTool(name: string, args: object): Promise<unknown> {
  const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } };
  const { json } = await get("POST", "/mcp", body);
  const text = look(json, "result.content.0.text");
  return look(json, "result.isError") === true ? text : JSON.parse(String(text));
}

test("MCP: tools that search", async () => {
  const events = await callTool("search_events", {
    expression: "event.data.n == 5",
    name: "greet",
  });
  assert.equal(look(events, "events.0.event.data.n"), 5);
  assert.equal(look(events, "hasMore"), false);
  const runs = await callTool("search_runs", { expression: "output.double > 8" });
  assert.deepEqual(
    lookArray(runs, "runs").map((run) => look(run, "output.double")),
    [12, 10],
  );
  assert.equal(look(runs, "hasMore"), true);
  assert.match(String(await callTool("search_runs", { expression: "a b" })), /expression_syntax/);
});
