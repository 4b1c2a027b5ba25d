// Checkpoints as SDKs send them, and what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readCheckpoint } from "./checkpoint-wire.ts";

const hash = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8";
const step = `{"id":"${hash}","op":"StepRun","displayName":"a","data":{ "n" : 1.0 }}`;

test("a checkpoint of the TypeScript SDK", () => {
  const body =
    `{"run_id":"R","fn_id":"F","qi_id":"step","request_id":"Q","generation_id":3,` +
    `"request_started_at":1700000000000.5,"steps":[${step},{"op":"RunComplete","id":"x","data":1}],"ts":1}`;
  const { opcodes, ...rest } = readCheckpoint(body);
  assert.deepEqual(rest, {
    runId: "R",
    functionId: "F",
    qiId: "step",
    requestId: "Q",
    generation: 3,
    requestStartedAt: 1_700_000_000_000,
  });
  assert.deepEqual(
    opcodes.map((opcode) => opcode.op),
    ["StepRun", "RunComplete"],
  );
  assert.ok(opcodes[0]?.op === "StepRun");
  assert.equal(opcodes[0].memo, '{"data":{ "n" : 1.0 }}');
});

test("older SDKs know less", () => {
  const { opcodes, ...rest } = readCheckpoint(
    `{"run_id":"","request_id":null,"generation_id":"","STEPS":[${step}]}`,
  );
  assert.deepEqual(rest, {
    runId: null,
    functionId: null,
    qiId: null,
    requestId: null,
    generation: null,
    requestStartedAt: null,
  });
  assert.equal(opcodes.length, 1);
  assert.equal(readCheckpoint('{"generation_id":"4","steps":[]}').generation, 4);
});

test("refusals name the field", () => {
  for (const [body, code, message] of [
    ["", "json_invalid", /JSON/],
    ["[]", "checkpoint_invalid", /object/],
    ["{}", "checkpoint_invalid", /steps must be an array/],
    ['{"steps":{}}', "checkpoint_invalid", /steps must be an array/],
    ['{"steps":[],"run_id":5}', "checkpoint_invalid", /run_id must be a string/],
    ['{"steps":[],"generation_id":"x"}', "checkpoint_invalid", /generation_id must be/],
    ['{"steps":[],"generation_id":-1}', "checkpoint_invalid", /generation_id must be/],
    ['{"steps":[{"op":"StepRun"}]}', "opcode_invalid", /^Opcode 0 \(StepRun\): id/],
  ] as const) {
    assert.throws(() => readCheckpoint(body), { code, message });
  }
});
