// Metadata in opcodes: what the SDKs send, and that nothing malformed is more than left out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readOpcodes } from "./opcode-wire.ts";

function metadataOf(metadata: string) {
  const [opcode] = readOpcodes(`[{"id":"a","op":"StepRun","data":1,"metadata":${metadata}}]`);
  return opcode?.metadata;
}

test("updates are read, their values as the text that arrived", () => {
  const text = `[{"kind":"userland.default","scope":"run","op":"set","values":{"big":12345678901234567890, "a":1}}]`;
  assert.deepEqual(metadataOf(text), {
    updates: [
      {
        kind: "userland.default",
        scope: "run",
        op: "set",
        values: `{"big":12345678901234567890, "a":1}`,
      },
    ],
    problem: null,
  });
});

test("an opcode without metadata has none", () => {
  for (const text of ["[]", "null"]) assert.equal(metadataOf(text), undefined);
});

test("what is malformed is left out and said, and the step goes on", () => {
  for (const text of [
    `"text"`,
    `{"kind":"a"}`,
    `[1]`,
    `[{"kind":"","scope":"run","op":"set","values":{}}]`,
    `[{"kind":"${"k".repeat(129)}","scope":"run","op":"set","values":{}}]`,
    `[{"kind":"a","scope":"galaxy","op":"set","values":{}}]`,
    `[{"kind":"a","scope":"run","op":"multiply","values":{}}]`,
    `[{"kind":"a","scope":"run","op":"set","values":[1]}]`,
    `[{"kind":"a","scope":"run","op":"set"}]`,
  ]) {
    const metadata = metadataOf(text);
    assert.deepEqual(metadata?.updates, [], text);
    assert.match(metadata?.problem ?? "", /metadata.*must be/, text);
  }
  const mixed = metadataOf(`[1,{"kind":"a","scope":"step","op":"add","values":{"n":1}}]`);
  assert.equal(mixed?.updates.length, 1);
  assert.match(mixed?.problem ?? "", /metadata\[0\]/);
});
