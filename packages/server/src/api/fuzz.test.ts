// Whatever is sent to a route, the server answers with a documented refusal, stays up, and never
// fails by surprise.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { createMemoryStore } from "@pawl/store/memory-store";
import type { HttpRequest } from "../http/message.ts";
import { look } from "../http/test-client.ts";
import { startServer, type PawlServer } from "../server.ts";
import { register, startAppStub, type AppStub } from "../sync/app-stub.ts";

let server: PawlServer;
let app: AppStub;

before(async () => {
  app = await startAppStub("shop");
  server = await startServer({ store: createMemoryStore() });
  app.serverUrl = server.url;
  await register(app, "shop");
});

after(async () => {
  await server.close();
  await app.close();
});

const patterns: readonly string[] = [
  "/v1/events",
  "/v1/events/:",
  "/v1/events/:/runs",
  "/v1/runs",
  "/v1/runs/counts",
  "/v1/runs/:",
  "/v1/runs/:/jobs",
  "/v1/runs/:/trace",
  "/v1/runs/:/trigger",
  "/v1/runs/:/outputs/:",
  "/v1/functions",
  "/v1/apps/:/functions",
  "/v2/runs",
  "/v2/runs/:",
  "/v2/runs/:/trace",
  "/v2/runs/:/cancel",
  "/v2/apps",
  "/v2/apps/:/functions/:",
  "/v2/apps/shop/functions/greet/runs",
  "/v2/apps/:/functions/:/invoke",
  "/v2/events",
  "/v0/gql",
  "/mcp",
  "/metrics",
  "/openapi.json",
];

const odd = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom(
    "01K6ZZZZZZ0000000000000001",
    "-1",
    "1e9",
    "NaN",
    "%00",
    "shop",
    "greet",
    "../..",
  ),
);
const names = fc.constantFrom(
  "first",
  "limit",
  "cursor",
  "status",
  "from",
  "until",
  "function_id",
  "received_after",
  "maxDepth",
  "includeOutput",
  "name",
);
const text = fc.oneof(
  fc.constant(""),
  fc.string({ maxLength: 40 }),
  fc.json({ maxDepth: 3 }),
  fc.json({ maxDepth: 2 }).map((json) => `{"query":"{apps{id}}","variables":${json}}`),
  fc
    .json({ maxDepth: 2 })
    .map((json) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${json}}`),
  fc
    .tuple(
      fc.constantFrom("send_event", "get_run_status", "poll_run_status", "read_doc"),
      fc.json(),
    )
    .map(
      ([name, json]) =>
        `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":${json}}}`,
    ),
  fc.json({ maxDepth: 2 }).map((json) => `{"name":"greet","data":${json}}`),
);

type Sent = Pick<HttpRequest, "method" | "path"> & {
  readonly query: string;
  readonly body: string;
};

const sent: fc.Arbitrary<Sent> = fc
  .tuple(
    fc.constantFrom("GET", "POST", "DELETE"),
    fc.constantFrom(...patterns),
    fc.array(odd, { minLength: 2, maxLength: 2 }),
    fc.array(fc.tuple(names, odd), { maxLength: 3 }),
    text,
  )
  .map(([method, pattern, parts, pairs, body]) => ({
    method,
    path: parts.reduce(
      (path, part) => path.replace(":", encodeURIComponent(part.toWellFormed())),
      pattern,
    ),
    query: pairs
      .map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`)
      .join("&"),
    body,
  }));

test("no request brings a failure that nobody foresaw", async () => {
  await fc.assert(
    fc.asyncProperty(sent, async ({ method, path, query, body }) => {
      const response = await fetch(`${server.url}${path}?${query}`, {
        method,
        ...(method === "GET" || body === "" ? null : { body }),
      });
      const answer = await response.text();
      assert.ok(response.status < 500 || response.status === 501, `${response.status} ${answer}`);
      if (path === "/v0/gql" || path === "/mcp") assert.doesNotMatch(answer, /The server failed/);
      else if (response.status >= 400 && method !== "HEAD") {
        const json: unknown = JSON.parse(answer);
        assert.ok(look(json, "code") !== undefined || look(json, "errors.0.code") !== undefined);
      }
    }),
    { numRuns: 300 },
  );
  assert.equal((await fetch(`${server.url}/health`)).status, 200);
});
