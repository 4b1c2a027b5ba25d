// ULIDs bit by bit, their order, and the ids of a seed header.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "./protocol-error.ts";
import { encodeUlid, eventIdsFromSeed, isUlid, ulidTime, UlidFactory } from "./ulid.ts";

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

function decode(ulid: string): bigint {
  return Array.from(ulid).reduce((sum, char) => sum * 32n + BigInt(alphabet.indexOf(char)), 0n);
}

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });

test("the 128 bits are where they belong", () => {
  fc.assert(
    fc.property(time, fc.integer({ min: 0, max: 0xffff }), uint32, uint32, (at, hi, mid, lo) => {
      const ulid = encodeUlid(at, hi, mid, lo);
      const bits = (BigInt(at) << 80n) | (BigInt(hi) << 64n) | (BigInt(mid) << 32n) | BigInt(lo);
      assert.equal(decode(ulid), bits);
      assert.ok(isUlid(ulid));
      assert.equal(ulidTime(ulid), at);
    }),
  );
});

test("a known id", () => {
  assert.equal(ulidTime("01ARZ3NDEKTSV4RRFFQ69G5FAV"), 1469922850259);
});

test("other text is no ULID", () => {
  for (const text of [
    "",
    "01ARZ3NDEKTSV4RRFFQ69G5FA",
    "81ARZ3NDEKTSV4RRFFQ69G5FAV",
    "01ARZ3NDEKTSV4RRFFQ69G5FAI",
    "01arz3ndektsv4rrffq69g5fav",
  ]) {
    assert.equal(isUlid(text), false);
    assert.throws(() => ulidTime(text), { code: "ulid_invalid" });
  }
  for (const at of [-1, 1.5, 2 ** 48, Number.NaN]) {
    assert.throws(() => encodeUlid(at, 0, 0, 0), ProtocolError);
  }
});

test("ids ascend within one ms, when the clock steps back, and across full entropy", () => {
  const draw = fc.tuple(
    fc.constantFrom(0, 7, 0xffff),
    fc.constantFrom(0, 5, 0xffffffff),
    fc.constantFrom(1, 0xfffffffe, 0xffffffff),
  );
  const call = fc.tuple(fc.integer({ min: 1_000, max: 1_004 }), draw);
  fc.assert(
    fc.property(fc.array(call, { minLength: 2 }), (calls) => {
      let drawn: readonly [number, number, number] = [0, 0, 0];
      const factory = new UlidFactory(() => drawn);
      let before = "";
      for (const [at, random] of calls) {
        drawn = random;
        const id = factory.next(at);
        assert.ok(isUlid(id) && id > before, `${before} then ${id}`);
        assert.ok(ulidTime(id) >= at);
        before = id;
      }
    }),
  );
});

test("when all ids of a ms are used, the next ms begins", () => {
  const factory = new UlidFactory(() => [0xffff, 0xffffffff, 0xffffffff]);
  assert.equal(factory.next(5), encodeUlid(5, 0xffff, 0xffffffff, 0xffffffff));
  assert.equal(ulidTime(factory.next(5)), 6);
});

test("a new ms draws anew", () => {
  let drawn = 0;
  const factory = new UlidFactory(() => [(drawn += 1), 0, 0]);
  const ids = [factory.next(1), factory.next(1), factory.next(2)];
  assert.equal(drawn, 2);
  assert.deepEqual(ids, [encodeUlid(1, 1, 0, 0), encodeUlid(1, 1, 0, 1), encodeUlid(2, 2, 0, 0)]);
});

test("a seed yields the same ids every time, the n-th with n added", () => {
  const bytes = Uint8Array.from([0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe]);
  const seed = `1700000000000,${Buffer.from(bytes).toString("base64")}`;
  const ids = eventIdsFromSeed(seed, 3);
  assert.deepEqual(ids, [
    encodeUlid(1700000000000, 0, 0, 0xffffffff),
    encodeUlid(1700000000000, 0, 1, 0),
    encodeUlid(1700000000000, 0, 1, 1),
  ]);
  assert.deepEqual(eventIdsFromSeed(seed, 3), ids);
  assert.deepEqual(eventIdsFromSeed(seed, 0), []);
});

test("the entropy of a seed wraps around", () => {
  const full = Buffer.alloc(10, 0xff).toString("base64");
  assert.deepEqual(eventIdsFromSeed(`5,${full}`, 1), [encodeUlid(5, 0, 0, 0)]);
});

test("a malformed seed is none", () => {
  const ten = Buffer.alloc(10).toString("base64");
  const nine = Buffer.alloc(9).toString("base64");
  for (const seed of [
    "",
    ten,
    `,${ten}`,
    `x,${ten}`,
    `-5,${ten}`,
    `1.5,${ten}`,
    `999999999999999,${ten}`,
    `5,${nine}`,
    "5,",
    "5,%%%",
  ]) {
    assert.equal(eventIdsFromSeed(seed, 1), null, seed);
  }
});
