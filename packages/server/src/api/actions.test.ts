// Cancelling and starting again over real sockets, in every API: one run and many.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sha1Hex } from "@pawl/protocol/sha1";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, look, until, type Answer } from "../http/test-client.ts";
import { startServer, type PawlServer } from "../server.ts";
import { register, startAppStub, type AppStub } from "../sync/app-stub.ts";

let server: PawlServer;
let app: AppStub;

const stepId = sha1Hex("charge");
const charged = `[{"op":"StepRun","id":"${stepId}","displayName":"charge","data":1}]`;

before(async () => {
  app = await startAppStub("shop");
  server = await startServer({ store: createMemoryStore() });
  app.serverUrl = server.url;
  assert.equal((await register(app, "shop")).status, 200);
  // A step, and the end; by wish a failure, or a sleep for ever.
  app.answerCall = (call) => {
    if (look(call, "event.data.fail") === true)
      return { status: 400, body: '{"name":"Boom","message":"no"}' };
    if (look(call, "event.data.sleep") === true)
      return { status: 206, body: '[{"op":"Sleep","id":"def","displayName":"nap","name":"1h"}]' };
    const memo = look(call, `steps.${stepId}`);
    const isFinished = memo !== undefined && look(memo, "input") === undefined;
    return isFinished ? { status: 200, body: '"done"' } : { status: 206, body: charged };
  };
});

after(async () => {
  await server.close();
  await app.close();
});

async function asked(method: string, path: string, body?: unknown): Promise<Answer> {
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  return ask(server.url, method, path, text);
}

/** Starts a run and waits until it stands where its data wants it. */
async function run(data: object = {}): Promise<string> {
  const { json } = await asked("POST", "/invoke/shop-greet", { data });
  const id = String(look(json, "run_id"));
  const wanted = "sleep" in data ? "jobs" : "end";
  await until(
    () => asked("GET", wanted === "end" ? `/v2/runs/${id}` : `/v1/runs/${id}/jobs`),
    ({ json }) =>
      wanted === "end"
        ? look(json, "data.endedAt") !== null
        : look(json, "data.0.kind") === "sleep",
  );
  return id;
}

async function ended(id: string): Promise<unknown> {
  const { json } = await until(
    () => asked("GET", `/v1/runs/${id}`),
    (answer) => look(answer.json, "data.ended_at") !== null,
  );
  return look(json, "data");
}

/** The last call of a run. */
function lastCall(id: string): unknown {
  return app.calls.findLast((call) => look(call, "ctx.run_id") === id);
}

test("a run is started again in every API, with its events and its origin", async () => {
  const id = await run({ n: 7 });
  const answers = [
    look((await asked("POST", `/v1/runs/${id}/rerun`)).json, "data.run_id"),
    look((await asked("POST", `/v2/runs/${id}/rerun`, {})).json, "data.runId"),
    look((await asked("POST", `/api/v2/runs/${id}/rerun`)).json, "data.runId"),
    await mutation(`rerun(runID:"${id}")`),
  ];
  for (const again of answers) {
    assert.match(String(again), /^[0-9A-Z]{26}$/);
    const data = await ended(String(again));
    assert.deepEqual(
      [look(data, "original_run_id"), look(data, "status"), look(data, "output")],
      [id, "Completed", "done"],
    );
    assert.equal(look(lastCall(String(again)), "event.data.n"), 7);
  }
});

async function mutation(field: string): Promise<unknown> {
  const { json } = await asked("POST", "/v0/gql", { query: `mutation{${field}}` });
  assert.equal(look(json, "errors"), undefined, JSON.stringify(json));
  return look(json, `data.${field.split("(")[0] ?? ""}`);
}

