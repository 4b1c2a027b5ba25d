// Responses as apps, proxies and broken connections give them.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Answer } from "./answer.ts";
import { answerBytesMax, answerFromHttp, failedAnswer, type HttpAnswer } from "./answer-wire.ts";

const now = Date.UTC(2026, 10, 21, 10);
const hash = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8";
const js = { "x-inngest-sdk": "js:v4.24.0", "x-inngest-req-version": "2" };
const go = { "x-inngest-sdk": "go:v0.16.0" };

function answer(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = js,
  more: Partial<HttpAnswer> = {},
): Answer {
  return answerFromHttp({ status, body, header: (name) => headers[name] ?? null, now, ...more });
}

function failed(got: Answer) {
  assert.ok(got.kind === "failed", JSON.stringify(got));
  // proof: errors are written as objects; the fields are asserted below
  const error = JSON.parse(got.error) as Record<string, unknown>;
  assert.equal(typeof error["name"], "string");
  assert.equal(typeof error["message"], "string");
  return { ...got, error };
}

function opcodes(got: Answer) {
  assert.ok(got.kind === "opcodes", JSON.stringify(got));
  return got;
}

test("200: the result as it arrived", () => {
  assert.deepEqual(answer(200, ' { "n" : 1.0 }\n'), {
    kind: "completed",
    memo: '{"data":{ "n" : 1.0 }}',
    requestVersion: 2,
  });
  assert.deepEqual(answer(200, "null", go), {
    kind: "completed",
    memo: '{"data":null}',
    requestVersion: null,
  });
  assert.deepEqual(answer(200, ""), {
    kind: "completed",
    memo: '{"data":null}',
    requestVersion: 2,
  });
});

test("206: an array or one opcode", () => {
  const run = { op: "StepRun", id: hash, data: 1 };
  const got = opcodes(answer(206, JSON.stringify([run])));
  assert.equal(got.opcodes[0]?.op, "StepRun");
  assert.equal(got.retryAfterMs, null);
  assert.equal(got.requestVersion, 2);
  assert.equal(opcodes(answer(206, '{"op":"RunComplete","data":1}')).opcodes[0]?.op, "RunComplete");
});

test("206: the headers about retries speak of its one step error", () => {
  const error = { op: "StepError", id: hash, error: { name: "E", message: "m" } };
  const run = { op: "StepRun", id: hash, data: 1 };
  const noRetry = (list: readonly object[], value: string) =>
    opcodes(
      answer(206, JSON.stringify(list), {
        ...js,
        "x-inngest-no-retry": value,
        "retry-after": "30",
      }),
    ).opcodes.map((opcode) => (opcode.op === "StepError" ? opcode.noRetry : null));
  assert.deepEqual(noRetry([error], "true"), [true]);
  assert.deepEqual(noRetry([error], "false"), [false]);
  assert.deepEqual(noRetry([run, error], "TRUE"), [null, true]);
  assert.deepEqual(noRetry([error, error], "true"), [false, false]);
  const marked = { ...error, error: { ...error.error, noRetry: true } };
  assert.deepEqual(noRetry([marked], "false"), [false]);
  assert.deepEqual(noRetry([marked], "maybe"), [true]);
  assert.equal(
    opcodes(answer(206, JSON.stringify([error]), { ...js, "retry-after": "30" })).retryAfterMs,
    30_000,
  );
});

test("206: a malformed opcode is a retryable failure that names it", () => {
  const got = failed(answer(206, '[{"op":"Sleep","id":"x","name":"soon"}]'));
  assert.equal(got.error["code"], "opcode_invalid");
  assert.match(String(got.error["message"]), /^Opcode 0 \(Sleep\): name/);
  assert.equal(got.noRetry, false);
  assert.equal(got.requestVersion, 2);
});

test("error statuses: the header decides about the retry, without it all are retried", () => {
  const body =
    '{"name":"TypeError","message":"no","stack":"at x","cause":{"name":"C","message":"c"}}';
  for (const status of [400, 401, 404, 410, 418, 500, 502, 503]) {
    for (const [value, noRetry] of [
      ["true", true],
      ["false", false],
      ["", false],
    ] as const) {
      const got = answer(status, body, { ...js, "x-inngest-no-retry": value });
      assert.deepEqual(got, {
        kind: "failed",
        error: body,
        noRetry,
        retryAfterMs: null,
        requestVersion: 2,
      });
    }
  }
});

