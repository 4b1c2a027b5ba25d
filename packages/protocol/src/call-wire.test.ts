// Calls to the letter, and any texts as valid JSON. It must not know any app.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type CallInput, writeCall } from "./call-wire.ts";
import type { JsonText } from "./json-text.ts";

const json = (text: string) => text as JsonText; // proof: the texts of these tests are JSON
const hash = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8";

const first: CallInput = {
  run: { id: "01ARZ3NDEKTSV4RRFFQ69G5FAV" },
  functionId: "1a2b3c4d-0000-5000-8000-000000000000",
  events: [json('{"id":"e","name":"a","data":{ "n" : 1.0 },"user":{},"ts":1}')],
  steps: [],
  defers: [],
  stepId: "step",
  attempt: 0,
  maxAttempts: 4,
  stack: [],
  requestVersion: -1,
  disableImmediateExecution: false,
  useApi: false,
  qiId: "step",
  requestId: "01ARZ3NDEKTSV4RRFFQ69G5FAW",
  jobId: "job",
  env: "dev",
};

test("the first call of a run, to the letter", () => {
  assert.equal(
    writeCall(first),
    '{"version":-1,"event":{"id":"e","name":"a","data":{ "n" : 1.0 },"user":{},"ts":1}' +
      ',"events":[{"id":"e","name":"a","data":{ "n" : 1.0 },"user":{},"ts":1}],"steps":{},"defers":{}' +
      ',"ctx":{"run_id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","fn_id":"1a2b3c4d-0000-5000-8000-000000000000","env":"dev"' +
      ',"step_id":"step","attempt":0,"max_attempts":4,"stack":{"stack":[],"current":0},"qi_id":"step"' +
      ',"request_id":"01ARZ3NDEKTSV4RRFFQ69G5FAW","job_id":"job","disable_immediate_execution":false' +
      ',"use_api":false},"use_api":false}',
  );
});

test("a later call carries memos as they are, in the order given", () => {
  const body = writeCall({
    ...first,
    requestVersion: 2,
    stepId: hash,
    attempt: 1,
    disableImmediateExecution: true,
    steps: new Map([
      [hash, json('{"data": 12345678901234567890 }')],
      ['odd "id"', json("null")],
    ]),
    stack: [hash, 'odd "id"'],
    defers: new Map([
      [hash, true],
      ['odd "id"', false],
    ]),
  });
  assert.ok(
    body.includes(`"defers":{"${hash}":{"abortable":true},"odd \\"id\\"":{"abortable":false}}`),
  );
  assert.ok(
    body.includes(`"steps":{"${hash}":{"data": 12345678901234567890 },"odd \\"id\\"":null}`),
  );
  // proof: the body of a call is an object of this shape
  const parsed = JSON.parse(body) as { version: number; ctx: Record<string, unknown> };
  assert.equal(parsed.version, 2);
  assert.deepEqual(parsed.ctx["stack"], { stack: [hash, 'odd "id"'], current: 2 });
  assert.deepEqual([parsed.ctx["step_id"], parsed.ctx["attempt"]], [hash, 1]);
  assert.equal(parsed.ctx["disable_immediate_execution"], true);
});

test("with use_api only the first event goes along, and both marks are set", () => {
  const body = writeCall({
    ...first,
    useApi: true,
    events: [json('{"name":"a"}'), json('{"name":"b"}')],
    steps: [[hash, json("null")]],
    stack: [hash],
  });
  // proof: the body of a call is an object of this shape
  const parsed = JSON.parse(body) as Record<string, unknown>;
  assert.deepEqual(parsed["events"], [{ name: "a" }]);
  assert.deepEqual(parsed["event"], { name: "a" });
  assert.deepEqual(parsed["steps"], {});
  assert.equal(parsed["use_api"], true);
  assert.ok(body.includes('"use_api":true},"use_api":true}'));
});

test("without a function id the field is absent", () => {
  assert.ok(!writeCall({ ...first, functionId: null }).includes("fn_id"));
});

test("any texts make valid JSON that parses to them", () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.array(fc.tuple(fc.string(), fc.jsonValue())),
      fc.array(fc.jsonValue(), { minLength: 1 }),
      (id, memos, events) => {
        const steps = memos.map(([key, value]) => [key, json(JSON.stringify(value))] as const);
        const body = writeCall({
          ...first,
          qiId: id,
          env: id,
          stepId: id,
          steps,
          events: events.map((event) => json(JSON.stringify(event))),
        });
        // proof: the body of a call is an object of this shape
        const parsed = JSON.parse(body) as {
          events: unknown;
          steps: unknown;
          ctx: Record<string, unknown>;
        };
        assert.deepEqual(parsed.events, JSON.parse(JSON.stringify(events)));
        assert.deepEqual(parsed.steps, JSON.parse(JSON.stringify(Object.fromEntries(memos))));
        assert.deepEqual(
          [parsed.ctx["qi_id"], parsed.ctx["env"], parsed.ctx["step_id"]],
          [id, id, id],
        );
      },
    ),
  );
});
