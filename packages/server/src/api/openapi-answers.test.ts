// The description at `/openapi.json` against what the server answers: a journey visits every operation,
// and each answer, refusals too, must be what the document says, with no field more. Whoever adds an
// operation adds it to the journey.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { z } from "zod";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, look, lookArray, until } from "../http/test-client.ts";
import { EventReader, SocketReader } from "../realtime/testing/readers.ts";
import { startServer, type PawlServer } from "../server.ts";
import { register, startAppStub, type AppStub } from "../sync/app-stub.ts";

type Json = Readonly<Record<string, unknown>>;

let server: PawlServer;
let app: AppStub;
let document: unknown;
const visited = new Set<string>();

const opcodes: Readonly<Record<string, string>> = {
  step: '{"op":"StepRun","id":"abc","displayName":"charge","data":{"a":[1]},"opts":{"input":[1]}}',
  wait: '{"op":"WaitForEvent","id":"def","displayName":"paid","name":"paid","opts":{"event":"paid","timeout":"1h"}}',
  signal:
    '{"op":"WaitForSignal","id":"sig","displayName":"go","opts":{"signal":"go","timeout":"1h"}}',
  invoke:
    '{"op":"InvokeFunction","id":"inv","displayName":"child","opts":{"function_id":"shop-greet","payload":{"data":{}},"timeout":"1h"}}',
  sleep: '{"op":"Sleep","id":"slp","displayName":"nap","name":"10ms"}',
};

before(async () => {
  app = await startAppStub("shop");
  app.options = { concurrency: [{ limit: 9, scope: "fn" }], priority: { run: "1" } };
  server = await startServer({ store: createMemoryStore() });
  app.serverUrl = server.url;
  assert.equal((await register(app, "shop")).status, 200);
  app.answerCall = (call) => {
    const kind = String(look(call, "event.data.kind"));
    if (kind === "fail") return { status: 500, body: '{"name":"Boom","message":"no"}' };
    const opcode = opcodes[kind];
    const isDone = members(look(call, "steps")).size > 0;
    return opcode === undefined || isDone
      ? { status: 200, body: '{"ok":true}' }
      : { status: 206, body: `[${opcode}]` };
  };
  ({ json: document } = await ask(server.url, "GET", "/openapi.json"));
});

after(async () => {
  await server.close();
  await app.close();
});

/** The members of an object by name; none for other values. */
function members(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
}

/** The same schema, closed: an object has no members but those that it names. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, member]): [string, unknown] => [
    key,
    key === "$ref" ? String(member).replace("#/components/schemas/", "#/$defs/") : closed(member),
  ]);
  const isOpen = "properties" in value && !("additionalProperties" in value);
  return Object.fromEntries(isOpen ? [...entries, ["additionalProperties", false]] : entries);
}

const schemas = new Map<string, z.ZodType>();

/** What the document says about an answer; fails when it says nothing. */
function schemaOf(path: string, method: string, status: string): z.ZodType {
  const key = `${method} ${path} ${status}`;
  const known = schemas.get(key);
  if (known !== undefined) return known;
  const operation = members(members(look(document, "paths")).get(path)).get(method);
  const response = members(look(operation, "responses")).get(status);
  const schema = look(members(look(response, "content")).get("application/json"), "schema");
  assert.ok(typeof schema === "object" && schema !== null, `${key} is not described`);
  const made = z.fromJSONSchema({
    ...(closed(schema) as Json), // proof: it was an object before
    $defs: closed(look(document, "components.schemas")) as Record<string, Json>, // proof: as the test of references says
  });
  schemas.set(key, made);
  return made;
}

interface Visit {
  readonly body?: object;
  readonly status?: number;
  /** It may come as well: a race decides. */
  readonly orStatus?: number;
}

/** Visits an operation by its path in the document; its parts are written as `{name=value}`. */
async function visit(
  method: string,
  target: string,
  { body, status, orStatus }: Visit = {},
): Promise<unknown> {
  const [template = "", query] = target.split("?");
  const path = template.replaceAll(/\{(\w+)=([^}]*)\}/g, "{$1}");
  const url =
    template.replaceAll(/\{(\w+)=([^}]*)\}/g, "$2") + (query === undefined ? "" : `?${query}`);
  const headers = { "content-type": "application/json" };
  const question = body === undefined ? {} : { headers, body: JSON.stringify(body) };
  const { status: got, json } = await ask(server.url, method, url, question);
  const isRefusal = got >= 400 && got !== 422;
  if (status !== undefined) assert.equal(got, status, `${method} ${url}: ${JSON.stringify(json)}`);
  else assert.ok(got < 300 || got === orStatus, `${method} ${url}: ${JSON.stringify(json)}`);
  const read = schemaOf(path, method.toLowerCase(), isRefusal ? "default" : String(got)).safeParse(
    json,
  );
  assert.ok(
    read.success,
    `${method} ${url} answers ${JSON.stringify(json)}\n${read.success ? "" : z.prettifyError(read.error)}`,
  );
  if (!isRefusal || got === orStatus) visited.add(`${method.toLowerCase()} ${path}`);
  return json;
}

