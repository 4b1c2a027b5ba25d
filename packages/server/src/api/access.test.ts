// Walks the whole table of routes with every kind of key, on a production and on a development
// server. What a route declares decides what is expected, so a new route is covered by being there.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { hashSigningKey } from "@pawl/protocol/signature";
import { createMemoryStore } from "@pawl/store/memory-store";
import { apiKeyFrom, hashApiKey, type ApiKey } from "../auth/api-key.ts";
import { scopes, type Scope } from "../auth/scopes.ts";
import { look } from "../http/test-client.ts";
import type { Access, Route } from "../http/router.ts";
import { silentLog } from "../loop/log.ts";
import { startServer, type PawlServer } from "../server.ts";

const signingKey = "signkey-prod-0badc0de";
const rotatedOut = "feedface";
const eventKey = "ek-access-test";
const keyOf = (seed: number): string => apiKeyFrom(Buffer.alloc(32, seed));
const scopeKeys = new Map<Scope, string>(scopes.map((scope, index) => [scope, keyOf(index + 1)]));
const powerless = keyOf(100);
const expired = keyOf(101);

const apiKeys: readonly ApiKey[] = [
  ...[...scopeKeys].map(
    ([scope, key]): ApiKey => ({
      name: `only-${scope.replace(":", "-")}`,
      hash: hashApiKey(key),
      scopes: [scope],
      expiresAt: null,
    }),
  ),
  { name: "powerless", hash: hashApiKey(powerless), scopes: [], expiresAt: null },
  { name: "expired", hash: hashApiKey(expired), scopes: ["admin"], expiresAt: 1 },
];

let cloud: PawlServer;
let dev: PawlServer;
let routes: readonly Route[];
const logged: unknown[] = [];

before(async () => {
  const note = (...line: readonly unknown[]): void => void logged.push(line);
  cloud = await startServer({
    store: createMemoryStore(),
    kind: "cloud",
    signingKeys: [signingKey, rotatedOut],
    eventKeys: [eventKey],
    apiKeys,
    log: { ...silentLog, info: note, warn: note, error: note },
  });
  dev = await startServer({ store: createMemoryStore() });
  routes = await cloud.routes();
});

after(async () => {
  await cloud.close();
  await dev.close();
});

/** Their tokens are made for pages, and say what may be read. */
const subscriptions = ["/v1/realtime/connect", "/v1/realtime/sse"];

interface Asked {
  readonly status: number;
  readonly code: unknown;
  readonly body: string;
}

/** Only the head is waited for where the answer is a stream. */
async function asked(server: PawlServer, route: Route, token: string | null): Promise<Asked> {
  const path = route.pattern
    .replace(/:key/, eventKey)
    .replace(/:\w+/g, "01ARZ3NDEKTSV4RRFFQ69G5FAV");
  const stop = new AbortController();
  const response = await fetch(server.url + path, {
    method: route.method,
    signal: stop.signal,
    ...(token === null ? null : { headers: { authorization: `Bearer ${token}` } }),
  });
  const isStream = response.headers.get("content-type") === "application/x-ndjson";
  const body = isStream ? "" : await response.text();
  stop.abort();
  return { status: response.status, code: codeIn(body), body };
}

function codeIn(body: string): unknown {
  if (!body.startsWith("{")) return undefined;
  const json: unknown = JSON.parse(body);
  const paths = ["code", "errors.0.code", "errors.0.extensions.code", "error.data.code"];
  return paths.map((path) => look(json, path)).find((found) => found !== undefined);
}

/** `null`: the request passes the guard, whatever the route then makes of it. */
type Expected = readonly [status: number, code: string] | null;

