// The REST API v1 over real sockets: lists of runs, what is below one run, functions.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, look, lookArray, until, type Answer } from "../http/test-client.ts";
import { startServer, type PawlServer } from "../server.ts";
import { register, startAppStub, type AppStub } from "../sync/app-stub.ts";

let server: PawlServer;
let app: AppStub;
let eventIds: readonly string[];
let runIds: readonly string[];

const twoSteps =
  '[{"op":"StepRun","id":"abc","displayName":"charge","data":{"big":12345678901234567890},"opts":{"input":[1]}}]';

before(async () => {
  app = await startAppStub("shop");
  server = await startServer({ store: createMemoryStore() });
  app.serverUrl = server.url;
  assert.equal((await register(app, "shop")).status, 200);
  // A run: one step, one that sleeps for ever.
  app.answerCall = (call) =>
    look(call, "event.data.sleep") === true
      ? { status: 206, body: '[{"op":"Sleep","id":"def","displayName":"nap","name":"1h"}]' }
      : look(call, "steps.abc") === undefined
        ? { status: 206, body: twoSteps }
        : { status: 200, body: '"done"' };
  const bodies = ['{"name":"greet","data":{"n":1}}', '{"name":"greet","data":{"sleep":true}}'];
  eventIds = await Promise.all(
    bodies.map(async (body) =>
      String(look((await ask(server.url, "POST", "/e/key", { body })).json, "ids.0")),
    ),
  );
  runIds = await Promise.all(
    eventIds.map(async (id) => {
      const found = await until(
        () => get(`/v1/events/${id}/runs`),
        ({ json }) => lookArray(json, "data").length === 1,
      );
      return String(look(found.json, "data.0.run_id"));
    }),
  );
  await until(
    () => get(`/v1/runs/${runIds[0] ?? ""}`),
    ({ json }) => look(json, "data.status") === "Completed",
  );
  await until(
    () => get(`/v1/runs/${runIds[1] ?? ""}/trace`),
    ({ json }) => lookArray(json, "data.children").length === 1,
  );
});

after(async () => {
  await server.close();
  await app.close();
});

async function get(path: string): Promise<Answer> {
  return ask(server.url, "GET", path);
}

test("runs are listed with a total, in pages", async () => {
  const all = await get("/v1/runs");
  assert.equal(look(all.json, "data.total_count"), 2);
  assert.equal(look(all.json, "data.has_more"), false);
  assert.equal(look(all.json, "data.cursor"), null);
  const first = await get("/v1/runs?first=1");
  assert.equal(look(first.json, "data.has_more"), true);
  const cursor = String(look(first.json, "data.cursor"));
  const second = await get(`/v1/runs?first=1&cursor=${cursor}`);
  assert.deepEqual(
    [look(first.json, "data.runs.0.id"), look(second.json, "data.runs.0.id")],
    [look(all.json, "data.runs.0.id"), look(all.json, "data.runs.1.id")],
  );
});

test("runs are filtered by status, function, app and time", async () => {
  const done = await get("/v1/runs?status=COMPLETED&status=failed");
  assert.equal(look(done.json, "data.runs.0.id"), runIds[0]);
  assert.equal(look(done.json, "data.runs.0.output"), "done");
  assert.equal(look(done.json, "data.runs.0.function_slug"), "shop-greet");
  assert.equal(look(done.json, "data.runs.0.app_name"), "shop");
  const count = async (query: string): Promise<unknown> =>
    look((await get(`/v1/runs/counts?${query}`)).json, "data.count");
  assert.equal(await count("status=COMPLETED,RUNNING"), 2);
  const functionId = String(look(done.json, "data.runs.0.function_id"));
  assert.equal(await count(`function_id=${functionId}`), 2);
  assert.equal(await count(`function_id=${crypto.randomUUID()}`), 0);
  assert.equal(await count(`app_id=${crypto.randomUUID()}`), 0);
  assert.equal(await count("until=2001-01-01T00:00:00Z&from=2000-01-01T00:00:00Z"), 0);
});

test("a parameter that cannot be used is refused by name", async () => {
  for (const query of ["first=0", "first=401", "status=odd", "from=yesterday", "cursor=x"]) {
    const { status, json } = await get(`/v1/runs?${query}`);
    assert.equal(status, 400, query);
    assert.equal(look(json, "code"), "parameter_invalid");
  }
});

test("a trace shows steps, and outputs are fetched by their id as they arrived", async () => {
  const { json } = await get(`/v1/runs/${runIds[0] ?? ""}/trace`);
  assert.equal(look(json, "data.status"), "COMPLETED");
  assert.equal(look(json, "data.is_root"), true);
  assert.equal(look(json, "data.children.0.name"), "charge");
  assert.equal(look(json, "data.children.0.step_op"), "RUN");
  assert.equal(look(json, "data.children.0.parent_span_id"), look(json, "data.span_id"));
  const outputId = String(look(json, "data.children.0.output_id"));
  const path = `${server.url}/v1/runs/${runIds[0] ?? ""}/outputs/${outputId}`;
  const text = await (await fetch(path)).text();
  assert.match(text, /"input":\[1\],"data":\{"big":12345678901234567890\},"error":null/);
  const ofRun = await get(
    `/v1/runs/${runIds[0] ?? ""}/outputs/${String(look(json, "data.output_id"))}`,
  );
  assert.equal(look(ofRun.json, "data.data"), "done");
  assert.equal((await get("/v1/runs/x/outputs/nothing")).status, 404);
});

test("an open run shows what it waits for", async () => {
  const { json } = await get(`/v1/runs/${runIds[1] ?? ""}/trace`);
  assert.equal(look(json, "data.children.0.status"), "WAITING");
  assert.equal(look(json, "data.children.0.step_op"), "SLEEP");
  assert.ok(typeof look(json, "data.children.0.step_info.sleep_until") === "string");
  const jobs = await get(`/v1/runs/${runIds[1] ?? ""}/jobs`);
  assert.equal(look(jobs.json, "data.0.kind"), "sleep");
  assert.equal(look(jobs.json, "data.0.name"), "nap");
  const trigger = await get(`/v1/runs/${runIds[1] ?? ""}/trigger`);
  assert.equal(look(trigger.json, "data.event_name"), "greet");
  assert.equal(look(trigger.json, "data.payloads.0.data.sleep"), true);
});

test("what is below a run that does not exist is not found", async () => {
  for (const part of ["jobs", "trace", "trigger"]) {
    const { status, json } = await get(`/v1/runs/nothing/${part}`);
    assert.equal(status, 404);
    assert.equal(look(json, "code"), "run_not_found");
  }
});

test("functions are listed, also by the name of their app", async () => {
  const all = await get("/v1/functions");
  assert.equal(look(all.json, "data.functions.0.slug"), "shop-greet");
  assert.deepEqual(look(all.json, "data.functions.0.triggers"), [
    { type: "EVENT", value: "greet" },
  ]);
  const ofApp = await get("/v1/apps/shop/functions");
  assert.equal(look(ofApp.json, "data.functions.0.config.retries"), 0);
  assert.equal((await get("/v1/apps/nothing/functions")).status, 404);
});