const fn = "/v2/apps/{appId=shop}/functions/{functionId=greet}";
const invokePath = `${fn}/invoke`;

async function start(kind: string): Promise<string> {
  return String(
    look(await visit("POST", invokePath, { body: { data: { kind } }, status: 201 }), "data.runId"),
  );
}

async function reaches(runId: string, status: string): Promise<void> {
  await until(
    () => ask(server.url, "GET", `/v2/runs/${runId}`),
    ({ json }) => look(json, "data.status") === status,
  );
}

/** Of user code, as OTLP has it, with an event and a link. */
function spanOf(runId: string): object {
  const ids = { traceId: "a".repeat(32), spanId: "b".repeat(16) };
  const attributes = [{ key: "pawl.run.id", value: { stringValue: runId } }];
  const event = { name: "retried", timeUnixNano: "1700000000000000001", attributes };
  const span = {
    ...ids,
    name: "query",
    kind: 3,
    startTimeUnixNano: "1700000000000000000",
    endTimeUnixNano: "1700000000002000000",
    attributes,
    events: [event],
    links: [{ ...ids, attributes }],
    status: { code: 2, message: "declined" },
  };
  return { resource: { attributes }, scopeSpans: [{ scope: { name: "db" }, spans: [span] }] };
}

async function opens(runId: string): Promise<void> {
  await until(
    () => ask(server.url, "GET", `/v1/runs/${runId}/trace`),
    ({ json }) => look(json, "data.children.0.status") === "WAITING",
  );
}

test("every reference leads to a schema of the document", () => {
  const known = new Set(members(look(document, "components.schemas")).keys());
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g)].map(
    ([, to]) => to,
  );
  assert.ok(references.length > 50);
  for (const to of references)
    assert.ok(known.has(to?.replace("#/components/schemas/", "") ?? ""), to);
});

test("every operation has what OpenAPI 3.1 asks for", () => {
  for (const [path, methods] of members(look(document, "paths"))) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    for (const [method, operation] of members(methods)) {
      const at = `${method} ${path}`;
      assert.match(method, /^(get|post|put|patch|delete)$/, at);
      assert.match(String(look(operation, "operationId")), /^\w+$/, at);
      const parameters = lookArray(operation, "parameters");
      const inPath = parameters.filter((one) => look(one, "in") === "path");
      assert.deepEqual(
        inPath.map((one) => look(one, "name")),
        names,
        at,
      );
      assert.ok(
        inPath.every((one) => look(one, "required") === true),
        at,
      );
      assert.ok(
        parameters.every((one) => typeof look(one, "schema") === "object"),
        at,
      );
      for (const [status, response] of members(look(operation, "responses"))) {
        assert.match(status, /^(\d{3}|default)$/, at);
        assert.equal(typeof look(response, "description"), "string", at);
      }
    }
  }
});

