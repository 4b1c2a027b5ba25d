// Runs of durable endpoints as the TypeScript SDK tells of them, and what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readEndpointRequest, readEndpointRun, readEndpointSteps } from "./endpoint-wire.ts";
import { ProtocolError } from "./protocol-error.ts";

const runId = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const data = {
  content_type: "application/json",
  domain: "https://shop.example:8443",
  ip: "10.0.0.1",
  method: "post",
  path: "/buy/1%20a",
  query_params: "a=1&b=%C3%A9",
  body: '{"n":1}',
  fn: "",
};

function body(more: object = {}, dataMore: object = {}): string {
  const event = { name: "inngest/http.request", data: { ...data, ...dataMore } };
  return JSON.stringify({
    run_id: runId,
    event,
    steps: [],
    ts: 5,
    request_version: 2,
    retries: 3,
    ...more,
  });
}

function codeOf(text: string, bytesMax = 10_000): string {
  try {
    readEndpointRun(text, bytesMax);
    return "ok";
  } catch (error) {
    assert.ok(error instanceof ProtocolError, String(error));
    return error.code;
  }
}

test("a request as the SDK tells of it", () => {
  const { opcodes, data: kept, ...rest } = readEndpointRun(body(), 10_000);
  assert.deepEqual(rest, {
    runId,
    ts: 5,
    requestVersion: 2,
    retries: 3,
    request: {
      origin: "https://shop.example:8443",
      method: "POST",
      path: "/buy/1%20a",
      query: "a=1&b=%C3%A9",
      body: '{"n":1}',
      contentType: "application/json",
      functionId: null,
    },
  });
  assert.deepEqual(opcodes, []);
  assert.deepEqual(readEndpointRequest(kept), rest.request, "what is kept says the same");
});

test("steps, the name that the app gave, and an SDK that says less", () => {
  const steps = [
    { id: "a", op: "StepRun", data: 1 },
    { op: "SyncRunComplete", data: { a: 1 } },
  ];
  const run = readEndpointRun(
    body({ steps, ts: null, retries: null, request_version: null }, { fn: "buy" }),
    10_000,
  );
  assert.equal(run.request.functionId, "buy");
  assert.deepEqual([run.ts, run.retries, run.requestVersion], [null, null, 1]);
  assert.deepEqual(
    run.opcodes.map(({ op }) => op),
    ["StepRun", "RunComplete"],
  );
  assert.deepEqual(
    readEndpointSteps(JSON.stringify({ steps })).map(({ op }) => op),
    ["StepRun", "RunComplete"],
  );
});

test("what is refused", () => {
  assert.equal(codeOf("{"), "json_invalid");
  assert.equal(codeOf("[]"), "checkpoint_invalid");
  assert.equal(codeOf(body({ run_id: "run" })), "checkpoint_invalid");
  assert.equal(codeOf(body({ event: null })), "checkpoint_invalid");
  assert.equal(codeOf(body({ event: { name: "order/paid", data } })), "checkpoint_invalid");
  assert.equal(codeOf(body({ retries: -1 })), "checkpoint_invalid");
  assert.equal(codeOf(body({ steps: 1 })), "checkpoint_invalid");
  assert.equal(codeOf(body({ steps: [{ op: "Sleep", id: "x", name: "soon" }] })), "opcode_invalid");
  assert.equal(codeOf(body(), 100), "event_too_large");
  const wrong: readonly object[] = [
    { method: "" },
    { method: "GET /" },
    { path: "" },
    { path: "buy" },
    { path: "/a b" },
    { path: "/a\r\nx: y" },
    { path: `/${"x".repeat(2_048)}` },
    { query_params: "a b" },
    { content_type: "a\nb: c" },
    { domain: "" },
    { domain: "shop.example" },
    { domain: "file:///etc" },
    { domain: "http://user:secret@shop.example" },
    { body: 1 },
    { fn: "x".repeat(257) },
  ];
  for (const part of wrong)
    assert.equal(codeOf(body({}, part)), "checkpoint_invalid", JSON.stringify(part));
});

test("any body is read or refused with a code", () => {
  const value = fc.dictionary(
    fc.constantFrom("run_id", "event", "steps", "ts", "retries"),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        value.map((json) => JSON.stringify(json)),
        fc.string(),
      ),
      (text) => {
        codeOf(text);
      },
    ),
  );
});
