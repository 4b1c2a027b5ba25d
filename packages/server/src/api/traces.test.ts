// Spans of user code over real sockets: what is taken, what is refused and how, and where every API shows
// them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { createMemoryStore } from "@pawl/store/memory-store";
import { ask, look, lookArray, until, type Answer } from "../http/test-client.ts";
import { startServer, type PawlServer } from "../server.ts";
import { register, startAppStub, type AppStub } from "../sync/app-stub.ts";

const stepId = "a".repeat(40);
const traceId = "0af7651916cd43dd8448eb211c80319c";

let server: PawlServer;
let app: AppStub;
let runId = "";

before(async () => {
  app = await startAppStub("shop");
  server = await startServer({
    store: createMemoryStore(),
    settings: { userSpansPerRunMax: 20 },
    limits: {
      eventBytesMax: 2_000,
      eventsPerRequestMax: 100,
      bodyBytesMax: 65_536,
      previewRunsMax: 10,
      traceBytesMax: 20_000,
      spansPerRequestMax: 30,
    },
  });
  app.serverUrl = server.url;
  assert.equal((await register(app, "shop")).status, 200);
  app.answerCall = (call) =>
    look(call, `steps.${stepId}`) === undefined
      ? { status: 206, body: `[{"op":"StepRun","id":"${stepId}","displayName":"charge","data":1}]` }
      : { status: 200, body: '"done"' };
  runId = await newRun();
});

after(async () => {
  await server.close();
  await app.close();
});

/** A run that has ended: SDKs send most spans behind the answer. */
async function newRun(): Promise<string> {
  const sent = await ask(server.url, "POST", "/e/key", { body: '{"name":"greet","data":{}}' });
  const eventId = String(look(sent.json, "ids.0"));
  const runs = await until(
    () => get(`/v1/events/${eventId}/runs`),
    ({ json }) => look(json, "data.0.status") === "Completed",
  );
  return String(look(runs.json, "data.0.run_id"));
}

function get(path: string): Promise<Answer> {
  return ask(server.url, "GET", path);
}

function span(n: number, more: Readonly<Record<string, string>> = {}, parent = ""): object {
  const attributes = { "sdk.run.id": runId, "inngest.step.hash": stepId, ...more };
  return {
    traceId,
    spanId: n.toString(16).padStart(16, "e"),
    parentSpanId: parent,
    name: `span ${String(n)}`,
    kind: 3,
    startTimeUnixNano: `${String(1_700_000_000_000 + n)}000000`,
    endTimeUnixNano: `${String(1_700_000_000_002 + n)}000000`,
    attributes: Object.entries(attributes).map(([key, stringValue]) => ({
      key,
      value: { stringValue },
    })),
    status: n % 2 === 0 ? {} : { code: 2, message: "declined" },
  };
}

function request(...spans: readonly object[]): string {
  const service = { key: "service.name", value: { stringValue: "shop" } };
  return JSON.stringify({
    resourceSpans: [
      { resource: { attributes: [service] }, scopeSpans: [{ scope: { name: "stripe" }, spans }] },
    ],
  });
}

const json = { "content-type": "application/json" };

function post(body: string, headers = json, path = "/v1/traces/userland"): Promise<Answer> {
  return ask(server.url, "POST", path, { body, headers });
}

test("spans of an ended run are taken, and shown by REST v1, v2 and GraphQL below their step", async () => {
  const parent = "e".repeat(15);
  const sent = await post(request(span(1), span(2, {}, `${parent}1`)));
  assert.deepEqual([sent.status, sent.json], [200, {}]);

  const v1 = look((await get(`/v1/runs/${runId}/trace`)).json, "data.children.0");
  assert.deepEqual(
    [look(v1, "name"), look(v1, "is_userland"), look(v1, "userland")],
    ["charge", false, null],
  );
  const first = look(v1, "children.0");
  assert.deepEqual(
    ["name", "span_id", "parent_span_id", "status", "is_userland", "duration_ms"].map((key) =>
      look(first, key),
    ),
    ["span 1", `${parent}1`, look(v1, "span_id"), "FAILED", true, 2],
  );
  assert.deepEqual(
    ["trace_id", "kind", "service_name", "scope_name", "status_message"].map((key) =>
      look(first, `userland.${key}`),
    ),
    [traceId, "client", "shop", "stripe", "declined"],
  );
  assert.equal(look(first, "children.0.parent_span_id"), `${parent}1`);

  const v2 = look(
    (await get(`/v2/runs/${runId}/trace`)).json,
    "data.rootSpan.children.0.children.0",
  );
  assert.deepEqual(
    ["name", "isUserland", "userland.serviceName", "userland.startedUs"].map((key) =>
      look(v2, key),
    ),
    ["span 1", true, "shop", 1_700_000_000_001_000],
  );
  const shallow = await get(`/v2/runs/${runId}/trace?maxDepth=2`);
  assert.equal(look(shallow.json, "data.rootSpan.children.0.childrenTruncated"), true);

  const fields = "name isUserland userlandSpan{spanName spanKind serviceName scopeName spanAttrs}";
  const query = `{run(runID:"${runId}"){trace{childrenSpans{isUserland childrenSpans{${fields}}}}}}`;
  const { json: answered } = await ask(server.url, "POST", "/v0/gql", {
    body: JSON.stringify({ query }),
  });
  const shown = look(answered, "data.run.trace.childrenSpans.0.childrenSpans.0");
  assert.deepEqual(shown, {
    name: "span 1",
    isUserland: true,
    userlandSpan: {
      spanName: "span 1",
      spanKind: "SPAN_KIND_CLIENT",
      serviceName: "shop",
      scopeName: "stripe",
      spanAttrs: JSON.stringify({ "sdk.run.id": runId, "inngest.step.hash": stepId }),
    },
  });
});