test("events and runs are answered as they are described", async () => {
  const sent = await visit("POST", "/v2/events", {
    body: { name: "greet", data: { kind: "step" } },
  });
  const eventId = String(look(sent, "data.eventId"));
  const found = await until(
    () => visit("GET", `/v1/events/{id=${eventId}}/runs`),
    (json) => look(json, "data.0.status") === "Completed",
  );
  const runId = String(look(found, "data.0.run_id"));
  await visit("GET", "/v1/events");
  await visit("GET", '/v1/events?query=event.name=="greet"');
  await visit("GET", "/v1/events?limit=0", { status: 400 });
  await visit("GET", "/v1/events?query=event.", { status: 400 });
  await visit("GET", `/v1/events/{id=${eventId}}`);
  await visit("GET", "/v1/events/{id=none}", { status: 404 });
  await visit("GET", "/v1/runs");
  await visit("GET", "/v1/runs?first=1&query=run.status!=null");
  await visit("GET", "/v1/runs/counts");
  for (const below of ["", "/defers", "/jobs", "/trace", "/trigger"]) {
    await visit("GET", `/v1/runs/{id=${runId}}${below}`);
    await visit("GET", `/v1/runs/{id=none}${below}`, { status: 404 });
  }
  const trace = await visit("GET", `/v1/runs/{id=${runId}}/trace`);
  for (const at of ["data.output_id", "data.children.0.output_id"])
    await visit("GET", `/v1/runs/{id=${runId}}/outputs/{outputId=${String(look(trace, at))}}`);
  const metadata = [{ kind: "userland.note", op: "merge", values: { good: true } }];
  const target = { run_id: runId };
  await visit("POST", `/v1/runs/{id=${runId}}/metadata`, { body: { target, metadata } });
  await visit("POST", `/v1/runs/{id=${runId}}/metadata`, { body: { target }, status: 400 });
  await visit("POST", "/v1/traces/userland", { body: { resourceSpans: [spanOf(runId)] } });
  await visit("POST", "/v1/traces/userland", { body: { resourceSpans: [spanOf("none")] } });
  await visit("POST", "/v1/traces/userland", { body: { resourceSpans: 1 }, status: 400 });
  const scores = [{ name: "fit", value: 0.5 }];
  await visit("POST", `/v2/runs/{runId=${runId}}/scores`, { body: { scores } });
  await visit("POST", "/v2/runs/{runId=none}/scores", { body: { scores }, status: 404 });
  await visit("GET", `/v1/runs/{id=${runId}}/trace`);
  await visit("POST", `/v1/runs/{id=${runId}}/rerun`, { body: {} });
  await visit("POST", `/v1/runs/{id=${runId}}/rerun`, { body: { odd: 1 }, status: 400 });
  await visit("DELETE", `/v1/runs/{id=${runId}}`, { status: 409 });
  await visit("GET", "/v2/runs?limit=1");
  await visit("GET", "/v2/runs?query=run.id!=null");
  await visit("GET", `/v2/runs/{runId=${runId}}?includeOutput=true`);
  await visit("GET", "/v2/runs/{runId=none}", { status: 404 });
  const shown = await visit("GET", `/v2/runs/{runId=${runId}}/trace?includeOutput=true`);
  const spanId = String(look(shown, "data.rootSpan.id"));
  await visit("GET", `/v2/runs/{runId=${runId}}/trace/{spanId=${spanId}}?maxDepth=1`);
  await visit("GET", `/v2/runs/{runId=${runId}}/explain`);
  await visit("POST", `/v2/runs/{runId=${runId}}/rerun`, { body: {}, status: 201 });
  await visit("GET", `/v2/events/{eventId=${eventId}}/runs?includeOutput=true`);
});

test("what waits, fails and ends is described while it does and after", async () => {
  for (const kind of ["wait", "signal"]) {
    const runId = await start(kind);
    await opens(runId);
    await visit("GET", `/v1/runs/{id=${runId}}/trace`);
    await visit("GET", `/v1/runs/{id=${runId}}/jobs`);
    await visit("GET", `/v2/runs/{runId=${runId}}/explain`);
    if (kind === "wait") await visit("POST", "/v2/events", { body: { name: "paid" } });
    else {
      await visit("POST", "/v1/signals", { body: { signal: "go", data: 1 } });
      await visit("POST", "/v1/signals", { body: { signal: "go" }, status: 404 });
    }
    await reaches(runId, "COMPLETED");
    await visit("GET", `/v1/runs/{id=${runId}}/trace`);
  }
  for (const [kind, status] of [
    ["invoke", "COMPLETED"],
    ["sleep", "COMPLETED"],
    ["fail", "FAILED"],
  ] as const) {
    const runId = await start(kind);
    await reaches(runId, status);
    await visit("GET", `/v1/runs/{id=${runId}}/trace`);
    await visit("GET", `/v1/runs/{id=${runId}}`);
    await visit("GET", `/v2/runs/{runId=${runId}}/trace?includeOutput=true`);
  }
  const [first, second] = [await start("wait"), await start("wait")];
  await visit("DELETE", `/v1/runs/{id=${first}}`);
  await visit("POST", `/v2/runs/{runId=${second}}/cancel`);
  await visit("POST", `/v2/runs/{runId=${second}}/cancel`, { status: 409 });
});

test("apps and functions are answered as they are described", async () => {
  await visit("GET", "/v1/functions");
  await visit("GET", "/v1/apps/{name=shop}/functions");
  await visit("GET", "/v1/apps/{name=none}/functions", { status: 404 });
  await visit("POST", "/v1/functions/{id=shop-greet}/pause");
  await visit("POST", "/v1/functions/{id=shop-greet}/resume");
  await visit("POST", "/v1/functions/{id=none}/pause", { status: 404 });
  await visit("GET", "/v2/health");
  await visit("GET", "/v2/apps");
  await visit("GET", "/v2/apps/{appId=shop}");
  await visit("GET", "/v2/apps/{appId=none}", { status: 404 });
  await visit("GET", "/v2/apps/{appId=shop}/functions");
  await visit("GET", fn);
  await visit("GET", `${fn}/runs?limit=2`);
  await visit("POST", invokePath, { body: { odd: 1 }, status: 400 });
  await visit("POST", invokePath, { body: { idempotencyKey: "k" }, status: 201 });
  await visit("POST", invokePath, { body: { idempotencyKey: "k" }, status: 409 });
  await visit("POST", "/v2/apps/{appId=shop}/syncs", { body: { url: app.url } });
  const nowhere = { url: "http://127.0.0.1:1/api" };
  await visit("POST", "/v2/apps/{appId=shop}/syncs", { body: nowhere, status: 422 });
});

