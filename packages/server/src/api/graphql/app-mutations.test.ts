// Apps that come, move and go by GraphQL, with a stub of an app on a real socket.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, look } from "../../http/test-client.ts";
import { startServer, type PawlServer } from "../../server.ts";
import { startAppStub, type AppStub } from "../../sync/app-stub.ts";

let server: PawlServer;
let shop: AppStub;
let moved: AppStub;
let other: AppStub;

before(async () => {
  server = await startServer({ store: createMemoryStore() });
  shop = await startAppStub("shop");
  moved = await startAppStub("shop");
  other = await startAppStub("other");
});

afterEach(() => {
  shop.manner = "in_band";
});

after(async () => {
  await server.close();
  await Promise.all([shop, moved, other].map((app) => app.close()));
});

async function gql(query: string, variables: object): Promise<unknown> {
  const body = JSON.stringify({ query, variables });
  return (await ask(server.url, "POST", "/v0/gql", { body })).json;
}

const fields = "id name url error connected functionCount";
const create = (url: string): Promise<unknown> =>
  gql(`mutation($url:String!){createApp(input:{url:$url}){${fields}}}`, { url });
const update = (id: string, url: string): Promise<unknown> =>
  gql(`mutation($id:String!,$url:String!){updateApp(input:{id:$id,url:$url}){${fields}}}`, {
    id,
    url,
  });

test("an app that cannot sync is kept with its error until it can", async () => {
  shop.manner = { status: 500, body: '{"message":"broken"}', sdk: true };
  const failed = look(await create(shop.url), "data.createApp");
  assert.equal(look(failed, "connected"), false);
  assert.match(String(look(failed, "error")), /refused to sync with status 500: broken/);
  shop.manner = "in_band";
  const app = look(await create(shop.url), "data.createApp");
  assert.deepEqual(
    [look(app, "name"), look(app, "url"), look(app, "error"), look(app, "functionCount")],
    ["shop", shop.url, null, 1],
  );
  const apps = look(await gql("{apps{name}}", {}), "data.apps");
  assert.deepEqual(apps, [{ name: "shop" }]);
});

test("an app moves to where it answers, and stays when it is another that answers", async () => {
  const id = String(look(await create(shop.url), "data.createApp.id"));
  const there = look(await update(id, moved.url), "data.updateApp");
  assert.deepEqual([look(there, "id"), look(there, "url")], [id, moved.url]);
  const wrong = await update(id, other.url);
  assert.equal(look(wrong, "errors.0.extensions.code"), "app_sync_failed");
  assert.match(String(look(wrong, "errors.0.message")), /calls itself "other", not "shop"/);
  const gone = await update(id, "http://127.0.0.1:1/api");
  assert.equal(look(gone, "errors.0.extensions.code"), "app_sync_failed");
  const app = look(await gql("query($id:UUID!){app(id:$id){url}}", { id }), "data.app.url");
  assert.equal(app, moved.url);
});

test("an app known by its URL gets a name when it answers elsewhere", async () => {
  shop.manner = { status: 404, body: "", sdk: false };
  await gql('mutation{deleteAppByName(name:"other")}', {});
  const id = String(look(await create("http://127.0.0.1:1/api"), "data.createApp.id"));
  const app = look(await update(id, other.url), "data.updateApp");
  assert.equal(look(app, "name"), "other");
  assert.equal(look(await gql("query($id:UUID!){app(id:$id){id}}", { id }), "data.app"), null);
});

test("what is no URL, and no app, is refused by name", async () => {
  for (const [answer, code] of [
    [await create("localhost:3000"), "parameter_invalid"],
    [await create("file:///etc/passwd"), "parameter_invalid"],
    [await update("none", shop.url), "app_not_found"],
  ] as const)
    assert.equal(look(answer, "errors.0.extensions.code"), code);
});
