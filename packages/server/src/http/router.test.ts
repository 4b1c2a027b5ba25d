// Which path leads to which route, and which paths lead nowhere; without requests or sockets.
import assert from "node:assert/strict";
import { test } from "node:test";
import { valueResponse } from "./response.ts";
import { Router, type Route } from "./router.ts";

function route(method: Route["method"], pattern: string): Route {
  const rest = { access: "public", bodyBytesMax: 0, anyOrigin: false, startsWork: false } as const;
  return { method, pattern, ...rest, handle: () => valueResponse(200, pattern) };
}

const router = new Router([
  route("GET", "/"),
  route("POST", "/e/:key"),
  route("POST", "/e"),
  route("GET", "/v1/events"),
  route("GET", "/v1/events/:id"),
  route("GET", "/v1/events/:id/runs"),
  route("GET", "/v1/runs/:id"),
  route("DELETE", "/v1/runs/:id"),
]);

const cases: readonly (readonly [string, string | null, Record<string, string>])[] = [
  ["/", "/", {}],
  ["/e/key", "/e/:key", { key: "key" }],
  ["/e", "/e", {}],
  ["/e/", null, {}],
  ["/e/a/b", null, {}],
  ["/v1/events", "/v1/events", {}],
  ["/v1/events/", null, {}],
  ["/v1/events/01A/runs", "/v1/events/:id/runs", { id: "01A" }],
  ["/v1/events/a%2Fb%20c", "/v1/events/:id", { id: "a/b c" }],
  ["/v1/events/%zz", null, {}],
  ["/V1/events", null, {}],
  ["", null, {}],
  ["//", null, {}],
  ["/constructor", null, {}],
  ["/__proto__", null, {}],
];

for (const [path, pattern, params] of cases) {
  test(`"${path}" leads to ${pattern ?? "nothing"}`, () => {
    const found = router.find(path);
    assert.equal(found?.routes[0]?.pattern ?? null, pattern);
    assert.deepEqual({ ...found?.params }, params);
  });
}

test("one path keeps its routes of all methods together", () => {
  assert.deepEqual(
    router.find("/v1/runs/1")?.routes.map((found) => found.method),
    ["GET", "DELETE"],
  );
});