test("bulk actions and schedules are answered as they are described", async () => {
  const before = "2020-01-01T00:00:00Z";
  const filter = { function_ids: ["shop-greet"], until: before };
  await visit("POST", "/v1/bulk", { body: { action: "cancel", filter, dry_run: true } });
  const bulk = await visit("POST", "/v1/bulk", { body: { action: "cancel", filter } });
  const bulkId = String(look(bulk, "data.id"));
  await visit("GET", "/v1/bulk");
  await visit("GET", `/v1/bulk/{id=${bulkId}}`);
  await visit("GET", "/v1/bulk/{id=none}", { status: 404 });
  const other = await visit("POST", "/v1/bulk", { body: { action: "rerun", filter } });
  // It may have ended already.
  await visit("DELETE", `/v1/bulk/{id=${String(look(other, "data.id"))}}`, { orStatus: 409 });
  const body = { app_id: "shop", function_id: "greet", started_before: before };
  const cancellation = await visit("POST", "/v1/cancellations", { body });
  await visit("POST", "/v1/cancellations", { body: { ...body, function_id: "x" }, status: 404 });
  await visit("GET", "/v1/cancellations");
  await visit("DELETE", `/v1/cancellations/{id=${String(look(cancellation, "data.id"))}}`);
});

test("schedules are answered as they are described", async () => {
  const event = { name: "tick", data: { n: 1 } };
  await visit("POST", "/v1/schedules", { body: { id: "daily", cron: "0 9 * * *", event } });
  await visit("POST", "/v1/schedules", { body: { id: "daily", every: "1h", event }, status: 409 });
  await visit("POST", "/v1/schedules", { body: { id: "odd", cron: "x", event }, status: 400 });
  const at = "/v1/schedules/{id=daily}";
  await visit("PUT", at, { body: { every: "1h", function: { id: "shop-greet", data: {} } } });
  await visit("PATCH", at, { body: { every: "2h" } });
  await visit("GET", at);
  await visit("GET", "/v1/schedules?first=1");
  await visit("GET", `${at}/preview`);
  await visit("POST", `${at}/resume`);
  await visit("POST", `${at}/trigger`);
  await visit("POST", `${at}/pause`);
  await visit("GET", at);
  await visit("DELETE", at);
  await visit("GET", at, { status: 404 });
});

test("realtime is answered as it is described", async () => {
  const topics = [{ kind: "run", channel: "news", name: "today" }];
  const made = await visit("POST", "/v1/realtime/token", { body: topics, status: 201 });
  await visit("POST", "/v1/realtime/token", { body: [], status: 400 });
  const token = String(look(made, "jwt"));
  await visit("GET", "/v1/realtime/connect?token=none", { status: 401 });
  await visit("GET", "/v1/realtime/sse?token=none", { status: 401 });
  const socket = await SocketReader.open(server.url, token);
  const events = await EventReader.open(server.url, token);
  visited.add("get /v1/realtime/connect").add("get /v1/realtime/sse");
  const body = { rain: true };
  await visit("POST", "/v1/realtime/publish?channel=news&topic=today", { body });
  await visit("POST", "/v1/realtime/publish?channel=news&topic=$run", { body, status: 400 });
  await visit("POST", "/v1/realtime/publish/tee?channel=news", { body });
  for (const reader of [socket, events]) {
    assert.deepEqual(look(await reader.next(), "data"), body);
    reader.close();
  }
});

test("the output of an endpoint is refused as it is described", async () => {
  const path = "/v1/http/runs/{runId=01ARZ3NDEKTSV4RRFFQ69G5FAV}/output";
  await visit("GET", path, { status: 401 });
  await visit("GET", `${path}?token=none`, { status: 401 });
  // What it answers else is the endpoint's own: endpoints.test.ts reads it.
  visited.add("get /v1/http/runs/{runId}/output");
});

test("the journey visited every operation", () => {
  const all = [...members(look(document, "paths"))].flatMap(([path, methods]) =>
    [...members(methods).keys()].map((method) => `${method} ${path}`),
  );
  assert.deepEqual(
    all.filter((one) => !visited.has(one)),
    [],
  );
});