test("errors of each language come out whole", () => {
  const python = { code: "unknown", message: "no", name: "ValueError", stack: null };
  assert.deepEqual(
    failed(answer(500, JSON.stringify(python), { "x-inngest-sdk": "py:v0.5.18" })).error,
    python,
  );
  assert.deepEqual(failed(answer(410, '{"message":"function not found"}\n', go)).error, {
    name: "Error",
    message: "function not found",
  });
  const internal = {
    type: "internal",
    name: "Error",
    message: "m",
    stack: "s",
    __serialized: true,
  };
  assert.deepEqual(failed(answer(500, JSON.stringify(internal))).error, internal);
  assert.deepEqual(failed(answer(500, "")).error, {
    name: "Error",
    message: "The app answered with status 500.",
  });
  assert.deepEqual(failed(answer(500, "null")).error, {
    name: "Error",
    message: "The app answered with status 500.",
  });
  assert.deepEqual(failed(answer(500, "boom")).error, { name: "Error", message: "boom" });
});

test("a targeted step that was not met is an opcode", () => {
  const body = JSON.stringify({
    error: "Could not find step",
    requestedStep: hash,
    foundSteps: [],
    totalFoundSteps: 0,
  });
  const got = opcodes(answer(500, body, { ...js, "x-inngest-no-retry": "false" }));
  assert.deepEqual(
    got.opcodes.map(({ op, id }) => ({ op, id })),
    [{ op: "StepNotFound", id: hash }],
  );
});

test("what is no SDK is told apart, and retried", () => {
  const html = "<!doctype html><title>Sign in</title>";
  for (const [status, body, code] of [
    [200, "{}", "not_sdk"],
    [200, html, "not_sdk"],
    [204, "", "not_sdk"],
    [206, "[]", "not_sdk"],
    [201, html, "not_sdk"],
    [302, "", "http_not_ok"],
    [404, html, "http_not_ok"],
    [502, "", "http_not_ok"],
    [503, '{"message":"Service Unavailable"}', "http_not_ok"],
    [401, '{"message":"Unauthorized"}', "signature_refused"],
  ] as const) {
    const got = failed(answer(status, body, {}));
    assert.equal(got.error["code"], code, `${status} ${body}`);
    assert.equal(got.noRetry, false);
    assert.match(String(got.error["message"]), new RegExp(`${status}|Service Unavailable`));
  }
  assert.equal(failed(answer(404, html, {})).error["body"], html);
});

test("half a body, a web page, nothing, from an SDK's URL", () => {
  for (const [status, body] of [
    [200, '{"a":'],
    [200, "<html>"],
    [206, ""],
    [206, '[{"op":"StepRun"'],
    [206, "x"],
  ] as const) {
    const got = failed(answer(status, body));
    assert.equal(got.error["code"], "http_not_json");
    assert.equal(got.noRetry, false);
  }
  assert.equal(failed(answer(202, "{}")).error["code"], "http_not_ok");
  assert.equal(failed(answer(206, "5")).error["code"], "opcode_invalid");
});

test("an answer over the limit fails for good, and says which limit", () => {
  const got = failed(answer(200, `"${"é".repeat(10)}"`, js, { bodyBytesMax: 21 }));
  assert.equal(got.error["code"], "output_too_large");
  assert.match(String(got.error["message"]), /21 bytes \(limit answerBytesMax\)/);
  assert.equal(got.noRetry, true);
  assert.equal(answer(200, `"${"é".repeat(10)}"`, js, { bodyBytesMax: 22 }).kind, "completed");
  assert.equal(
    failed(answer(200, "x".repeat(answerBytesMax + 1))).error["code"],
    "output_too_large",
  );
});

test("retry-after: seconds, ISO and HTTP dates, between 1 s and 24 h", () => {
  const after = (value: string) =>
    failed(answer(500, "{}", { ...js, "retry-after": value })).retryAfterMs;
  assert.equal(after("30"), 30_000);
  assert.equal(after(" 1.5 "), 1_500);
  assert.equal(after("0"), 1_000);
  assert.equal(after("9999999"), 86_400_000);
  assert.equal(after("2026-11-21T10:01:00.000Z"), 60_000);
  assert.equal(after("2026-11-21T12:01:00+02:00"), 60_000);
  assert.equal(after("Sat, 21 Nov 2026 10:01:00 GMT"), 60_000);
  assert.equal(after("2020-01-01T00:00:00Z"), 1_000);
  assert.equal(after("2030-01-01T00:00:00Z"), 86_400_000);
  for (const odd of ["", "soon", "-5", "1h", "Someday, GMT"]) assert.equal(after(odd), null, odd);
});

test("the request version is a small whole number or none", () => {
  for (const [text, version] of [
    ["2", 2],
    ["-1", -1],
    ["0", 0],
    ["", null],
    ["x", null],
    ["2.5", null],
  ] as const) {
    const got = answer(200, "1", { "x-inngest-sdk": "js", "x-inngest-req-version": text });
    assert.equal(got.requestVersion, version);
  }
});

