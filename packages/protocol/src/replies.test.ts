// Answers recorded from published SDKs (`fixtures/`), read as a driver would.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Answer } from "./answer.ts";
import { answerFromHttp } from "./answer-wire.ts";

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const now = Date.UTC(2026, 10, 21, 10);

function replies(name: string): (reply: string) => Answer {
  const url = new URL(`../fixtures/${name}.json`, import.meta.url);
  // proof: the fixture has this shape
  const recorded = JSON.parse(readFileSync(url, "utf8")) as Readonly<Record<string, Reply>>;
  return (reply) => {
    const found = recorded[reply];
    assert.ok(found, reply);
    const { status, headers, body } = found;
    return answerFromHttp({ status, body, header: (header) => headers[header] ?? null, now });
  };
}

const sameEverywhere = new Set(
  "id displayName userId userIndex race stepType opts retries startedAt endedAt".split(" "),
);

/** The opcodes of an answer without the fields that are the same everywhere. */
function summary(answer: Answer): unknown {
  assert.ok(answer.kind === "opcodes", JSON.stringify(answer));
  assert.equal(answer.requestVersion, 2);
  return answer.opcodes.map((opcode) =>
    Object.fromEntries(
      Object.entries(opcode)
        .filter(([field]) => !sameEverywhere.has(field))
        .map(([field, value]) => [field, field === "error" ? message(String(value)) : value]),
    ),
  );
}

function message(error: string): unknown {
  // proof: errors are written as objects
  const { name, message: text } = JSON.parse(error) as { name: unknown; message: unknown };
  return `${String(name)}: ${String(text)}`;
}

function failure(answer: Answer): unknown {
  assert.ok(answer.kind === "failed", JSON.stringify(answer));
  const { noRetry, retryAfterMs } = answer;
  return { noRetry, retryAfterMs, error: message(answer.error) };
}

test("TypeScript", () => {
  const js = replies("replies-js-4.24");
  assert.deepEqual(summary(js("run")), [{ op: "StepRun", memo: '{"data":{"big":1}}' }]);
  assert.deepEqual(summary(js("planned")), [
    { op: "StepPlanned" },
    { op: "Sleep", until: { forMs: 3_600_000 } },
    {
      op: "WaitForEvent",
      event: "paid",
      expression: "async.data.x==event.data.x",
      timeout: { forMs: 86_400_000 },
      lookback: null,
    },
  ]);
  const stepError = js("stepError");
  assert.deepEqual(summary(stepError), [
    { op: "StepError", noRetry: false, error: "RetryAfterError: no" },
  ]);
  assert.ok(stepError.kind === "opcodes" && stepError.retryAfterMs === 60_000);
  assert.deepEqual(summary(js("stepFailed")), [
    { op: "StepFailed", error: "NonRetriableError: never" },
  ]);
  assert.deepEqual(summary(js("stepNotFound")), [{ op: "StepNotFound" }]);
  assert.deepEqual(js("return"), { kind: "completed", memo: '{"data":"text"}', requestVersion: 2 });
  assert.deepEqual(failure(js("functionError")), {
    noRetry: false,
    retryAfterMs: null,
    error: "TypeError: oops",
  });
  assert.deepEqual(failure(js("functionFailed")), {
    noRetry: true,
    retryAfterMs: null,
    error: "NonRetriableError: never",
  });
});

test("Python", () => {
  const py = replies("replies-py-0.5.18");
  assert.deepEqual(summary(py("run")), [{ op: "StepRun", memo: '{"data":{"big": 1}}' }]);
  assert.deepEqual(summary(py("planned")), [
    { op: "StepPlanned" },
    { op: "Sleep", until: { forMs: 3_600_000 } },
    {
      op: "WaitForEvent",
      event: "paid",
      expression: "true",
      timeout: { forMs: 86_400_000 },
      lookback: null,
    },
    {
      op: "InvokeFunction",
      functionSlug: "shop-x",
      data: '{"a": 1}',
      user: null,
      version: null,
      meta: null,
      timeout: null,
      onCancel: null,
    },
  ]);
  assert.deepEqual(summary(py("stepError")), [
    { op: "StepError", noRetry: true, error: "NonRetriableError: never" },
  ]);
  assert.deepEqual(py("return"), { kind: "completed", memo: '{"data":"text"}', requestVersion: 2 });
  assert.deepEqual(failure(py("functionError")), {
    noRetry: false,
    retryAfterMs: 60_000,
    error: "RetryAfterError: later",
  });
  assert.deepEqual(failure(py("functionFailed")), {
    noRetry: true,
    retryAfterMs: null,
    error: "NonRetriableError: never",
  });
  assert.deepEqual(summary(py("streamedRun")), [{ op: "StepRun", memo: '{"data":"5"}' }]);
  assert.deepEqual(py("streamedReturn"), {
    kind: "completed",
    memo: '{"data":"5"}',
    requestVersion: 2,
  });
});