const unknownToken = [401, "invalid_signing_key"] as const;
const tokens: readonly (readonly [
  what: string,
  token: string | null,
  expected: (access: Access) => Expected,
])[] = [
  ["no key", null, () => [401, "authorization_header_missing"]],
  ["a wrong key", "signkey-prod-00ff", () => unknownToken],
  ["the event key", eventKey, () => unknownToken],
  ["the hash of an API key", hashApiKey(keyOf(1)), () => unknownToken],
  ["an unknown API key", keyOf(99), () => [401, "invalid_api_key"]],
  ["an expired API key", expired, () => [401, "invalid_api_key"]],
  ["the signing key", signingKey, () => null],
  ["the hash of the signing key", hashSigningKey(signingKey), () => null],
  ["the key rotated out", hashSigningKey(rotatedOut), () => null],
  [
    "an API key without scopes",
    powerless,
    (access) => (access === "key" ? null : [403, "access_denied"]),
  ],
  ...[...scopeKeys].map(
    ([scope, token]) =>
      [
        `an API key with ${scope}`,
        token,
        (access: Access): Expected => {
          const opens = access === "key" || access === scope;
          const all = scope === "admin" && access !== "signed";
          return opens || all ? null : [403, "access_denied"];
        },
      ] as const,
  ),
];

for (const [what, token, expected] of tokens) {
  test(`in production, ${what} opens what it may and nothing else`, async () => {
    for (const route of routes) {
      const { access } = route;
      const name = `${route.method} ${route.pattern} (${access})`;
      const { status, code, body } = await asked(cloud, route, token);
      if (access === "dev") assert.equal(status, 404, name);
      // Keys in headers open nothing where a token is asked for.
      else if (access === "token") assert.deepEqual([status, code], [401, "token_missing"], name);
      // The event key is in the path: headers do not matter.
      else if (access === "public" || (access === "event" && route.pattern.includes(":key")))
        assert.ok(status !== 401 && status !== 403, `${name}: ${String(status)}`);
      else if (access === "event")
        assert.deepEqual([status, code], [401, "event_key_missing"], name);
      else {
        const wanted = expected(access);
        if (wanted === null) assert.ok(status !== 401 && status !== 403, `${name}: ${body}`);
        else assert.deepEqual([status, code], wanted, name);
        if (wanted?.[0] === 403 && access !== "signed") assert.ok(body.includes(access), body);
      }
    }
  });
}

for (const token of [null, "undefined", powerless]) {
  test(`in development everybody is let in, also with ${String(token)}`, async () => {
    for (const route of routes) {
      const { status, code, body } = await asked(dev, route, token);
      if (route.access === "token") assert.equal(code, "token_missing");
      else assert.ok(status !== 401 && status !== 403, `${route.method} ${route.pattern}: ${body}`);
    }
  });
}

