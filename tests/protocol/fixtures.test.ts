// Feeds everything that the published SDKs were recorded to send and answer (tests/fixtures)
// through the readers of `@pawl/protocol`, and compares what the readers made of it with what it
// means. Needs none of the SDKs.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answerFromHttp } from "@pawl/protocol/answer-wire";
import type { Answer } from "@pawl/protocol/answer";
import { readCheckpoint } from "@pawl/protocol/checkpoint-wire";
import { defaultEventLimits, readEvents } from "@pawl/protocol/event-wire";
import { parseGatewayRequest } from "@pawl/protocol/gateway-wire";
import { fromJsonText, type JsonText, type JsonValue } from "@pawl/protocol/json-text";
import type { Opcode } from "@pawl/protocol/opcode";
import { bearerMatches, verifySignature } from "@pawl/protocol/signature";
import { hashStepId } from "@pawl/protocol/step-id";
import { eventIdsFromSeed, isUlid, ulidTime } from "@pawl/protocol/ulid";
import { expectedAnswers } from "./expected-answers.ts";
import { appNames, fixtureOf, fixturesOf, type AppName, type Fixture } from "./fixture-files.ts";
import { arrivedAt, type Meaning, type OpMeaning } from "./meaning.ts";

/** The key of the recorded apps in cloud mode (tests/record/apps.ts). */
const signingKey = "signkey-test-12345678";
const runId = "01KAGW0RN0000000000000RVN1";

function field(value: JsonValue, name: string): JsonValue {
  assert.ok(typeof value === "object" && value !== null && !Array.isArray(value));
  return (value as { readonly [key: string]: JsonValue })[name] ?? null; // proof: the line above
}

/** `<name>: <message>` of an error. */
function errorLine(error: JsonText): string {
  const value = fromJsonText(error);
  const [name, message] = [field(value, "name"), field(value, "message")];
  assert.ok(typeof name === "string" && typeof message === "string");
  return `${name}: ${message}`;
}

const runOps = new Set(["RunComplete", "StepNotFound"]);

function opMeaning(opcode: Opcode): OpMeaning {
  const step = (opcode.userId ?? "") + (opcode.userIndex > 0 ? `:${opcode.userIndex}` : "");
  if (!runOps.has(opcode.op)) {
    assert.equal(opcode.id, hashStepId(opcode.userId ?? "", opcode.userIndex));
  }
  const { op, displayName, race, stepType } = opcode;
  const base = { op, step, displayName, race, stepType };
  switch (opcode.op) {
    case "StepRun":
      return {
        ...base,
        data: field(fromJsonText(opcode.memo), "data"),
        startedAt: opcode.startedAt,
      };
    case "RunComplete":
      return { ...base, data: field(fromJsonText(opcode.memo), "data") };
    case "StepError":
      return { ...base, error: errorLine(opcode.error), noRetry: opcode.noRetry };
    case "StepFailed":
      return { ...base, error: errorLine(opcode.error) };
    case "Sleep":
      return { ...base, until: opcode.until };
    case "WaitForEvent": {
      const { event, expression, timeout, lookback } = opcode;
      return { ...base, event, expression, timeout, lookback };
    }
    case "WaitForSignal": {
      const { signal, timeout, onConflict } = opcode;
      return { ...base, signal, timeout, onConflict };
    }
    case "InvokeFunction": {
      const { functionSlug, user, version, meta, timeout } = opcode;
      return {
        ...base,
        functionSlug,
        data: fromJsonText(opcode.data),
        user,
        version,
        meta,
        timeout,
      };
    }
    case "Gateway":
      return { ...base, kind: opcode.kind, request: parseGatewayRequest(opcode.request) };
    case "DeferAdd": {
      const { functionSlug, input, meta, problem } = opcode;
      return { ...base, functionSlug, input, meta, problem };
    }
    case "Unsupported":
      return { ...base, wireOp: opcode.wireOp };
    default:
      return base;
  }
}