test("from a step with other input: the input reaches the app as it was sent", async () => {
  const id = await run();
  const big = "[12345678901234567890]";
  const ask1 = await ask(server.url, "POST", `/v1/runs/${id}/rerun`, {
    body: `{"from_step":{"step_id":"charge","input":${big}}}`,
  });
  const ask2 = await ask(server.url, "POST", `/v2/runs/${id}/rerun`, {
    body: `{"fromStep":{"stepId":"${stepId}","input":{"x":1}}}`,
  });
  const ask3 = await mutation(`rerun(runID:"${id}",fromStep:{stepID:"charge",input:"[2]"})`);
  const started = [look(ask1.json, "data.run_id"), look(ask2.json, "data.runId"), ask3].map(String);
  const inputs = await Promise.all(
    started.map(async (again) => {
      assert.equal(look(await ended(again), "status"), "Completed");
      const first = app.calls.find((call) => look(call, "ctx.run_id") === again);
      assert.equal(look(first, "ctx.step_id"), stepId);
      return look(first, `steps.${stepId}.input`);
    }),
  );
  assert.deepEqual(inputs, [[12345678901234567000], [{ x: 1 }], [2]]);
});

test("what cannot be started again is refused in the words of each API", async () => {
  const open = await run({ sleep: true });
  const id = await run();
  const of = async (path: string, body?: object): Promise<unknown[]> => {
    const { status, json } = await asked("POST", path, body);
    return [status, look(json, "code") ?? look(json, "errors.0.code")];
  };
  assert.deepEqual(await of("/v1/runs/none/rerun"), [404, "run_not_found"]);
  assert.deepEqual(await of(`/v1/runs/${open}/rerun`), [409, "run_not_ended"]);
  assert.deepEqual(await of(`/v2/runs/${open}/rerun`), [409, "state_conflict"]);
  const nowhere = { from_step: { step_id: "nothing" } };
  assert.deepEqual(await of(`/v1/runs/${id}/rerun`, nowhere), [404, "step_not_found"]);
  assert.deepEqual(await of(`/v2/runs/${id}/rerun`, { fromStep: {} }), [400, "missing_field"]);
  assert.deepEqual(await of(`/v2/runs/${id}/rerun`, { odd: 1 }), [400, "invalid_request"]);
});

test("a run is cancelled at the old address, and shown below its event", async () => {
  const id = await run({ sleep: true });
  const response = await fetch(`${server.url}/v0/runs/${id}`, { method: "DELETE" });
  assert.equal(response.status, 204);
  assert.equal(await response.text(), "");
  const data = await ended(id);
  assert.equal(look(data, "status"), "Cancelled");
  const { json } = await asked("GET", `/v0/events/${String(look(data, "event_id"))}/runs`);
  assert.equal(look(json, "0.run_id"), id);
  assert.equal((await asked("DELETE", `/v0/runs/${id}`)).status, 409);
});

async function bulk(body: object): Promise<unknown> {
  const { status, json } = await asked("POST", "/v1/bulk", body);
  assert.equal(status, 200, JSON.stringify(json));
  return look(json, "data");
}

async function bulkEnded(id: unknown): Promise<unknown> {
  const { json } = await until(
    () => asked("GET", `/v1/bulk/${String(id)}`),
    (answer) => look(answer.json, "data.state") !== "active",
  );
  return look(json, "data");
}

test("many runs: counted without a change, then done, then listed", async () => {
  const ids = [];
  for (let n = 0; n < 5; n++) ids.push(await run({ sleep: true, n }));
  const filter = { function_ids: ["shop-greet"], if: "event.data.n >= 2" };
  const counted = await bulk({ action: "cancel", filter, dry_run: true });
  assert.deepEqual(counted, { count: 3, is_complete: true, sample: ids.slice(2) });
  for (const id of ids)
    assert.equal(look((await asked("GET", `/v2/runs/${id}`)).json, "data.status"), "RUNNING");
  const created = await bulk({ action: "cancel", filter });
  const done = await bulkEnded(look(created, "id"));
  assert.deepEqual(
    ["state", "matched", "done", "failed"].map((key) => look(done, key)),
    ["completed", 3, 3, 0],
  );
  const statuses = await Promise.all(
    ids.map(async (id) => look((await asked("GET", `/v2/runs/${id}`)).json, "data.status")),
  );
  assert.deepEqual(statuses, ["RUNNING", "RUNNING", "CANCELLED", "CANCELLED", "CANCELLED"]);
  assert.equal(look((await asked("GET", "/v1/bulk")).json, "data.0.id"), look(created, "id"));
  const stop = await asked("DELETE", `/v1/bulk/${String(look(created, "id"))}`);
  assert.deepEqual([stop.status, look(stop.json, "code")], [409, "bulk_ended"]);
});