/** What a query of GraphQL or a message of MCP is answered with. */
async function posted(path: string, scope: Scope, body: object): Promise<unknown> {
  const headers = { authorization: `Bearer ${scopeKeys.get(scope) ?? ""}` };
  const response = await fetch(cloud.url + path, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  assert.equal(response.status, 200);
  return response.json();
}

const queries: readonly (readonly [query: string, needs: readonly Scope[]])[] = [
  ["{apps{id}}", ["apps:read"]],
  ["{apps{__typename}}", ["apps:read"]],
  ["{functions{slug}}", ["apps:read"]],
  ["{stream(query:{limit:1}){id}}", ["events:read"]],
  ["{stream(query:{limit:1}){id runs{id}}}", ["events:read", "runs:read"]],
  ['{run(runID:"x"){id}}', ["runs:read"]],
  [
    '{run(runID:"x"){...F}} fragment F on FunctionRunV2{function{name}}',
    ["runs:read", "apps:read"],
  ],
  ['mutation{deleteAppByName(name:"x")}', ["apps:write"]],
  ['mutation{invokeFunction(functionSlug:"x",data:{})}', ["runs:write"]],
  ['mutation{cancelRun(runID:"x"){id}}', ["runs:write", "runs:read"]],
  ["{__schema{queryType{name}}}", []],
];
for (const [query, needs] of queries) {
  test(`GraphQL ${query} needs ${needs.join(" and ") || "any key"}`, async () => {
    for (const scope of scopes) {
      const answer = await posted("/v0/gql", scope, { query });
      const denied = look(answer, "errors.0.extensions.code") === "access_denied";
      const lacking = needs.filter((one) => one !== scope);
      assert.equal(
        denied,
        scope !== "admin" && lacking.length > 0,
        `${scope}: ${JSON.stringify(answer)}`,
      );
      if (denied)
        assert.ok(lacking.some((one) => String(look(answer, "errors.0.message")).includes(one)));
    }
  });
}

test("MCP shows and runs the tools that a key may use", async () => {
  const rpc = (scope: Scope, method: string, params: object) =>
    posted("/mcp", scope, { jsonrpc: "2.0", id: 1, method, params });
  const named = async (scope: Scope): Promise<readonly unknown[]> => {
    const tools = look(await rpc(scope, "tools/list", {}), "result.tools");
    assert.ok(Array.isArray(tools));
    return tools.map((tool) => look(tool, "name"));
  };
  const reads = await named("runs:read");
  assert.ok(reads.includes("get_run_status") && reads.includes("read_doc"));
  assert.ok(!reads.includes("invoke_function") && !reads.includes("send_event"));
  assert.ok((await named("admin")).length > reads.length);
  const call = { name: "send_event", arguments: { name: "a" } };
  const refused = await rpc("runs:read", "tools/call", call);
  assert.equal(look(refused, "result.isError"), true);
  assert.match(String(look(refused, "result.content.0.text")), /access_denied.*events:write/);
  assert.equal(look(await rpc("events:write", "tools/call", call), "result.isError"), false);
});

test("events are refused with a wrong event key, whatever the header says", async () => {
  const wrong = await fetch(`${cloud.url}/e/nope`, {
    method: "POST",
    body: '{"name":"a"}',
    headers: { authorization: `Bearer ${signingKey}` },
  });
  assert.equal(wrong.status, 401);
  assert.equal(look(await wrong.json(), "code"), "event_key_unknown");
});

test("what everybody may use is this, and nothing of it changes anything", () => {
  const open = routes.filter(({ access }) => access === "public");
  assert.deepEqual(open.map(({ method, pattern }) => `${method} ${pattern}`).toSorted(), [
    "GET /",
    "GET /api/v2/health",
    "GET /health",
    "GET /v2/health",
  ]);
});

test("no route changes anything for a key that may only look, save those that ask by themselves", () => {
  for (const { access, method, pattern } of routes) {
    // Nothing changes where tokens are made: they are kept nowhere.
    if (access.endsWith(":read") && pattern !== "/v1/realtime/token")
      assert.equal(method, "GET", pattern);
    if (access.endsWith(":write")) assert.notEqual(method, "GET", pattern);
    if (access === "key")
      assert.ok(["/v0/gql", "/mcp", "/openapi.json"].includes(pattern), pattern);
  }
});

test("only events, subscriptions, outputs and what clients probe are for pages of any origin", () => {
  const open = routes.filter(({ anyOrigin }) => anyOrigin).map(({ pattern }) => pattern);
  assert.deepEqual(
    new Set(open),
    new Set([
      "/e/:key",
      "/e/",
      "/e",
      "/health",
      "/dev",
      "/v1/http/runs/:runId/output",
      ...subscriptions,
    ]),
  );
});

test("the log names known keys, holds no key, and does not grow with what is refused", () => {
  const text = JSON.stringify(logged);
  assert.match(text, /only-runs-read|only-apps-read|powerless/);
  for (const secret of [
    signingKey,
    rotatedOut,
    eventKey,
    powerless,
    expired,
    ...scopeKeys.values(),
  ]) {
    assert.ok(!text.includes(secret));
    assert.ok(!text.includes(hashApiKey(secret)));
  }
  const refused = logged.filter((line) => look(line, "1") === "a request was refused");
  assert.equal(refused.length, 40);
  assert.match(text, /"key":"only-[\w-]+"\},"an API key was used"/);
});

test("paths that lead nowhere are refused in the words of their neighbours", async () => {
  const shape = async (path: string): Promise<unknown> => {
    const response = await fetch(cloud.url + path);
    assert.equal(response.status, 404);
    const json: unknown = await response.json();
    return look(json, "errors.0.code") ?? look(json, "code");
  };
  assert.equal(await shape("/v2/nowhere"), "not_found");
  assert.equal(await shape("/api/v2/nowhere"), "not_found");
  assert.equal(await shape("/v1/nowhere"), "route_not_found");
  assert.equal(await shape("/nowhere"), "route_not_found");
});