function meaningOf(answer: Answer): Meaning {
  if (answer.kind === "completed") return { completed: field(fromJsonText(answer.memo), "data") };
  const { retryAfterMs } = answer;
  if (answer.kind === "opcodes") return { ops: answer.opcodes.map(opMeaning), retryAfterMs };
  return { failed: errorLine(answer.error), noRetry: answer.noRetry, retryAfterMs };
}

function answerOf({ response }: Fixture, now = arrivedAt): Answer {
  return answerFromHttp({
    status: response.status,
    header: (name) => response.headers[name] ?? null,
    body: response.body,
    now,
  });
}

function isCall(name: string, { request }: Fixture): boolean {
  return request.path.includes("fnId=") && !/\.(?:register|events|checkpoint)-\d+$/.test(name);
}

/** Payload texts of an answer, which must stand in the body to the letter. */
function payloadTexts(answer: Answer): string[] {
  if (answer.kind === "completed") return [answer.memo.slice('{"data":'.length, -1)];
  if (answer.kind === "failed") return [];
  return answer.opcodes.flatMap((opcode) => {
    if (opcode.op === "StepRun" || opcode.op === "RunComplete") {
      return [opcode.memo.slice('{"data":'.length, -1)];
    }
    return opcode.op === "StepError" || opcode.op === "StepFailed" ? [opcode.error] : [];
  });
}

/** Answers that come without `x-inngest-req-version`: refusals, which hide what answers. */
const withoutVersion = new Set(["unsigned-result"]);
const versions: Record<AppName, number> = { python: 2, go: 2, js3: 1, js4: 2 };
/** What is wrong in these is said in words that only a person reads. */
const unworded = new Set(["body-invalid", "fn-panic", "signed-steps-1-run"]);

for (const app of appNames) {
  describe(`answers of ${app}`, () => {
    for (const [name, fixture] of fixturesOf(app)) {
      if (!isCall(name, fixture)) continue;
      test(name, () => {
        const answer = answerOf(fixture);
        const version = withoutVersion.has(name) ? null : versions[app];
        assert.equal(answer.requestVersion, version);
        const expected = expectedAnswers[name]?.[app];
        if (expected === undefined) assert.ok(unworded.has(name), "no meaning is written down");
        else assert.deepEqual(meaningOf(answer), expected);
        if (name.startsWith("streamed-")) return;
        for (const text of payloadTexts(answer)) assert.ok(fixture.response.body.includes(text));
      });
    }
    test("no meaning is written down for an exchange that is not there", () => {
      const fixtures = fixturesOf(app);
      const names = Object.keys(expectedAnswers).filter((name) => expectedAnswers[name]?.[app]);
      assert.deepEqual(
        names.filter((name) => !fixtures.has(name)),
        [],
      );
    });
  });
}

describe("answers that are read by a person", () => {
  test("a panic in Go", () => {
    const answer = answerOf(fixtureOf("go", "fn-panic"));
    assert.ok(answer.kind === "failed" && !answer.noRetry);
    assert.match(errorLine(answer.error), /^Error: function panicked: out of paper\./);
  });
  test("a body that is no call", () => {
    for (const app of ["python", "js3", "js4"] as const) {
      const answer = answerOf(fixtureOf(app, "body-invalid"));
      assert.ok(answer.kind === "failed" && !answer.noRetry, app);
    }
    // Go runs the function without an event.
    assert.equal(answerOf(fixtureOf("go", "body-invalid")).kind, "completed");
  });
  test("numbers that JavaScript cannot hold stay as they were written", () => {
    for (const app of ["python", "go"] as const) {
      for (const name of ["result", "streamed-result"]) {
        const answer = answerOf(fixtureOf(app, name));
        assert.ok(answer.kind === "completed");
        assert.match(answer.memo, /9007199254740993/);
      }
    }
  });
  test("what Go returned beside a step's error stays in the error", () => {
    const answer = answerOf(fixtureOf("go", "step-error"));
    assert.ok(answer.kind === "opcodes");
    const [opcode] = answer.opcodes;
    assert.ok(opcode?.op === "StepError");
    assert.deepEqual(field(fromJsonText(opcode.error), "data"), { partial: true });
  });
});