test("201 of TypeScript and Python: heartbeats, then the answer with its body as text", () => {
  const stream = (inner: object) => `  \n ${JSON.stringify(inner)}`;
  assert.deepEqual(answer(201, stream({ status: 200, headers: {}, body: '{"a":"b"}' })), {
    kind: "completed",
    memo: '{"data":{"a":"b"}}',
    requestVersion: 2,
  });
  assert.deepEqual(answer(201, stream({ status: 200, body: '"text"' })), {
    kind: "completed",
    memo: '{"data":"text"}',
    requestVersion: 2,
  });
  const ops = opcodes(
    answer(
      201,
      stream({ status: 206, body: JSON.stringify([{ op: "StepRun", id: hash, data: 1 }]) }),
    ),
  );
  assert.equal(ops.opcodes[0]?.op, "StepRun");
  const error = failed(
    answer(
      201,
      stream({
        status: 400,
        headers: {
          "X-Inngest-No-Retry": "true",
          "Retry-After": "30",
          "x-inngest-req-version": "1",
        },
        body: '{"name":"E","message":"m"}',
      }),
    ),
  );
  assert.deepEqual([error.noRetry, error.retryAfterMs, error.requestVersion], [true, 30_000, 1]);
  assert.deepEqual(error.error, { name: "E", message: "m" });
});

test("201 of Go: the body is JSON itself, and a text is a text", () => {
  const stream = (text: string) => answer(201, `   ${text}\n`, go);
  assert.deepEqual(
    stream('{"status":200,"body":{ "n" : 1.0 },"retryAt":null,"noRetry":false,"headers":null}'),
    {
      kind: "completed",
      memo: '{"data":{ "n" : 1.0 }}',
      requestVersion: null,
    },
  );
  assert.deepEqual(stream('{"status":200,"body":"5"}'), {
    kind: "completed",
    memo: '{"data":"5"}',
    requestVersion: null,
  });
  assert.equal(
    opcodes(stream(`{"status":206,"body":[{"op":"StepRun","id":"${hash}"}]}`)).opcodes.length,
    1,
  );
  const error = failed(
    stream(
      '{"status":500,"body":"error calling function: no","noRetry":true,"retryAt":"2026-11-21T10:01:00Z"}',
    ),
  );
  assert.equal(error.error["message"], "error calling function: no");
  assert.deepEqual([error.noRetry, error.retryAfterMs], [true, 60_000]);
});

test("201: a step not found, and streams that end too early", () => {
  const inner = {
    status: 500,
    body: JSON.stringify({ error: "x", requestedStep: hash, foundSteps: [] }),
  };
  assert.equal(opcodes(answer(201, JSON.stringify(inner))).opcodes[0]?.op, "StepNotFound");
  for (const body of [
    "",
    "     ",
    '  {"status":200,"bo',
    "[]",
    "{}",
    '{"status":"200"}',
    '{"status":201,"body":"1"}',
    '{"status":2.5}',
  ]) {
    const got = failed(answer(201, body));
    assert.equal(got.error["code"], "stream_invalid", body);
    assert.equal(got.noRetry, false);
  }
  assert.equal(failed(answer(201, '{"status":200,"body":1}', {})).error["code"], "not_sdk");
});

test("drivers speak the same failures", () => {
  assert.deepEqual(
    failedAnswer({
      code: "http_unreachable",
      message: "No connection.",
      details: { url: "http://x" },
    }),
    {
      kind: "failed",
      error:
        '{"name":"Error","message":"No connection.","code":"http_unreachable","url":"http://x"}',
      noRetry: false,
      retryAfterMs: null,
      requestVersion: null,
    },
  );
});

test("nothing that answers makes it throw, and what it yields is JSON", () => {
  const pieces = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    '"op"',
    '"status"',
    '"body"',
    ":",
    ",",
    "200",
    "206",
    '"StepRun"',
    "null",
    '"',
    "\ud800",
  );
  const body = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.array(pieces).map((parts) => parts.join("")),
  );
  const header = fc.constantFrom("", "true", "js", "5", "x");
  fc.assert(
    fc.property(
      fc.constantFrom(100, 200, 201, 204, 206, 302, 401, 500, 999),
      body,
      header,
      fc.boolean(),
      (status, text, value, sdk) => {
        const got = answerFromHttp({
          status,
          body: text,
          header: (name) => (name === "x-inngest-sdk" && !sdk ? null : value),
          now,
        });
        if (got.kind === "completed") JSON.parse(got.memo);
        if (got.kind === "failed") failed(got);
      },
    ),
    { numRuns: 3_000 },
  );
});
