import assert from "node:assert/strict";
import { test } from "node:test";
import type { StepTools } from "./step-tools.ts";
import { callFunction, devClient, FakeWorld, opsOf } from "../test-kit.ts";

type Body = (step: StepTools) => Promise<unknown>;

async function call(body: Body, steps: Readonly<Record<string, unknown>> = {}) {
  const client = devClient(new FakeWorld());
  const fn = client.createFunction({ id: "f" }, { event: "go" }, ({ step }) => body(step));
  const { value } = await callFunction(client, fn, { steps });
  return value;
}

interface Op {
  readonly op: string;
  readonly opts: Readonly<Record<string, unknown>>;
}

async function only(body: Body): Promise<Op> {
  const value = await call(body);
  const ops = value as readonly Op[]; // proof: an answer with opcodes
  assert.equal(ops.length, 1, JSON.stringify(value));
  const [op] = ops;
  assert.ok(op);
  return op;
}

test("step.fetch asks the server for a request with method, headers, body and retries", async () => {
  const op = await only((step) =>
    step.fetch({ id: "pay", retries: 2 }, new URL("https://a.test/x?y=1"), {
      method: "POST",
      headers: [["X-A", "1"]],
      body: "text",
    }),
  );
  assert.equal(op.op, "Gateway");
  assert.deepEqual(op.opts, {
    url: "https://a.test/x?y=1",
    method: "POST",
    headers: { "x-a": "1" },
    body: "text",
    retries: 2,
  });
  const form = await only((step) =>
    step.fetch("f", "https://a.test", { method: "POST", body: new URLSearchParams({ a: "b c" }) }),
  );
  assert.deepEqual(form.opts["body"], "a=b+c");
  assert.match(JSON.stringify(form.opts["headers"]), /x-www-form-urlencoded/);
  assert.deepEqual((await only((step) => step.fetch("f", "https://a.test"))).opts, {
    url: "https://a.test",
    method: "GET",
    headers: {},
  });
});

test("what was recorded is a Response, the same on each replay", async () => {
  const data = {
    url: "https://a.test/y",
    headers: { "content-type": "application/json", "x-a": "1" },
    body: '{"n":1}',
    status_code: 404,
  };
  const read: Body = async (step) => {
    const response = await step.fetch("get", "https://a.test/x");
    return [
      response instanceof Response,
      response.status,
      response.ok,
      response.url,
      response.headers.get("x-a"),
      await response.json(),
    ];
  };
  for (let n = 0; n < 2; n++)
    assert.deepEqual(await call(read, { get: { data } }), [
      true,
      404,
      false,
      "https://a.test/y",
      "1",
      { n: 1 },
    ]);
});

test("responses without a body, of bytes, and with unusual statuses", async () => {
  const look = (data: object): Promise<unknown> =>
    call(
      async (step) => {
        const response = await step.fetch("get", "https://a.test");
        return [response.status, [...new Uint8Array(await response.arrayBuffer())]];
      },
      { get: { data } },
    );
  assert.deepEqual(await look({ status_code: 204, body: null, headers: {} }), [204, []]);
  assert.deepEqual(await look({ status_code: 200, body: "/wA=", body_encoding: "base64" }), [
    200,
    [255, 0],
  ]);
  assert.deepEqual(await look({ status_code: 999, body: "a" }), [999, [97]]);
});

test("what cannot be sent is refused before the server hears of it", async () => {
  const message = (body: Body): Promise<unknown> =>
    call((step) => body(step).catch((error: unknown) => String(error)));
  assert.match(
    String(await message((step) => step.fetch("f", "/relative"))),
    /Step "f" needs an absolute URL/,
  );
  assert.match(
    String(
      await message(
        (step) =>
          step.fetch("f", "https://a.test", { body: new Uint8Array() as unknown as string }), // proof: a mistake on purpose
      ),
    ),
    /text or URLSearchParams/,
  );
  assert.match(
    String(
      await message((step) => step.ai.infer("f", { model: { format: "openai-chat" }, body: {} })),
    ),
    /needs a model with a URL/,
  );
});

test("step.ai.infer sends model and body, completed by the model's own hook", async () => {
  const body: { readonly messages: readonly string[] } = { messages: [] };
  const model = {
    format: "anthropic",
    url: "https://ai.test/v1/messages",
    authKey: "sk-1",
    headers: { "anthropic-version": "2023-06-01" },
    onCall: (_model: unknown, given: { model?: string }) => {
      given.model ??= "opus";
    },
  };
  const op = await only((step) => step.ai.infer("ask", { model, body }));
  assert.equal(op.op, "AIGateway");
  assert.deepEqual(op.opts, {
    type: "step.ai.infer",
    url: model.url,
    headers: model.headers,
    auth_key: "sk-1",
    format: "anthropic",
    body: { messages: [], model: "opus" },
  });
  assert.deepEqual(body, { messages: [] }, "what the function has stays as it is");
  const answer = { choices: [1] };
  assert.deepEqual(
    await call((step) => step.ai.infer("ask", { model, body }), { ask: { data: answer } }),
    answer,
  );
});

test("a request that failed for good throws a StepError with its name", async () => {
  const error = { name: "AIGatewayError", message: "no", code: "gateway_status" };
  const model = { format: "grok", url: "https://ai.test" } as const;
  const seen = await call(
    (step) =>
      step.ai.infer("ask", { model, body: {} }).catch((thrown: unknown) => {
        assert.ok(thrown instanceof Error);
        return `${thrown.constructor.name} ${thrown.name} ${thrown.message}`;
      }),
    { ask: { error } },
  );
  assert.equal(seen, "StepError AIGatewayError no");
});

test("beside other steps they are found together; ai.wrap runs code", async () => {
  const value = await call((step) =>
    Promise.all([
      step.fetch("a", "https://a.test"),
      step.run("b", () => 1),
      step.ai.wrap("c", (n: number) => n, 1),
    ]),
  );
  assert.deepEqual(opsOf(value), ["Gateway a", "StepPlanned b", "StepPlanned c"]);
  const wrapped = await only((step) => step.ai.wrap("c", (n: number) => n + 1, 1));
  assert.deepEqual([wrapped.op, wrapped.opts], ["StepRun", { type: "step.ai.wrap", input: [1] }]);
});