/** What each checkpoint brings, by the exchange's name without `.json`. */
const checkpoints: Record<AppName, Record<string, string[]>> = {
  python: {},
  go: {
    "checkpoint-stale.checkpoint-1": ["StepRun a"],
    "checkpoint-stale.checkpoint-2": ["StepRun a", "StepRun b"],
    ...oneByOne("checkpoint-return", "checkpoint-sleep", "checkpoint-step-error"),
    ...oneByOne("checkpoint-retry", "cloud-checkpoint-sleep"),
  },
  js3: {
    ...Object.fromEntries(
      [1, 2, 3, 4, 5].map((n) => [`checkpoint-stale.checkpoint-${n}`, ["StepRun a"]]),
    ),
    ...oneByOne("checkpoint-return", "checkpoint-sleep", "checkpoint-step-error"),
    ...oneByOne("checkpoint-retry", "cloud-checkpoint-sleep"),
    "checkpoint-max-runtime.checkpoint-1": ["StepRun slow"],
    "checkpoint-batch-sleep.checkpoint-1": ["StepRun a", "StepRun b"],
  },
  js4: {
    "checkpoint-stale.checkpoint-1": ["StepRun a"],
    ...oneByOne("checkpoint-return", "checkpoint-sleep", "checkpoint-step-error"),
    ...oneByOne("cloud-checkpoint-sleep"),
    "checkpoint-batch-sleep.checkpoint-1": ["StepRun a", "StepRun b"],
    "checkpoint-max-runtime.checkpoint-1": ["StepRun slow"],
    "checkpoint-defer.checkpoint-1": ["StepRun a", "DeferAdd afterwards"],
    "checkpoint-by-default.checkpoint-1": ["StepRun load"],
  },
};

function oneByOne(...names: string[]): Record<string, string[]> {
  return Object.fromEntries(
    names.flatMap((name) => [
      [`${name}.checkpoint-1`, ["StepRun a"]],
      [`${name}.checkpoint-2`, ["StepRun b"]],
    ]),
  );
}

for (const app of appNames) {
  describe(`checkpoints of ${app}`, () => {
    const sent = [...fixturesOf(app)].filter(([name]) => name.includes(".checkpoint-"));
    test("are the expected ones", () => {
      const names = sent.map(([name]) => name);
      assert.deepEqual(names, Object.keys(checkpoints[app]).toSorted());
    });
    for (const [name, { request }] of sent) {
      test(name, () => {
        assert.equal(request.path, `/v1/checkpoint/${runId}/async`);
        const { opcodes, ...head } = readCheckpoint(request.body);
        const knowsDispatch = app === "js4";
        assert.deepEqual(head, {
          runId,
          functionId: "0d2c4f8a-5b1e-5c3d-8e9f-1a2b3c4d5e6f",
          qiId: "queue-item-1",
          requestId: knowsDispatch ? "01KAGW0RN000000000000D1SP1" : null,
          generation: knowsDispatch ? 3 : null,
          requestStartedAt: knowsDispatch ? 1_800_000_000_000 : null,
        });
        assert.deepEqual(
          opcodes.map(({ op, userId }) => `${op} ${userId}`),
          checkpoints[app][name],
        );
        for (const opcode of opcodes) {
          if (opcode.op !== "StepRun") continue;
          assert.equal(opcode.startedAt, 1_800_000_000_000);
          assert.ok(request.body.includes(opcode.memo.slice('{"data":'.length, -1)));
        }
      });
    }
  });
}

