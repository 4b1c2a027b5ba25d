// Who gets in and who does not: keys against the guard alone, without sockets or routes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hashSigningKey } from "@pawl/protocol/signature";
import type { Access } from "../http/router.ts";
import { apiKeyFrom, hashApiKey, type ApiKey } from "./api-key.ts";
import { createGuard, type Keys } from "./guard.ts";
import { scopes, type Scope } from "./scopes.ts";

const current = "signkey-prod-deadbeef";
const fallback = "cafe";
const keyOf = (seed: number): string => apiKeyFrom(Buffer.alloc(32, seed));
const apiKey = (
  seed: number,
  name: string,
  granted: readonly Scope[],
  expiresAt: number | null = null,
): ApiKey => ({ name, hash: hashApiKey(keyOf(seed)), scopes: granted, expiresAt });
const reader = keyOf(1);
const ending = keyOf(2);
const admin = keyOf(3);
const keys: Keys = {
  signingKeys: [current, fallback],
  eventKeys: ["ek-1", "ek-2"],
  apiKeys: [
    apiKey(1, "reader", ["runs:read", "events:read"]),
    apiKey(2, "ending", ["runs:read"], 1_000),
    apiKey(3, "ops", ["admin"]),
  ],
};
let now = 0;
const guard = createGuard("cloud", keys, () => now);

function bearer(authorization: string | null, access: Access = "runs:read", ask = guard) {
  return ask(access, {}, { header: (name) => (name === "authorization" ? authorization : null) });
}

function api(authorization: string | null, access?: Access): string | null {
  return bearer(authorization, access).problem?.code ?? null;
}

function event(key: string | undefined, ask = guard): string | null {
  const params = key === undefined ? {} : { key };
  return ask("event", params, { header: () => null }).problem?.code ?? null;
}

const good = [
  current,
  hashSigningKey(current),
  "deadbeef",
  "signkey-test-deadbeef",
  fallback,
  hashSigningKey(fallback),
];

for (const token of good) {
  test(`bearer ${token} is the signing key: it opens everything`, () => {
    for (const access of ["signed", "key", ...scopes] satisfies Access[]) {
      assert.equal(api(`Bearer ${token}`, access), null);
    }
    assert.equal(api(`bearer   ${token}`), null);
    assert.equal(bearer(`Bearer ${token}`).caller.keyName, null);
  });
}

const bad: readonly (readonly [authorization: string | null, code: string])[] = [
  [null, "authorization_header_missing"],
  ["", "authorization_header_missing"],
  ["Bearer", "authorization_header_missing"],
  ["Bearer ", "authorization_header_missing"],
  [`Basic ${current}`, "authorization_header_missing"],
  ["deadbeef", "authorization_header_missing"],
  ["Bearer undefined", "invalid_signing_key"],
  ["Bearer deadbee", "invalid_signing_key"],
  ["Bearer ek-1", "invalid_signing_key"],
  [`Bearer ${hashApiKey(reader)}`, "invalid_signing_key"],
  [`Bearer ${keyOf(9)}`, "invalid_api_key"],
  [`Bearer ${reader}x`, "invalid_api_key"],
  [`Bearer ${reader.slice(0, -1)}`, "invalid_api_key"],
  ["Bearer pawl-key-", "invalid_api_key"],
];
for (const [authorization, code] of bad) {
  test(`authorization ${JSON.stringify(authorization)} opens nothing: ${code}`, () => {
    for (const access of ["signed", "key", ...scopes] satisfies Access[]) {
      const { problem, caller } = bearer(authorization, access);
      assert.equal(problem?.code, code);
      assert.equal(problem?.status, 401);
      assert.equal(caller.keyName, null);
      assert.ok(scopes.every((scope) => !caller.may(scope)));
    }
  });
}

test("an API key opens what its scopes name, and is told which one it lacks", () => {
  const opened = scopes.filter((scope) => api(`Bearer ${reader}`, scope) === null);
  assert.deepEqual(opened, ["events:read", "runs:read"]);
  const { problem, caller } = bearer(`Bearer ${reader}`, "runs:write");
  assert.deepEqual([problem?.status, problem?.code], [403, "access_denied"]);
  assert.match(problem?.message ?? "", /runs:write/);
  assert.doesNotMatch(problem?.message ?? "", /reader|runs:read|events:read/);
  assert.equal(caller.keyName, "reader");
});

test("routes of any key tell the caller apart", () => {
  const { problem, caller } = bearer(`Bearer ${reader}`, "key");
  assert.equal(problem, null);
  assert.deepEqual([caller.may("runs:read"), caller.may("runs:write")], [true, false]);
});

test("admin opens every scope, but not what only apps do", () => {
  for (const scope of scopes) assert.equal(api(`Bearer ${admin}`, scope), null);
  assert.equal(api(`Bearer ${admin}`, "signed"), "access_denied");
});

test("an API key ends when it expires, and is then as unknown as any other", () => {
  assert.equal(api(`Bearer ${ending}`), null);
  now = 1_000;
  try {
    const expired = bearer(`Bearer ${ending}`);
    assert.deepEqual(expired, bearer(`Bearer ${keyOf(9)}`));
  } finally {
    now = 0;
  }
});

test("no refusal repeats a key, its hash or a name", () => {
  const said = ["signed", "key", ...scopes].flatMap((access) =>
    [reader, ending, keyOf(9), "deadbee", "ek-1"].map((token) => {
      const { problem } = bearer(`Bearer ${token}`, access as Access); // proof: from the list above
      return problem?.message ?? "";
    }),
  );
  for (const secret of ["pawl-key", "deadbee", "ek-", "reader", "ending", "ops"]) {
    assert.ok(said.every((message) => !message.includes(secret)));
  }
});

test("events need one of the event keys", () => {
  assert.equal(event("ek-1"), null);
  assert.equal(event("ek-2"), null);
  assert.equal(event("ek-3"), "event_key_unknown");
  assert.equal(event("deadbeef"), "event_key_unknown");
  assert.equal(event(undefined), "event_key_missing");
  const without = createGuard("cloud", { ...keys, eventKeys: [] }, () => 0);
  assert.equal(event("ek-1", without), "event_keys_unset");
});

test("public routes need nothing", () => {
  assert.equal(guard("public", {}, { header: () => null }).problem, null);
});

test("a development server lets everybody in, whatever they send", () => {
  const dev = createGuard("dev", { signingKeys: [], eventKeys: [], apiKeys: [] }, () => 0);
  for (const access of ["public", "event", "signed", "key", "dev", ...scopes] satisfies Access[]) {
    const { problem, caller } = dev(access, {}, { header: () => "Bearer undefined" });
    assert.equal(problem, null);
    assert.ok(caller.may("admin"));
  }
});
