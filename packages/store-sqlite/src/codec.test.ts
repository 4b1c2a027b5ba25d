import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { packHash, packUlid, packUlids, unpackHash, unpackUlid, unpackUlids } from "./codec.ts";

const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ".split("");
const ulid = fc
  .tuple(
    fc.constantFrom(...digits.slice(0, 8)),
    fc.array(fc.constantFrom(...digits), { minLength: 25, maxLength: 25 }),
  )
  .map(([first, rest]) => first + rest.join(""));
const hex = fc
  .array(fc.constantFrom(..."0123456789abcdef".split("")), { minLength: 0, maxLength: 80 })
  .map((digits) => digits.join(""));
const anyText = fc.oneof(
  fc.string(),
  ulid,
  hex,
  fc.constant("I".repeat(26)),
  fc.constant("8ZZZZZZZZZZZZZZZZZZZZZZZZZ"),
);

test("every id comes back as it was", () => {
  fc.assert(
    fc.property(anyText, fc.array(anyText), fc.array(ulid), (text, texts, ulids) => {
      assert.equal(unpackUlid(packUlid(text)), text);
      assert.equal(unpackHash(packHash(text)), text);
      assert.deepEqual(unpackUlids(packUlids(texts)), texts);
      assert.deepEqual(unpackUlids(packUlids(ulids)), ulids);
    }),
  );
});

test("packed ULIDs take 16 bytes and keep their order", () => {
  fc.assert(
    fc.property(ulid, ulid, (a, b) => {
      const [packedA, packedB] = [packUlid(a), packUlid(b)];
      assert.ok(packedA instanceof Uint8Array && packedB instanceof Uint8Array);
      assert.equal(packedA.length, 16);
      assert.equal(Math.sign(Buffer.compare(packedA, packedB)), a < b ? -1 : a > b ? 1 : 0);
    }),
  );
});

test("hashes of 40 digits take 20 bytes; other forms stay text", () => {
  const packed = packHash("00ff".repeat(10));
  assert.ok(packed instanceof Uint8Array && packed.length === 20);
  for (const text of ["step", "00FF".repeat(10), "00f".repeat(13), "after:00ff"]) {
    assert.equal(packHash(text), text);
  }
});