test("failed runs are started again, those that the action started are not", async () => {
  await run({ fail: true, mark: "again" });
  await run({ fail: true, mark: "again" });
  const filter = { app_ids: ["shop"], if: 'event.data.mark == "again" && error.name == "Boom"' };
  assert.equal(look(await bulk({ action: "rerun", filter, dry_run: true }), "count"), 2);
  const done = await bulkEnded(look(await bulk({ action: "rerun", filter }), "id"));
  assert.equal(look(done, "done"), 2);
  const counted = await until(
    () => bulk({ action: "rerun", filter, dry_run: true }),
    (found) => look(found, "count") === 4,
  );
  assert.equal(look(counted, "is_complete"), true);
});

test("requests for many runs that cannot be meant are refused", async () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ action: "cancel", filter: {} }, /filter is empty/],
    [{ action: "cancel", filter: { statuses: ["FAILED"] } }, /Only runs of status QUEUED, RUNNING/],
    [{ action: "rerun", filter: { statuses: ["RUNNING"] } }, /Only runs of status/],
    [{ action: "cancel", filter: { if: "event.data." } }, /cannot be used/],
    [{ action: "cancel", filter: { function_ids: ["nothing"] } }, /no function or app "nothing"/],
    [{ action: "remove", filter: { if: "true" } }, /action/],
    [{ action: "cancel", filter: { odd: 1 } }, /odd/],
  ];
  for (const [body, message] of cases) {
    const { status, json } = await asked("POST", "/v1/bulk", body);
    assert.equal(status, 400, JSON.stringify(body));
    assert.match(String(look(json, "error")), message);
  }
  for (const method of ["GET", "DELETE"])
    assert.equal((await asked(method, "/v1/bulk/none")).status, 404);
});

test("cancellations: the older way to cancel the runs of a function", async () => {
  const id = await run({ sleep: true, old: 1 });
  const body = {
    app_id: "shop",
    function_id: "greet",
    started_after: new Date(Date.now() - 60_000).toISOString(),
    started_before: new Date(Date.now() - 1).toISOString(),
    if: "event.data.old == 1",
  };
  await until(
    () => Date.now(),
    (now) => now > Date.parse(body.started_before) + 2,
  );
  const { status, json } = await asked("POST", "/v1/cancellations", {
    ...body,
    started_before: new Date().toISOString(),
  });
  assert.equal(status, 200, JSON.stringify(json));
  assert.equal(look(json, "data.function_id"), "shop-greet");
  assert.equal(look(json, "data.if"), body.if);
  assert.equal(look(await ended(id), "status"), "Cancelled");
  const bulkId = String(look(json, "data.id"));
  assert.match(String(look(await ended(id), "end_reason")), new RegExp(bulkId));
  const listed = await asked("GET", "/v1/cancellations");
  assert.equal(look(listed.json, "data.0.id"), bulkId);
  assert.deepEqual(look((await asked("DELETE", `/v1/cancellations/${bulkId}`)).json, "data"), {
    ok: true,
  });
  assert.equal((await asked("DELETE", `/v1/cancellations/${bulkId}`)).status, 404);
  const of = async (more: object): Promise<number> =>
    (await asked("POST", "/v1/cancellations", { ...body, ...more })).status;
  assert.equal(await of({ function_id: "nothing" }), 404);
  assert.equal(await of({ if: "(" }), 400);
  assert.equal(await of({ started_before: new Date(Date.now() + 60_000).toISOString() }), 400);
});

test("the actions are described", async () => {
  const { json } = await asked("GET", "/openapi.json");
  const paths = Object.keys(look(json, "paths") as object); // proof: the document's map of paths
  for (const path of [
    "/v1/bulk",
    "/v1/bulk/{id}",
    "/v1/cancellations",
    "/v1/runs/{id}/rerun",
    "/v2/runs/{runId}/rerun",
  ])
    assert.ok(paths.includes(path), path);
});
