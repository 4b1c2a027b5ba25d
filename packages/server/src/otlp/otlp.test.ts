// Traces of ended runs, received by a collector on a real socket from a real server.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { createMemoryStore } from "@pawl/store/memory-store";
import { spanIdOf, traceIdOf } from "../api/words.ts";
import { ask, look, until } from "../http/test-client.ts";
import { silentLog } from "../loop/log.ts";
import { startServer, type PawlServer } from "../server.ts";
import { register, startAppStub, type AppStub } from "../sync/app-stub.ts";
import {
  attributesOf,
  startCollectorStub,
  type CollectorStub,
  type ReceivedSpan,
} from "./collector-stub.ts";
import { otlpOptions } from "./otlp-options.ts";

let collector: CollectorStub;
let app: AppStub;
let server: PawlServer;
const warnings: { readonly fields: object; readonly message: string }[] = [];
const secret = "s3cret";

before(async () => {
  collector = await startCollectorStub();
  app = await startAppStub("shop");
  const retries = { attempts: 1 };
  const runtime = { type: "http", url: `${app.url}?fnId=shop-greet&stepId=step` };
  app.options = { steps: { step: { id: "step", name: "step", runtime, retries } } };
  server = await start();
  app.serverUrl = server.url;
  assert.equal((await register(app, "shop")).status, 200);
});

after(async () => {
  await server.close();
  await app.close();
  await collector.close();
});

beforeEach(() => {
  collector.reply = () => ({ status: 200 });
  collector.requests.length = 0;
  collector.spans.length = 0;
});

function start(endpoint = collector.url): Promise<PawlServer> {
  const headers = [`authorization=Bearer%20${secret}`];
  const given = { endpoint, headers, serviceName: "my-pawl", queueMax: 100 };
  return startServer({
    store: createMemoryStore(),
    settings: { retryIntervalMs: 0 },
    drainMs: 2_000,
    otlp: otlpOptions(given, {}),
    log: { ...silentLog, warn: (fields, message) => void warnings.push({ fields, message }) },
  });
}

async function invoke(target: PawlServer, data: object = {}): Promise<string> {
  const path = "/v2/apps/shop/functions/greet/invoke";
  const { json } = await ask(target.url, "POST", path, { body: JSON.stringify({ data }) });
  return String(look(json, "data.runId"));
}

/** The spans of a run, once its root has come. */
async function spansOf(runId: string): Promise<readonly ReceivedSpan[]> {
  const found = (): ReceivedSpan[] =>
    collector.spans.filter(({ traceId }) => traceId === traceIdOf(runId));
  await until(found, (spans) => spans.some(({ parentSpanId }) => parentSpanId === null));
  return found();
}

function tree(spans: readonly ReceivedSpan[], parent: unknown = null): unknown[] {
  return spans
    .filter(({ parentSpanId }) => parentSpanId === parent)
    .map((span) => [span.name, span.status, ...tree(spans, span.spanId)]);
}

const step = '[{"op":"StepRun","id":"abc","displayName":"charge","data":1}]';

test("the tree of a run arrives: steps, failed attempts with their errors, ids that the API shows", async () => {
  app.answerCall = (call) => {
    if (look(call, "steps.abc") === undefined) return { status: 206, body: step };
    return look(call, "ctx.attempt") === 0
      ? { status: 500, body: '{"name":"TypeError","message":"out of stock","stack":"at shop.ts"}' }
      : { status: 200, body: '"done"' };
  };
  const runId = await invoke(server);
  const spans = await spansOf(runId);
  assert.deepEqual(tree(spans), [["Greet", 0, ["charge", 0], ["Attempt 1", 2]]]);
  const [root, charge, attempt] = spans;
  assert.equal(root?.spanId, spanIdOf(runId, "run"));
  const shown = await ask(server.url, "GET", `/v2/runs/${runId}/trace`);
  assert.equal(look(shown.json, "data.rootSpan.id"), root?.spanId);
  assert.equal(look(shown.json, "data.rootSpan.children.0.id"), charge?.spanId);
  const run = look((await ask(server.url, "GET", `/v2/runs/${runId}`)).json, "data");
  assert.equal(root?.startMs, Date.parse(String(look(run, "queuedAt"))));
  assert.equal(root.endMs, Date.parse(String(look(run, "endedAt"))));
  assert.deepEqual(
    root.events.map((event) => look(event, "name")),
    ["started"],
  );
  assert.equal(root.attributes.get("pawl.run.id"), runId);
  assert.equal(root.attributes.get("pawl.function.id"), "shop-greet");
  assert.equal(root.attributes.get("pawl.status"), "completed");
  assert.equal(charge?.attributes.get("pawl.step.id"), "abc");
  assert.equal(charge?.attributes.get("pawl.step.op"), "run");
  assert.equal(attempt?.attributes.get("error.type"), "TypeError");
  const exception = attributesOf(attempt?.events.at(-1));
  assert.equal(exception.get("exception.message"), "out of stock");
  assert.equal(exception.get("exception.stacktrace"), "at shop.ts");
  assert.equal(collector.resource.get("service.name"), "my-pawl");
  const [request] = collector.requests;
  assert.equal(request?.url, "/v1/traces");
  assert.equal(request?.headers.authorization, `Bearer ${secret}`);
});