test("calls tell the app what its spans are to bring back", () => {
  const [headers] = app.headers;
  assert.match(
    String(headers?.["tracestate"]),
    /^inngest@app=[^,=]+,inngest@fn=[^,=]+,inngest@traceref=step\.0$/,
  );
});

test("a request may come again", async () => {
  const before = JSON.stringify((await get(`/v1/runs/${runId}/trace`)).json).length;
  assert.deepEqual((await post(request(span(1), span(1)))).json, {});
  assert.equal(JSON.stringify((await get(`/v1/runs/${runId}/trace`)).json).length, before);
});

test("spans may come compressed, and as protobuf, which is answered in protobuf", async () => {
  const packed = await fetch(`${server.url}/v1/traces/userland`, {
    method: "POST",
    headers: { ...json, "content-encoding": "gzip" },
    body: gzipSync(request(span(3))),
  });
  assert.deepEqual([packed.status, await packed.text()], [200, "{}"]);
  // Field 1 (resource spans), 2 (scope spans), 2 (spans): one span with nothing in it.
  const answer = await fetch(`${server.url}/v1/traces/userland`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf" },
    body: Buffer.from([0x0a, 4, 0x12, 2, 0x12, 0]),
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), "application/x-protobuf");
  const read = ProtobufTraceSerializer.deserializeResponse(
    new Uint8Array(await answer.arrayBuffer()),
  );
  assert.equal(Number(read.partialSuccess?.rejectedSpans), 1);
});

test("spans of runs that are not known are counted, others are taken", async () => {
  const other = await newRun();
  const { status, json: said } = await post(
    request(
      span(4, { "sdk.run.id": "nowhere" }),
      span(5, { "sdk.run.id": other }),
      span(6, { "sdk.run.id": "" }),
    ),
  );
  assert.equal(status, 200);
  assert.equal(look(said, "partialSuccess.rejectedSpans"), "2");
  const message = String(look(said, "partialSuccess.errorMessage"));
  assert.match(message, /1: There is no run nowhere/);
  assert.match(message, /1: The span names no run/);
  const trace = await get(`/v1/runs/${other}/trace`);
  assert.equal(lookArray(trace.json, "data.children.0.children").length, 1);
});

test("beyond the limit of a run spans are counted, and the limit is named", async () => {
  const other = await newRun();
  const spans = Array.from({ length: 25 }, (_, n) => span(n, { "sdk.run.id": other }));
  const { json: said } = await post(request(...spans));
  assert.equal(look(said, "partialSuccess.rejectedSpans"), "5");
  assert.match(
    String(look(said, "partialSuccess.errorMessage")),
    /20 spans, the limit \(setting userSpansPerRunMax\)/,
  );
});

test("what is no OTLP is refused with a code", async () => {
  const codes = async (answer: Promise<Answer>) => {
    const { status, json: said } = await answer;
    return [status, look(said, "code")];
  };
  assert.deepEqual(await codes(post("{", json)), [400, "body_invalid"]);
  assert.deepEqual(await codes(post('{"resourceSpans":7}', json)), [400, "body_invalid"]);
  const protobuf = { "content-type": "application/x-protobuf" };
  assert.deepEqual(await codes(post("nonsense", protobuf)), [400, "body_invalid"]);
  assert.deepEqual(await codes(post("{}", { "content-type": "text/plain" })), [
    415,
    "content_type_invalid",
  ]);
  assert.deepEqual(await codes(post(" ".repeat(20_001))), [413, "body_too_large"]);
  const many = `{"resourceSpans":[{"scopeSpans":[{"spans":[${"{},".repeat(30)}{}]}]}]}`;
  assert.deepEqual(await codes(post(many)), [413, "spans_too_many"]);
});

test("a development server takes them below /dev, too", async () => {
  for (const path of ["/dev/traces", "/dev/traces/system"]) {
    const { status, json: said } = await post(request(span(9)), json, path);
    assert.deepEqual([status, said], [200, {}], path);
  }
});