const sentTime = 1_800_000_000_000;
/** What each app sends for the two events of `sentEvents` (tests/record/js/functions.ts). */
function expectedEvents(app: AppName, announced: boolean): unknown[] {
  const ts = app === "go" ? arrivedAt : sentTime;
  const plain = { externalId: null, user: null, version: null, meta: null, receivedAt: arrivedAt };
  if (announced) {
    return [
      { ...plain, name: "shop/announced", data: { n: 1 }, ts },
      { ...plain, name: "shop/announced", data: { n: 2 }, externalId: "mine-2", ts },
    ];
  }
  // The Python SDK keeps `user` and `v` to itself.
  const extras = app === "python" ? {} : { user: { id: "u1" }, version: "2" };
  return [
    { ...plain, name: "shop/sent", data: { n: 1, text: "<é>" }, ts },
    {
      ...plain,
      name: "shop/sent",
      data: { n: 2 },
      externalId: "order-2",
      ts: 1_700_000_000_123,
      ...extras,
    },
  ];
}

for (const app of appNames) {
  describe(`events of ${app}`, () => {
    for (const [name, { request }] of fixturesOf(app)) {
      if (!name.includes(".events-")) continue;
      test(name, () => {
        const key = name.startsWith("cloud-") ? "key-for-events" : "NO_EVENT_KEY_SET";
        assert.equal(request.path, `/e/${key}`);
        const seeded = eventIdsFromSeed(request.headers["x-inngest-event-id-seed"] ?? "", 2) ?? [];
        assert.equal(new Set(seeded).size, 2);
        for (const id of seeded) assert.ok(isUlid(id) && ulidTime(id) === sentTime);
        const read = readEvents(request.body, {
          now: arrivedAt,
          limits: defaultEventLimits,
          nextId: (index) => seeded[index] ?? "",
        });
        assert.equal(read.failure, null);
        assert.deepEqual(
          read.events.map(({ id }) => id),
          seeded,
        );
        const values = read.events.map(({ id: _id, data, user, ...rest }) => ({
          ...rest,
          data: fromJsonText(data),
          user: user === null ? null : fromJsonText(user),
        }));
        assert.deepEqual(values, expectedEvents(app, !name.includes("send.events")));
      });
    }
  });
}

describe("keys and signatures", () => {
  for (const app of appNames) {
    test(`${app} proves itself to the server in cloud mode`, () => {
      for (const [name, { request }] of fixturesOf(app)) {
        if (!/^cloud-.*\.(?:register|checkpoint)-/.test(name)) continue;
        const authorization = request.headers["authorization"] ?? null;
        assert.ok(bearerMatches({ authorization, keys: [signingKey] }), name);
        assert.ok(!bearerMatches({ authorization, keys: ["signkey-test-87654321"] }), name);
      }
    });
    test(`${app} accepted the recorded signatures, and its own are good`, () => {
      const signed = [...fixturesOf(app)].filter(([name]) => name.startsWith("signed-"));
      assert.equal(signed.length, 5);
      for (const [name, { request, response }] of signed) {
        const sent = request.headers["x-inngest-signature"] ?? null;
        const now = Number(/^t=(\d+)&/.exec(sent ?? "")?.[1]) * 1000;
        verifySignature({
          keys: [signingKey],
          header: sent,
          body: request.body,
          now,
          canonical: true,
        });
        const answered = response.headers["x-inngest-signature"];
        // Go signs in-band syncs and probes only, and sends a line feed that it does not sign.
        if (answered === undefined) {
          assert.ok(app === "go", `${name} came unsigned`);
          continue;
        }
        const body = app === "go" ? response.body.trimEnd() : response.body;
        verifySignature({ keys: [signingKey], header: answered, body, now, canonical: false });
        assert.throws(() =>
          verifySignature({
            keys: [signingKey],
            header: answered,
            body: `${body}x`,
            now,
            canonical: false,
          }),
        );
      }
    });
  }
});
