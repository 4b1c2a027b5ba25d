// Deferrals on the wire: what is read of them, and what is noted instead of refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeferAddOpcode, Opcode } from "./opcode.ts";
import { isSyncOpcode } from "./opcode.ts";
import { readOpcodes } from "./opcode-wire.ts";
import { ProtocolError } from "./protocol-error.ts";

const hash = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8";

function read(op: string, opts: string): Opcode {
  const [opcode] = readOpcodes(
    `[{"id":"${hash}","op":"${op}","displayName":"a","userland":{"id":"a"},"data":null,"opts":${opts}}]`,
  );
  assert.ok(opcode);
  assert.ok(isSyncOpcode(opcode), "checkpoints carry them");
  return opcode;
}

function readAdd(opts: string): DeferAddOpcode {
  const opcode = read("DeferAdd", opts);
  assert.ok(opcode.op === "DeferAdd");
  return opcode;
}

test("a deferral, its payload as it arrived", () => {
  const { functionSlug, input, meta, problem, id, userId } = readAdd(
    '{"fn_slug":"app-f","input":{ "n" : 1.0 },"meta":{"sessions":{"s":"1"},"propagated_sessions":{"s":"2","t":"2"}}}',
  );
  assert.deepEqual(
    { functionSlug, input, problem, id, userId },
    { functionSlug: "app-f", input: '{ "n" : 1.0 }', problem: null, id: hash, userId: "a" },
  );
  assert.deepEqual(JSON.parse(meta ?? ""), { sessions: { s: "1", t: "2" } });
});

test("no input is an empty one, and what only the server may set is left out", () => {
  for (const opts of ['{"fn_slug":"f"}', '{"fn_slug":"f","input":null}'])
    assert.deepEqual([readAdd(opts).input, readAdd(opts).problem], ["{}", null]);
  assert.equal(readAdd('{"fn_slug":"f","input":{"_inngest":{"x":1},"n":1}}').input, '{"n":1}');
});

test("what is wrong with one is noted, and fails nothing", () => {
  const cases: [string, RegExp][] = [
    ["{}", /names no function/],
    ['{"fn_slug":5}', /names no function/],
    ['{"fn_slug":"f","input":"text"}', /its input is no JSON object/],
    ['{"fn_slug":"f","input":[1]}', /its input is no JSON object/],
    ['{"fn_slug":"f","meta":5}', /meta must be an object/],
    ['{"fn_slug":"f","meta":{"sessions":{"s":true}}}', /meta\.sessions\["s"\] must be/],
  ];
  for (const [opts, problem] of cases) {
    const opcode = readAdd(opts);
    assert.match(opcode.problem ?? "", problem);
    assert.deepEqual([opcode.input, opcode.meta], ["{}", null]);
  }
});

test("an abort names the deferral that it is about", () => {
  const opcode = read("DeferAbort", `{"target_hashed_id":"${hash}","fn_slug":"f","id":"a"}`);
  assert.ok(opcode.op === "DeferAbort");
  assert.equal(opcode.targetId, hash);
  assert.throws(
    () => read("DeferAbort", "{}"),
    (error) => error instanceof ProtocolError && /target_hashed_id must be/.test(error.message),
  );
});
