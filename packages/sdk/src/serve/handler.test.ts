// The handler over plain requests: registration, introspection, signatures, failure handlers,
// middleware, large runs. The node adapter is tested over a real socket.
import assert from "node:assert/strict";
import { test } from "node:test";
import { signRequest, verifySignature, hashSigningKey } from "@pawl/protocol/signature";
import { serve } from "../adapters/fetch.ts";
import { Pawl } from "../client/pawl.ts";
import type { Middleware } from "../middleware.ts";
import {
  FakeWorld,
  callFunction,
  callRequest,
  devClient,
  sampleEvent,
  silentLogger,
  parseAs,
} from "../test-kit.ts";
import { createHandler } from "./handler.ts";

const key = "signkey-test-0123456789abcdef";
const fallback = "signkey-test-fedcba9876543210";
const url = "http://app.test/api/pawl";

function cloud(options: { signingKey?: string } = { signingKey: key }) {
  const world = new FakeWorld();
  world.answer = () => Response.json({ ok: true, modified: true });
  const client = new Pawl({
    id: "app",
    ...options,
    signingKeyFallback: fallback,
    runtime: world.runtime,
    logger: silentLogger,
  });
  const fn = client.createFunction({ id: "f" }, { event: "go" }, () => "fine");
  const handle = createHandler("test", { client, functions: [fn] });
  const { body, url: callUrl } = callRequest(fn);
  const ask = (method: string, signature: string | null, more: Record<string, string> = {}) =>
    handle({
      method,
      url: method === "POST" ? callUrl : url,
      body: method === "POST" ? body : "",
      header: (name) => (name === "x-inngest-signature" ? signature : (more[name] ?? null)),
    });
  const sign = (signingKey: string, signed: string, at = world.now) =>
    signRequest({ key: signingKey, body: signed, at });
  return { world, ask, sign, body };
}

test("a signed call is answered, and the answer is signed", async () => {
  const { world, ask, sign, body } = cloud();
  const answer = await ask("POST", sign(key, body));
  assert.deepEqual([answer.status, answer.body], [200, '"fine"']);
  const header = answer.headers["x-inngest-signature"] ?? "";
  verifySignature({ keys: [key], header, body: answer.body, now: world.now, canonical: false });
  assert.equal(answer.headers["x-inngest-sdk"], "pawl-js:v0.1.0");
});

test("the fallback key is accepted, too, and signs the answer that it asked for", async () => {
  const { world, ask, sign, body } = cloud();
  const answer = await ask("POST", sign(fallback, body));
  assert.equal(answer.status, 200);
  const header = answer.headers["x-inngest-signature"] ?? "";
  verifySignature({
    keys: [fallback],
    header,
    body: answer.body,
    now: world.now,
    canonical: false,
  });
});

test("unsigned, wrongly signed and outdated requests are refused, and learn nothing", async () => {
  const { world, ask, sign, body } = cloud();
  const signatures = [
    null,
    "garbage",
    sign("signkey-test-00", body),
    sign(key, `${body} `.replace("go", "no")),
    sign(key, body, world.now - 301_000),
    sign(key, body, world.now + 302_000),
  ];
  for (const signature of signatures) {
    for (const method of ["POST", "PUT", "GET"]) {
      const answer = await ask(method, signature);
      assert.equal(answer.status, 401, `${method} ${signature}`);
      assert.equal(answer.headers["x-inngest-sdk"], undefined);
      assert.equal(answer.headers["x-inngest-sdk-handled"], "true");
    }
  }
});

test("without a signing key outside of dev mode every method is an error", async () => {
  const world = new FakeWorld();
  const client = new Pawl({ id: "app", runtime: world.runtime, logger: silentLogger });
  const handle = createHandler("test", { client, functions: [] });
  for (const method of ["GET", "PUT", "POST"]) {
    const answer = await handle({ method, url, body: "", header: () => null });
    assert.deepEqual([answer.status, answer.body], [500, '{"code":"internal_server_error"}']);
  }
});

test("an authentic GET tells all, keys only by fingerprint", async () => {
  const { ask, sign } = cloud();
  const answer = await ask("GET", sign(key, ""));
  const told = parseAs<Record<string, unknown>>(answer.body);
  assert.equal(told["authentication_succeeded"], true);
  assert.equal(told["signing_key_hash"], hashSigningKey(key).slice(0, 12));
  assert.equal(answer.body.includes("0123456789abcdef"), false);
});

