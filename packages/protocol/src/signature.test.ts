// Signatures and keys against node:crypto and the published vector.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import {
  bearerMatches,
  hashSigningKey,
  normalizeSigningKey,
  signRequest,
  signResponse,
  signatureWindowMs,
  verifySignature,
} from "./signature.ts";

const key = "signkey-test-deadbeef";
const fallback = "signkey-prod-c0ffee00";
const now = 1_700_000_000_999;
const body = '{"b":1, "a":2}';
const deadbeefHash = "5f78c33274e43fa9de5659265c1d917e25c03722dcb0b8d27db8d5feaa813953";

function mac(keyText: string, signed: string): string {
  return createHmac("sha256", keyText).update(signed).digest("hex");
}

test("the published vector of a key's hash", () => {
  assert.equal(hashSigningKey("deadbeef"), deadbeefHash);
  assert.equal(hashSigningKey(key), `signkey-test-${deadbeefHash}`);
  assert.equal(hashSigningKey("DEADBEEF"), deadbeefHash);
});

test("a request is signed over its canonical form with the text of the key, then the seconds", () => {
  const signature = signRequest({ key, body, at: now });
  assert.equal(signature, `t=1700000000&s=${mac("deadbeef", '{"a":2,"b":1}1700000000')}`);
  assert.equal(
    signRequest({ key, body: "", at: now }),
    `t=1700000000&s=${mac("deadbeef", "1700000000")}`,
  );
});

test("a body without canonical form is signed as it is", () => {
  const odd = '{"n":1e999}';
  assert.equal(
    signRequest({ key, body: odd, at: now }),
    `t=1700000000&s=${mac("deadbeef", `${odd}1700000000`)}`,
  );
});

test("a response is signed as it is", () => {
  const signature = signResponse({ key, body, at: now });
  assert.equal(signature, `t=1700000000&s=${mac("deadbeef", `${body}1700000000`)}`);
});

test("a platform's HMAC may take the place of ours", () => {
  const signature = signRequest({ key, body, at: now, hmac: mac });
  assert.equal(signature, signRequest({ key, body, at: now }));
  verifySignature({ keys: [key], header: signature, body, now, canonical: true, hmac: mac });
});

test("a request is valid whatever the order of its keys, by key or fallback key", () => {
  for (const signer of [key, fallback, "deadbeef", "signkey-branch-c0ffee00"]) {
    const header = signRequest({ key: signer, body, at: now });
    verifySignature({ keys: [key, fallback], header, body: '{"a":2,"b":1}', now, canonical: true });
  }
});

test("the key that fits is returned as it was given", () => {
  for (const signer of [key, fallback]) {
    const header = signRequest({ key: signer, body, at: now });
    const input = { keys: [key, fallback], header, body, now, canonical: true };
    assert.equal(verifySignature(input), signer);
  }
});

test("a response is valid with or without the newline that Go does not sign", () => {
  const header = signResponse({ key, body, at: now });
  verifySignature({ keys: [key], header, body, now, canonical: false });
  verifySignature({ keys: [key], header, body: `${body}\n`, now, canonical: false });
  const withNewline = signResponse({ key, body: `${body}\n`, at: now });
  verifySignature({ keys: [key], header: withNewline, body: `${body}\n`, now, canonical: false });
});

const header = signRequest({ key, body, at: now });
const refusal = (over: Partial<Parameters<typeof verifySignature>[0]>) => () =>
  verifySignature({ keys: [key], header, body, now, canonical: true, ...over });

test("another key, body, mode or time is refused", () => {
  assert.doesNotThrow(refusal({}));
  for (const over of [
    { keys: [fallback] },
    { keys: [] },
    { body: '{"a":2,"b":2}' },
    { body: "" },
    { canonical: false },
    { header: header.replace("t=1700000000", "t=1700000001") },
  ]) {
    assert.throws(refusal(over), { code: "signature_invalid" });
  }
});

test("the window is five minutes in both directions", () => {
  const at = 1_700_000_000_000;
  assert.doesNotThrow(refusal({ now: at + signatureWindowMs }));
  assert.doesNotThrow(refusal({ now: at - signatureWindowMs }));
  assert.throws(refusal({ now: at + signatureWindowMs + 1 }), { code: "signature_expired" });
  assert.throws(refusal({ now: at - signatureWindowMs - 1 }), { code: "signature_expired" });
});

test("a malformed header is refused", () => {
  const hex = header.slice(header.indexOf("s=") + 2);
  for (const malformed of [
    null,
    "",
    "t=1",
    `s=${hex}`,
    `t=x&s=${hex}`,
    `t=-1&s=${hex}`,
    `t=1700000000&s=${hex}00`,
    "t=1700000000&s=zz",
    hex,
  ]) {
    assert.throws(refusal({ header: malformed }), { code: "signature_invalid" });
  }
  assert.doesNotThrow(refusal({ header: `s=${hex.toUpperCase()}&t=1700000000` }));
});

test("unusable keys are named as such, without showing them", () => {
  for (const bad of ["", "signkey-test-", "abc", "signkey-test-xyz1", "dead beef", "déadbeef"]) {
    for (const call of [
      () => normalizeSigningKey(bad),
      () => hashSigningKey(bad),
      () => signRequest({ key: bad, body, at: now }),
      () => signResponse({ key: bad, body, at: now }),
      refusal({ keys: [bad] }),
    ]) {
      assert.throws(call, (error: { code?: string; message?: string }) => {
        assert.equal(error.code, "signing_key_invalid");
        assert.ok(bad.length < 3 || !error.message?.includes(bad));
        return true;
      });
    }
  }
});

test("a bearer matches by hash or raw, with any prefix, for any of the keys", () => {
  const keys = [key, fallback];
  for (const token of [
    key,
    "deadbeef",
    deadbeefHash,
    `signkey-test-${deadbeefHash}`,
    `signkey-prod-${deadbeefHash}`,
    hashSigningKey(fallback),
  ]) {
    assert.equal(bearerMatches({ authorization: `Bearer ${token}`, keys }), true, token);
    assert.equal(bearerMatches({ authorization: `bearer  ${token}`, keys }), true, token);
    assert.equal(bearerMatches({ authorization: `Bearer ${token}`, keys: [] }), false, token);
  }
  for (const authorization of [
    null,
    "",
    "Bearer",
    "Bearer ",
    "Bearer undefined",
    "Bearer cafe",
    `Basic ${key}`,
    key,
    `Bearer ${hashSigningKey(deadbeefHash)}`,
  ]) {
    assert.equal(bearerMatches({ authorization, keys }), false, String(authorization));
  }
});
