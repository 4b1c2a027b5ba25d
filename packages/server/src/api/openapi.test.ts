import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, look, lookArray } from "../http/test-client.ts";
import { startServer, type PawlServer } from "../server.ts";

let server: PawlServer;
let document: unknown;

before(async () => {
  server = await startServer({ store: createMemoryStore() });
  ({ json: document } = await ask(server.url, "GET", "/openapi.json"));
});

after(async () => server.close());

function operation(path: string, method: string): unknown {
  const paths = look(document, "paths");
  assert.ok(typeof paths === "object" && paths !== null);
  return look(new Map<string, unknown>(Object.entries(paths)).get(path), method);
}

function parameter(path: string, name: string): unknown {
  const found = lookArray(operation(path, "get"), "parameters").find(
    (one) => look(one, "name") === name,
  );
  return look(found, "schema");
}

test("the document describes both generations of the REST API", () => {
  assert.equal(look(document, "openapi"), "3.1.0");
  for (const [path, method] of [
    ["/v1/events/{id}/runs", "get"],
    ["/v1/runs", "get"],
    ["/v1/runs/{id}", "delete"],
    ["/v1/schedules", "post"],
    ["/v1/schedules/{id}", "patch"],
    ["/v1/schedules/{id}/trigger", "post"],
    ["/v2/runs/{runId}/trace", "get"],
    ["/v2/runs/{runId}/explain", "get"],
    ["/v2/apps/{appId}/functions/{functionId}/invoke", "post"],
  ] as const)
    assert.ok(operation(path, method) !== undefined, `${method} ${path}`);
  assert.equal(operation("/api/v2/runs", "get"), undefined);
});

test("parameters and bodies are the ones that are checked", () => {
  assert.deepEqual(parameter("/v1/runs", "first"), {
    type: "integer",
    minimum: 1,
    maximum: 400,
    default: 20,
  });
  assert.equal(look(parameter("/v1/runs", "status"), "type"), "array");
  assert.equal(look(parameter("/v1/runs", "from"), "format"), "date-time");
  assert.equal(look(parameter("/v2/runs/{runId}/trace", "maxDepth"), "maximum"), 10);
  const invoke = operation("/v2/apps/{appId}/functions/{functionId}/invoke", "post");
  assert.deepEqual(
    lookArray(invoke, "parameters").map((one) => look(one, "in")),
    ["path", "path"],
  );
  const content = look(invoke, "requestBody.content");
  assert.ok(typeof content === "object" && content !== null);
  const body = new Map<string, unknown>(Object.entries(content)).get("application/json");
  assert.equal(look(body, "schema.additionalProperties"), false);
  assert.ok(look(body, "schema.properties.idempotencyKey") !== undefined);
  assert.ok(look(invoke, "responses.201") !== undefined);
});

test("every reference leads somewhere and every operation has a name of its own", () => {
  const text = JSON.stringify(document);
  for (const [, name = ""] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
    assert.ok(look(document, `components.schemas.${name}`) !== undefined, name);
  const ids = [...text.matchAll(/"operationId":"(\w+)"/g)].map(([, id]) => id);
  assert.ok(ids.length > 20);
  assert.equal(new Set(ids).size, ids.length);
});