test("PUT registers with the key, and again with the fallback when refused", async () => {
  const { world, ask, sign } = cloud();
  world.answer = (_, index) =>
    index === 0 ? new Response("{}", { status: 401 }) : Response.json({ ok: true, modified: true });
  const answer = await ask("PUT", sign(key, ""), { "x-inngest-server-kind": "cloud" });
  assert.deepEqual(JSON.parse(answer.body), { message: "Successfully registered", modified: true });
  assert.deepEqual(
    world.sent.map((each) => each.headers["authorization"]),
    [`Bearer ${hashSigningKey(key)}`, `Bearer ${hashSigningKey(fallback)}`],
  );
  assert.equal(world.sent[0]?.headers["x-inngest-expected-server-kind"], "cloud");
  assert.equal(world.sent[0]?.url, "http://localhost:8288/fn/register");
});

test("a refused registration is told", async () => {
  const { world, ask, sign } = cloud();
  world.answer = () => Response.json({ error: "bad cron" }, { status: 400 });
  const answer = await ask("PUT", sign(key, ""));
  assert.equal(answer.status, 500);
  assert.match(answer.body, /bad cron/);
});

test("a whole definition in the words of the registration", async () => {
  const world = new FakeWorld();
  const client = devClient(world);
  const fn = client.createFunction(
    {
      id: "all",
      name: "All of it",
      retries: 2,
      concurrency: [{ limit: 5, key: "event.data.id", scope: "env" }],
      throttle: { limit: 1, period: "1m", burst: 2 },
      debounce: { period: 90_000, timeout: "1h" },
      cancelOn: [{ event: "stop", match: "data.id", timeout: "1d" }],
      timeouts: { finish: "2h" },
      singleton: { mode: "skip", key: "event.data.id" },
      onFailure: () => undefined,
      triggers: [
        { event: "go", if: "event.data.n > 1" },
        { cron: "TZ=Europe/Paris 0 9 * * 1", jitter: "30s" },
      ],
    },
    () => null,
  );
  const handle = createHandler("test", { client, functions: [fn] });
  const header = (name: string) => (name === "x-inngest-sync-kind" ? "in_band" : null);
  const answer = await handle({
    method: "PUT",
    url: `${url}?x=1`,
    body: '{"url":"http://seen.test/here"}',
    header,
  });
  const told = parseAs<{
    app_id: string;
    url: string;
    functions: [unknown, { triggers: unknown }];
  }>(answer.body);
  assert.equal(answer.headers["x-inngest-sync-kind"], "in_band");
  assert.deepEqual([told.app_id, told.url], ["app", "http://seen.test/here"]);
  assert.deepEqual(told.functions[0], {
    id: "app-all",
    name: "All of it",
    triggers: [
      { event: "go", expression: "event.data.n > 1" },
      { cron: "TZ=Europe/Paris 0 9 * * 1", jitter: "30s" },
    ],
    steps: {
      step: {
        id: "step",
        name: "step",
        runtime: { type: "http", url: "http://seen.test/here?fnId=app-all&stepId=step" },
        retries: { attempts: 2 },
      },
    },
    concurrency: [{ limit: 5, key: "event.data.id", scope: "env" }],
    throttle: { limit: 1, period: "1m", burst: 2 },
    debounce: { period: "1m30s", timeout: "1h" },
    cancel: [{ event: "stop", if: "event.data.id == async.data.id", timeout: "1d" }],
    timeouts: { finish: "2h" },
    singleton: { mode: "skip", key: "event.data.id" },
  });
  assert.deepEqual(told.functions[1].triggers, [
    { event: "inngest/function.failed", expression: "event.data.function_id == 'app-all'" },
  ]);
});

test("onFailure gets the error and the event that started the run", async () => {
  const world = new FakeWorld();
  const client = devClient(world);
  const fn = client.createFunction(
    {
      id: "f",
      onFailure: ({ error, originalEvent, event, functionId }) => [
        error.name,
        error.message,
        originalEvent.data["at"] instanceof Date,
        event.data.run_id,
        functionId,
      ],
    },
    { event: "go" },
    () => null,
  );
  const event = {
    ...sampleEvent,
    name: "inngest/function.failed",
    data: {
      function_id: "app-f",
      run_id: "01R",
      error: { name: "TypeError", message: "broke" },
      event: {
        ...sampleEvent,
        data: { at: "1970-01-01T00:00:00.000Z" },
        meta: { types: { "/at": "date" } },
      },
    },
  };
  const answer = await callFunction(client, fn, { event, slug: "app-f-failure" });
  assert.deepEqual(answer.value, ["TypeError", "broke", true, "01R", "f"]);
});

