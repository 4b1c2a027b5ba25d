// Which tokens open something, and which do not, whoever made them.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { SignJWT } from "jose";
import { accountId } from "../api/wire-ids.ts";
import { defaultRealtimeLimits } from "./limits.ts";
import { Tokens, tokenSecrets } from "./tokens.ts";
import type { Topic } from "./topics.ts";

const key = "signkey-prod-0badc0de";
const nextKey = "signkey-prod-feedface";
const start = Date.UTC(2026, 0, 1);
const topics: readonly Topic[] = [{ kind: "run", channel: "c", name: "t" }];

function tokensOf(signingKeys: readonly string[], now = start): Tokens {
  return new Tokens({
    secrets: tokenSecrets(signingKeys),
    now: () => now,
    nextId: () => "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    limits: defaultRealtimeLimits,
  });
}

async function codeOf(tokens: Tokens, token: string): Promise<string> {
  const reading = await tokens.read(token);
  return reading.ok ? "ok" : `${String(reading.problem.status)} ${reading.problem.code}`;
}

test("a token opens its topics on every server with the key, while keys are rotated, too", async () => {
  const token = await tokensOf([key]).issue(topics);
  assert.deepEqual(await tokensOf([key]).read(token), { ok: true, topics });
  assert.equal(await codeOf(tokensOf([nextKey, key]), token), "ok");
  assert.equal(await codeOf(tokensOf([nextKey]), token), "401 token_invalid");
});

test("the prefix of the key does not matter", async () => {
  const token = await tokensOf(["0badc0de"]).issue(topics);
  assert.equal(await codeOf(tokensOf([key]), token), "ok");
});

test("without signing keys each process has a secret of its own", async () => {
  const tokens = tokensOf([]);
  const token = await tokens.issue(topics);
  assert.equal(await codeOf(tokens, token), "ok");
  assert.equal(await codeOf(tokensOf([]), token), "401 token_invalid");
});

test("a token ends after a minute", async () => {
  const token = await tokensOf([key]).issue(topics);
  assert.equal(await codeOf(tokensOf([key], start + 59_000), token), "ok");
  assert.equal(await codeOf(tokensOf([key], start + 70_000), token), "401 token_expired");
});

const [secret = new Uint8Array()] = tokenSecrets([key]);

interface Forgery {
  readonly claims?: object;
  readonly secret?: Uint8Array;
  readonly audience?: string;
  readonly issuer?: string;
  readonly seconds?: number;
}

function forged(how: Forgery): Promise<string> {
  const at = start / 1_000;
  return new SignJWT({ topics, ...how.claims })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer(how.issuer ?? "rt.inngest.com")
    .setAudience(how.audience ?? "pawl:realtime")
    .setSubject(accountId)
    .setIssuedAt(at)
    .setExpirationTime(at + (how.seconds ?? 60))
    .setJti("x")
    .sign(how.secret ?? secret);
}

test("the forger of these tests would succeed with everything right", async () => {
  assert.equal(await codeOf(tokensOf([key]), await forged({})), "ok");
});

const forgeries: readonly (readonly [string, Forgery])[] = [
  ["signed with the signing key itself", { secret: Buffer.from(key) }],
  ["for another audience", { audience: "run:output" }],
  ["of another issuer", { issuer: "elsewhere" }],
  ["without topics", { claims: { topics: undefined } }],
  ["with no topic", { claims: { topics: [] } }],
  ["with topics that are none", { claims: { topics: ["t"] } }],
  [
    "with a channel that is too long",
    { claims: { topics: [{ channel: "c".repeat(300), name: "n" }] } },
  ],
];
for (const [what, how] of forgeries) {
  test(`a token ${what} opens nothing`, async () => {
    assert.equal(await codeOf(tokensOf([key]), await forged(how)), "401 token_invalid");
  });
}

test("a token that is signed with the secret, but with another algorithm, opens nothing", async () => {
  const [, payload = ""] = (await forged({})).split(".");
  for (const [alg, hash] of [
    ["HS384", "sha384"],
    ["HS512", "sha512"],
  ] as const) {
    const head = Buffer.from(JSON.stringify({ alg })).toString("base64url");
    const mac = createHmac(hash, secret).update(`${head}.${payload}`).digest("base64url");
    const token = `${head}.${payload}.${mac}`;
    assert.equal(await codeOf(tokensOf([key]), token), "401 token_invalid", alg);
  }
});

test("a token that gives itself years is good for a minute", async () => {
  const token = await forged({ seconds: 1e9 });
  assert.equal(await codeOf(tokensOf([key], start + 70_000), token), "401 token_expired");
});

test("tokens without a signature, or changed ones, open nothing", async () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const [head = "", payload = "", signature = ""] = (await forged({})).split(".");
  const more = part({ topics: [{ channel: "secret", name: "t" }] });
  const hmac = createHmac("sha256", "").update(`${head}.${payload}`).digest("base64url");
  for (const token of [
    `${part({ alg: "none" })}.${payload}.`,
    `${part({ alg: "none" })}.${payload}.${signature}`,
    `${head}.${more}.${signature}`,
    `${head}.${payload}.${hmac}`,
    `${head}.${payload}.`,
    `${head}.${payload}`,
    "..",
    "é",
    "a".repeat(100_000),
  ])
    assert.equal(await codeOf(tokensOf([key]), token), "401 token_invalid", token.slice(0, 80));
});
