// What people see of deferred functions, over real sockets: the parent's list, and the way back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, look, until, type Answer } from "../http/test-client.ts";
import { startServer, type PawlServer } from "../server.ts";
import { register, startAppStub, type AppStub } from "../sync/app-stub.ts";

let server: PawlServer;
let app: AppStub;
let parentId: string;

const hash = (digit: string) => digit.repeat(40);
const add = (digit: string, slug: string, input: unknown) => ({
  op: "DeferAdd",
  id: hash(digit),
  userland: { id: `d${digit}` },
  opts: { fn_slug: slug, input },
});
const answers = [
  { op: "StepRun", id: hash("a"), displayName: "a", data: 1 },
  add("1", "shop-greet", { n: 1 }),
  add("2", "shop-greet", {}),
  add("3", "shop-greet", "no object"),
  { op: "DeferAbort", id: hash("b"), opts: { target_hashed_id: hash("2") } },
];

before(async () => {
  app = await startAppStub("shop");
  server = await startServer({ store: createMemoryStore() });
  app.serverUrl = server.url;
  // The one function is started by people's events and by what it defers itself.
  app.options = {
    triggers: [
      { event: "greet" },
      {
        event: "inngest/deferred.schedule",
        expression: "event.data._inngest.fn_slug == 'shop-greet'",
      },
    ],
  };
  assert.equal((await register(app, "shop")).status, 200);
  app.answerCall = (call) => {
    if (look(call, "event.data._inngest") !== undefined) return { status: 200, body: '"later"' };
    return look(call, `steps.${hash("a")}`) === undefined
      ? { status: 206, body: JSON.stringify(answers) }
      : { status: 200, body: '"done"' };
  };
  const { json } = await ask(server.url, "POST", "/e/key", { body: '{"name":"greet"}' });
  const eventId = String(look(json, "ids.0"));
  const found = await until(
    () => get(`/v1/events/${eventId}/runs`),
    (runs) => look(runs.json, "data.0.status") === "Completed",
  );
  parentId = String(look(found.json, "data.0.run_id"));
});

after(async () => {
  await server.close();
  await app.close();
});

async function get(path: string): Promise<Answer> {
  return ask(server.url, "GET", path);
}

async function gql(query: string, id: string): Promise<unknown> {
  const body = JSON.stringify({ query, variables: { id } });
  const { json } = await ask(server.url, "POST", "/v0/gql", { body });
  assert.equal(look(json, "errors"), undefined, JSON.stringify(json));
  return look(json, "data.run");
}

test("the calls of the parent name what it has deferred", () => {
  const [first, second] = app.calls;
  assert.deepEqual(look(first, "defers"), {});
  assert.deepEqual(look(second, "defers"), {
    [hash("1")]: { abortable: true },
    [hash("2")]: { abortable: false },
    [hash("3")]: { abortable: false },
  });
});

test("REST lists what a run has deferred, why not, and the run that it started", async () => {
  const { json } = await until(
    () => get(`/v1/runs/${parentId}/defers`),
    (answer) => typeof look(answer.json, "data.0.run_id") === "string",
  );
  const defers = look(json, "data") as Record<string, unknown>[]; // proof: the route's answer
  assert.deepEqual(
    defers.map(({ id, status, reason }) => [id, status, reason]),
    [
      ["d1", "sent", null],
      ["d2", "aborted", null],
      ["d3", "rejected", "its input is no JSON object"],
    ],
  );
  const [sent, aborted] = defers;
  assert.deepEqual([aborted?.["event_id"], aborted?.["run_id"]], [null, null]);
  const event = await get(`/v1/events/${String(sent?.["event_id"])}`);
  assert.equal(look(event.json, "data.name"), "inngest/deferred.schedule");
  assert.deepEqual(look(event.json, "data.data._inngest"), {
    fn_slug: "shop-greet",
    parent_fn_slug: "shop-greet",
    parent_run_id: parentId,
    defer_id: hash("1"),
  });
  const none = await get("/v1/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV/defers");
  assert.deepEqual([none.status, look(none.json, "code")], [404, "run_not_found"]);
});

test("GraphQL shows both directions", async () => {
  const parent = await gql(
    "query ($id: String!) { run(runID: $id) { defers { id userDeferID fnSlug status reason run { id status } } deferredFrom { parentRunID } } }",
    parentId,
  );
  assert.equal(look(parent, "deferredFrom"), null);
  assert.equal(look(parent, "defers.1.status"), "ABORTED");
  assert.equal(look(parent, "defers.2.status"), "REJECTED");
  const { run, ...first } = look(parent, "defers.0") as Record<string, unknown>; // proof: of the schema
  assert.deepEqual(first, {
    id: hash("1"),
    userDeferID: "d1",
    fnSlug: "shop-greet",
    status: "SCHEDULED",
    reason: null,
  });
  const child = await gql(
    "query ($id: String!) { run(runID: $id) { defers { id } deferredFrom { parentRunID parentFnSlug parentRun { eventName } } } }",
    String(look(run, "id")),
  );
  assert.deepEqual(child, {
    defers: [],
    deferredFrom: {
      parentRunID: parentId,
      parentFnSlug: "shop-greet",
      parentRun: { eventName: "greet" },
    },
  });
});

test("nobody else may send the event that starts deferred functions", async () => {
  const body = '{"name":"inngest/deferred.schedule","data":{}}';
  const { status } = await ask(server.url, "POST", "/e/key", { body });
  assert.equal(status, 400);
});