test("a run that failed is an error; one that was invoked links to the step that waits for it", async () => {
  app.answerCall = (call) => {
    if (look(call, "event.data.child") === true)
      return { status: 400, body: '{"name":"Error","message":"no money"}' };
    if (look(call, "steps.inv") !== undefined) return { status: 200, body: "1" };
    const opts = { function_id: "shop-greet", payload: { data: { child: true } } };
    const invokes = [{ op: "InvokeFunction", id: "inv", displayName: "pay", opts }];
    return { status: 206, body: JSON.stringify(invokes) };
  };
  const runId = await invoke(server);
  const [root, pay] = await spansOf(runId);
  assert.equal(root?.status, 0);
  assert.deepEqual([pay?.name, pay?.status], ["pay", 2]);
  const child = await until(
    () => collector.spans.find((span) => span.parentSpanId === null && span.links.length > 0),
    (found) => found !== undefined,
  );
  assert.equal(child?.status, 2);
  assert.deepEqual(
    ["traceId", "spanId"].map((path) => look(child?.links[0], path)),
    [traceIdOf(runId), pay?.spanId],
  );
  assert.equal(attributesOf(child?.events.at(-1)).get("exception.message"), "no money");
});

test("what is not taken for the moment is sent again", async () => {
  app.answerCall = () => ({ status: 200, body: "1" });
  let refusals = 0;
  collector.reply = () =>
    refusals++ < 1 ? { status: 503, headers: { "retry-after": "1" } } : { status: 200 };
  const runId = await invoke(server);
  assert.equal((await spansOf(runId)).length, 1);
  assert.equal(collector.requests.length, 2);
});

test("a collector that refuses costs its spans, which are counted and told once; runs go on", async () => {
  app.answerCall = () => ({ status: 200, body: "1" });
  collector.reply = () => ({ status: 400 });
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? Number.NaN);
  };
  const before = await metric("pawl_otlp_spans_dropped_total");
  for (const dropped of [1, 2]) {
    const runId = await invoke(server);
    await until(
      async () => (await ask(server.url, "GET", `/v2/runs/${runId}`)).json,
      (json) => look(json, "data.status") === "COMPLETED",
    );
    await until(
      () => metric("pawl_otlp_spans_dropped_total"),
      (found) => found === before + dropped,
    );
  }
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]?.message ?? "", /do not reach the OTLP collector at http:\/\/127/);
  assert.ok(!JSON.stringify(warnings).includes(secret));
});

test("calls to apps carry the trace context of run and step", async () => {
  const runId = await invoke(server);
  await spansOf(runId);
  const headers = app.headers.at(-1);
  assert.equal(headers?.["traceparent"], `00-${traceIdOf(runId)}-${spanIdOf(runId, "run")}-01`);
  assert.match(
    String(headers?.["tracestate"]),
    /^inngest@app=[\w-]+,inngest@fn=[\w-]+,inngest@traceref=(step|[0-9a-f]{40})\.0$/,
  );
});

test("a collector that is down or never answers leaves the server as it is, and lets it stop", async () => {
  process.env["OTEL_EXPORTER_OTLP_TIMEOUT"] = "300";
  const down = await startCollectorStub();
  await down.close();
  const slow = await startCollectorStub();
  slow.reply = () => new Promise(() => undefined);
  app.answerCall = () => ({ status: 200, body: "1" });
  try {
    for (const { url } of [down, slow]) {
      const other = await start(url);
      app.serverUrl = other.url;
      await register(app, "shop");
      for (let n = 0; n < 5; n += 1) {
        const runId = await invoke(other);
        await until(
          async () => (await ask(other.url, "GET", `/v2/runs/${runId}`)).json,
          (json) => look(json, "data.status") === "COMPLETED",
        );
      }
      await until(
        async () => (await fetch(`${other.url}/metrics`)).text(),
        (text) => /^pawl_otlp_spans_dropped_total 5$/m.test(text),
      );
      await other.close();
    }
  } finally {
    delete process.env["OTEL_EXPORTER_OTLP_TIMEOUT"];
    await slow.close();
  }
});

test("a server that stops sends what waits", async () => {
  const other = await start();
  app.serverUrl = other.url;
  await register(app, "shop");
  app.answerCall = () => ({ status: 200, body: "1" });
  const runId = await invoke(other);
  await until(
    async () => (await ask(other.url, "GET", `/v2/runs/${runId}`)).json,
    (json) => look(json, "data.status") === "COMPLETED",
  );
  await other.close();
  assert.equal(collector.spans.filter(({ traceId }) => traceId === traceIdOf(runId)).length, 1);
});
