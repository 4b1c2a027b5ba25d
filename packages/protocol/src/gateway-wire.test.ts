import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseGatewayRequest, redacted, urlForPeople } from "./gateway-wire.ts";
import { readOpcodes } from "./opcode-wire.ts";
import type { GatewayOpcode } from "./opcode.ts";

function read(op: "Gateway" | "AIGateway", opts: unknown, more: object = {}): GatewayOpcode {
  const [opcode] = readOpcodes(JSON.stringify([{ op, id: "a1", opts, ...more }]));
  assert.ok(opcode?.op === "Gateway");
  return opcode;
}

const shown = ({ opts }: GatewayOpcode): unknown => JSON.parse(opts ?? "null");
const sent = ({ request }: GatewayOpcode) => parseGatewayRequest(request);

test("step.fetch: method, headers and body as given; GET without any", () => {
  const opcode = read("Gateway", {
    url: "https://a.test/x",
    method: "put",
    headers: { "X-A": "1", n: 5, list: ["a", "b"], none: null },
    body: "text",
  });
  assert.deepEqual([opcode.kind, opcode.stepType], ["fetch", "step.fetch"]);
  assert.deepEqual(sent(opcode), {
    url: "https://a.test/x",
    method: "PUT",
    headers: { "x-a": "1", n: "5", list: "a, b" },
    body: "text",
  });
  assert.deepEqual(sent(read("Gateway", { url: "https://a.test" })), {
    url: "https://a.test",
    method: "GET",
    headers: {},
    body: null,
  });
});

test("step.ai.infer: a POST of the body as it came, with the key where the provider wants it", () => {
  const key = "sk-secret";
  const wanted: Record<string, object> = {
    "openai-chat": { authorization: `Bearer ${key}` },
    "openai-responses": { authorization: `Bearer ${key}` },
    grok: { authorization: `Bearer ${key}` },
    other: { authorization: `Bearer ${key}` },
    anthropic: { "x-api-key": key },
    gemini: { "x-goog-api-key": key },
    "azure-openai": { "api-key": key },
  };
  for (const [format, auth] of Object.entries(wanted)) {
    const opcode = read("AIGateway", {
      url: "https://a.test",
      format,
      auth_key: key,
      body: { q: 1 },
    });
    assert.deepEqual(sent(opcode), {
      url: "https://a.test",
      method: "POST",
      headers: { ...auth, "content-type": "application/json" },
      body: '{"q":1}',
    });
    assert.ok(!opcode.opts?.includes(key), format);
  }
  const own = read("AIGateway", {
    url: "https://a.test",
    auth_key: key,
    headers: { Authorization: "Basic x", "Content-Type": "a/b" },
  });
  assert.deepEqual(sent(own).headers, { authorization: "Basic x", "content-type": "a/b" });
  const gemini = { url: "https://a.test/x?alt=json&key=k", format: "gemini", auth_key: key };
  assert.deepEqual(Object.keys(sent(read("AIGateway", gemini)).headers), ["content-type"]);
  assert.deepEqual(sent(read("AIGateway", { url: "u", auth_key: "" })).headers, {
    "content-type": "application/json",
  });
});

test("numbers in the body of a request are not touched", () => {
  const [opcode] = readOpcodes(
    '[{"op":"AIGateway","id":"a","opts":{"url":"u","body":{ "n":12345678901234567890 }}}]',
  );
  assert.ok(opcode?.op === "Gateway");
  assert.equal(sent(opcode).body, '{ "n":12345678901234567890 }');
});

test("people see what is asked for, and no secret", () => {
  const opcode = read("Gateway", {
    url: "https://me:pw@a.test/x?key=k1&b=k2#k3",
    method: "POST",
    headers: { "X-Token": "k4", "Content-Type": "application/json" },
    body: "shown",
    parallelMode: "race",
    extra: "k5",
    auth_key: "k6",
  });
  assert.deepEqual(shown(opcode), {
    type: "step.fetch",
    url: `https://${redacted}@a.test/x?key=${redacted}&b=${redacted}`,
    method: "POST",
    parallelMode: "race",
    headers: { "x-token": redacted, "content-type": "application/json" },
    body: "shown",
  });
  assert.ok(opcode.race);
  const form = read("Gateway", {
    url: "https://a.test",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "client_secret=k",
  });
  assert.doesNotMatch(form.opts ?? "", /client_secret/);
});

test("whatever a header, the key or the query holds, it is not among what people see", () => {
  const secret = fc.stringMatching(/^[A-Z]{12}$/);
  const name = fc.stringMatching(/^x-[a-z]{1,8}$/);
  fc.assert(
    fc.property(secret, name, fc.constantFrom("Gateway", "AIGateway"), (value, header, op) => {
      const url = `https://u:${value}@a.test/p?a=${value}&${header}=${value}#${value}`;
      const opcode = read(op, { url, auth_key: value, headers: { [header]: value } });
      assert.ok(!opcode.opts?.includes(value), opcode.opts ?? "");
      assert.ok(opcode.request.includes(value));
    }),
  );
});

test("URLs for people, also of texts that are none", () => {
  assert.equal(urlForPeople("https://a.test/x"), "https://a.test/x");
  assert.equal(urlForPeople("a@b?c"), "a@b?c=[redacted]");
  assert.equal(urlForPeople("http:a:b@c/d"), "http:[redacted]@c/d");
  assert.equal(urlForPeople("https://a.test/x@y"), "https://a.test/x@y");
  assert.equal(urlForPeople(""), "");
});

test("retries of the step alone, and what is refused", () => {
  assert.equal(read("Gateway", { url: "u", retries: 2 }).retries, 2);
  const refused = (opts: object, message: RegExp): void => {
    assert.throws(() => read("Gateway", opts), { code: "opcode_invalid", message });
  };
  refused({}, /inside opts: url must be a URL/);
  refused({ url: "" }, /url must be a URL/);
  refused({ url: 5 }, /url must be a string/);
  refused({ url: "u", headers: [] }, /headers must be an object/);
  refused({ url: "u", method: 5 }, /method must be a string/);
});