test("middleware: order of hooks, additions, inputs and outputs", async () => {
  const world = new FakeWorld();
  const lines: string[] = [];
  const hooks = (name: string): Middleware => ({
    name,
    init: () => void lines.push(`init ${name}`),
    onFunctionStart: () => void lines.push(`start ${name}`),
    onFunctionEnd: () => void lines.push(`end ${name}`),
    onStepStart: ({ id }) => void lines.push(`step ${name} ${id}`),
    onStepEnd: () => void lines.push(`stepped ${name}`),
    transformInput: (_, args) => args.map((arg) => `${String(arg)}${name}`),
    transformOutput: (_, value) => `${String(value)}<${name}`,
  });
  const client = new Pawl({
    id: "app",
    isDev: true,
    runtime: world.runtime,
    middleware: [
      { ...hooks("1"), context: () => ({ user: "ann", level: 1 }) },
      { ...hooks("2"), context: () => ({ level: "two" }) },
    ],
  });
  const fn = client.createFunction({ id: "f" }, { event: "go" }, ({ step, user, level }) =>
    step.run("a", (text: string) => `${text} ${user} ${level}`, "x"),
  );
  const answer = await callFunction(client, fn);
  assert.equal((answer.value as [{ data: string }])[0].data, "x12 ann two<2<1"); // proof: one StepRun
  assert.deepEqual(lines, [
    "init 1",
    "init 2",
    "start 1",
    "start 2",
    "step 1 a",
    "step 2 a",
    "stepped 2",
    "stepped 1",
  ]);
  lines.length = 0;
  await callFunction(client, fn, { steps: { a: { data: "y" } } });
  assert.deepEqual(lines, ["start 1", "start 2", "end 2", "end 1"]);
});

test("what was too large to be pushed is fetched", async () => {
  const world = new FakeWorld();
  const client = devClient(world);
  const fn = client.createFunction({ id: "f" }, { event: "go" }, async ({ events, step }) => [
    events.length,
    await step.run("a", () => "not run"),
  ]);
  const memo = callRequest(fn, { steps: { a: { data: "kept" } } }).body;
  world.answer = ({ url: asked }) =>
    Response.json(
      asked.endsWith("/batch")
        ? [sampleEvent, sampleEvent]
        : parseAs<{ steps: unknown }>(memo).steps,
    );
  const answer = await callFunction(client, fn, { ctx: { use_api: true } });
  assert.deepEqual(answer.value, [2, "kept"]);
});

test("garbage instead of a call is an error that may be retried", async () => {
  const world = new FakeWorld();
  const client = devClient(world);
  const fn = client.createFunction({ id: "f" }, { event: "go" }, () => null);
  const handle = createHandler("test", { client, functions: [fn] });
  for (const body of ["", "<html>", "[]", '{"ctx":{}}']) {
    const answer = await handle({
      method: "POST",
      url: `${url}?fnId=app-f`,
      body,
      header: () => null,
    });
    assert.equal(answer.status, 500);
    assert.equal(parseAs<{ name: string }>(answer.body).name, "PawlError");
  }
  const unknown = await handle({
    method: "POST",
    url: `${url}?fnId=app-x`,
    body: "{}",
    header: () => null,
  });
  assert.deepEqual([unknown.status, unknown.headers["x-inngest-no-retry"]], [404, undefined]);
  assert.equal((await handle({ method: "PATCH", url, body: "", header: () => null })).status, 405);
});

test("the fetch adapter carries status, headers and body both ways", async () => {
  const world = new FakeWorld();
  const client = devClient(world);
  const fn = client.createFunction({ id: "f" }, { event: "go" }, () => ({ ä: 1 }));
  const { url: callUrl, body } = callRequest(fn);
  const answer = await serve({ client, functions: [fn] })(
    new Request(callUrl, { method: "POST", body }),
  );
  assert.equal(answer.headers.get("x-inngest-framework"), "fetch");
  assert.deepEqual(await answer.json(), { ä: 1 });
});
