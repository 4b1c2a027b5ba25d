// The digests and what is derived from them, against node:crypto and published vectors.
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { dispatchId } from "./dispatch-id.ts";
import { sha1Hex } from "./sha1.ts";
import { hmacSha256Hex, sha256Hex } from "./sha256.ts";
import { hashStepId } from "./step-id.ts";
import { isUlid, ulidTime } from "./ulid.ts";
import { exceedsBytes, utf8Length } from "./utf8.ts";
import { uuidFromName, uuidNamespace } from "./uuid.ts";

test("published vectors", () => {
  assert.equal(sha1Hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  assert.equal(sha1Hex(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  assert.equal(
    sha256Hex("abc"),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  assert.equal(
    hmacSha256Hex("Jefe", "what do ya want for nothing?"),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
});

test("every length around the block borders equals node:crypto", () => {
  for (let length = 0; length <= 200; length += 1) {
    const text = "\u00e9x".repeat(length).slice(0, length);
    // Characters of one byte a UTF-16 unit, of one and a half, of two and of three.
    for (const wide of [
      "x".repeat(length),
      text,
      "\u{1f600}".repeat(length / 2),
      "\u20ac".repeat(length),
    ])
      assert.equal(sha1Hex(wide), createHash("sha1").update(wide).digest("hex"));
    assert.equal(sha256Hex(text), createHash("sha256").update(text).digest("hex"));
    assert.equal(
      hmacSha256Hex(text, "body"),
      createHmac("sha256", text).update("body").digest("hex"),
    );
  }
});

test("any text and any bytes equal node:crypto", () => {
  const texts = fc.string({ unit: "grapheme", maxLength: 400 });
  fc.assert(
    fc.property(texts, texts, fc.uint8Array({ maxLength: 300 }), (key, text, bytes) => {
      assert.equal(hmacSha256Hex(key, text), createHmac("sha256", key).update(text).digest("hex"));
      assert.equal(sha1Hex(bytes), createHash("sha1").update(bytes).digest("hex"));
      // A view into a larger buffer must not read its neighbours.
      const view = bytes.subarray(1);
      assert.equal(sha256Hex(view), createHash("sha256").update(view).digest("hex"));
    }),
  );
});

test("step ids: the first is the hash of the id, repeats carry their number", () => {
  const sha1 = (text: string) => createHash("sha1").update(text).digest("hex");
  assert.equal(hashStepId("a", 0), sha1("a"));
  assert.equal(hashStepId("a", 2), sha1("a:2"));
});

test("a name has one version 5 UUID, the one of RFC 9562", () => {
  const id = uuidFromName("shop-import");
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(uuidFromName("shop-import"), id);
  assert.notEqual(uuidFromName("shop-export"), id);
  const namespace = Buffer.from(uuidNamespace.replaceAll("-", ""), "hex");
  const hash = createHash("sha1").update(namespace).update("shop-import").digest();
  assert.equal(id.slice(0, 8), hash.toString("hex", 0, 4));
  assert.equal(id.slice(24), hash.toString("hex", 10, 16));
});

test("a dispatch id depends on run, job and generation, and carries the time of the run", () => {
  const run = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
  const ids = [
    dispatchId(run, "step", 0),
    dispatchId(run, "step", 1),
    dispatchId(run, "after", 0),
    dispatchId("01ARZ3NDEKTSV4RRFFQ69G5FAW", "step", 0),
  ];
  assert.equal(new Set(ids).size, 4);
  assert.equal(dispatchId(run, "step", 0), ids[0]);
  for (const id of ids) {
    assert.ok(isUlid(id));
    assert.equal(ulidTime(id), ulidTime(run));
  }
});

test("lengths in UTF-8 equal Buffer's, lone surrogates included", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.nat(60), (text, max) => {
      const length = Buffer.byteLength(text);
      assert.equal(utf8Length(text), length);
      assert.equal(exceedsBytes(text, max), length > max);
    }),
  );
  assert.equal(utf8Length("a\ud800b"), 5);
});
