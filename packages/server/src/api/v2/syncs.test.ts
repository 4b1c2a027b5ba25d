// Asking an app to sync through the REST API v2: with an app that answers, one that does not, and one
// of another name.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, look, type Answer } from "../../http/test-client.ts";
import { startServer, type PawlServer } from "../../server.ts";
import { startAppStub, type AppStub } from "../../sync/app-stub.ts";

let server: PawlServer;
let app: AppStub;

before(async () => {
  app = await startAppStub("shop");
  server = await startServer({ store: createMemoryStore() });
});

after(async () => {
  await server.close();
  await app.close();
});

function sync(appId: string, url: unknown): Promise<Answer> {
  return ask(server.url, "POST", `/v2/apps/${appId}/syncs`, { body: JSON.stringify({ url }) });
}

test("an app that answers is in sync, and its functions are there", async () => {
  const { status, json } = await sync("shop", app.url);
  assert.equal(status, 200, JSON.stringify(json));
  assert.deepEqual([look(json, "data.appId"), look(json, "data.status")], ["shop", "COMPLETED"]);
  const functions = await ask(server.url, "GET", "/v2/apps/shop/functions");
  assert.equal(look(functions.json, "data.0.slug"), "shop-greet");
});

test("an app that cannot be reached keeps the shape, with status 422 and the reason", async () => {
  const { status, json } = await sync("shop", "http://127.0.0.1:9/api/pawl");
  assert.equal(status, 422);
  assert.equal(look(json, "data.status"), "FAILED");
  assert.equal(look(json, "data.error.code"), "app_sync_failed");
  assert.match(String(look(json, "data.error.message")), /127\.0\.0\.1:9.* cannot be reached/);
});

test("an app of another name is named", async () => {
  const { status, json } = await sync("bakery", app.url);
  assert.equal(status, 422);
  assert.match(String(look(json, "data.error.message")), /calls itself "shop", not "bakery"/);
});

for (const url of ["ftp://127.0.0.1/x", "nope", "", 5]) {
  test(`${JSON.stringify(url)} is no address of an app`, async () => {
    const { status, json } = await sync("shop", url);
    assert.deepEqual([status, look(json, "errors.0.code")], [400, "invalid_field_format"]);
  });
}
