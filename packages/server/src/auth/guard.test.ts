// Who gets in and who does not: keys against the guard alone, without sockets or routes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hashSigningKey } from "@pawl/protocol/signature";
import { createGuard, type Keys } from "./guard.ts";
import type { Access } from "../http/router.ts";

const current = "signkey-prod-deadbeef";
const fallback = "cafe";
const keys: Keys = { signingKeys: [current, fallback], eventKeys: ["ek-1", "ek-2"] };
const guard = createGuard("cloud", keys);

function api(authorization: string | null, ask = guard): string | null {
  return (
    ask("api", {}, { header: (name) => (name === "authorization" ? authorization : null) })?.code ??
    null
  );
}

function event(key: string | undefined, ask = guard): string | null {
  return ask("event", key === undefined ? {} : { key }, { header: () => null })?.code ?? null;
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
  test(`bearer ${token} opens the API`, () => {
    assert.equal(api(`Bearer ${token}`), null);
    assert.equal(api(`bearer   ${token}`), null);
  });
}

for (const authorization of [
  null,
  "",
  "Bearer",
  "Bearer ",
  "Bearer undefined",
  "Bearer deadbee",
  `Basic ${current}`,
  "deadbeef",
  "Bearer ek-1",
]) {
  test(`authorization ${JSON.stringify(authorization)} does not`, () => {
    const isBearer = /^Bearer \S/.test(authorization ?? "");
    assert.equal(api(authorization), isBearer ? "unauthorized" : "authorization_missing");
  });
}

test("events need one of the event keys", () => {
  assert.equal(event("ek-1"), null);
  assert.equal(event("ek-2"), null);
  assert.equal(event("ek-3"), "event_key_unknown");
  assert.equal(event("deadbeef"), "event_key_unknown");
  assert.equal(event(undefined), "event_key_missing");
  assert.equal(event("ek-1", createGuard("cloud", { ...keys, eventKeys: [] })), "event_keys_unset");
});

test("open routes need nothing", () => {
  assert.equal(guard("open", {}, { header: () => null }), null);
});

test("a development server lets everybody in, whatever they send", () => {
  const dev = createGuard("dev", { signingKeys: [], eventKeys: [] });
  for (const access of ["open", "event", "api", "dev"] satisfies Access[]) {
    assert.equal(dev(access, {}, { header: () => "Bearer undefined" }), null);
  }
});
