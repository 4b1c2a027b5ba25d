// Definitions of clients and functions: mistakes are refused where they are made.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pawl } from "../client/pawl.ts";
import { PawlError, type PawlErrorCode } from "../errors.ts";
import { createHandler } from "../serve/handler.ts";
import { FakeWorld, devClient } from "../test-kit.ts";

const definitions: readonly [string, (client: Pawl) => unknown, PawlErrorCode][] = [
  [
    "no id",
    (client) => client.createFunction({ id: "" }, { event: "a" }, () => 1),
    "function_id_invalid",
  ],
  [
    "an id with a space",
    (client) => client.createFunction({ id: "a b" }, { event: "a" }, () => 1),
    "function_id_invalid",
  ],
  ["no trigger", (client) => client.createFunction({ id: "f" }, [], () => 1), "trigger_missing"],
  [
    "an empty trigger",
    (client) => client.createFunction({ id: "f" }, { event: "" }, () => 1),
    "trigger_invalid",
  ],
  [
    "a cron of seven fields",
    (client) => client.createFunction({ id: "f" }, { cron: "* * * * * * *" }, () => 1),
    "trigger_invalid",
  ],
  [
    "a trigger twice",
    (client) => client.createFunction({ id: "f" }, [{ event: "a" }, { event: "a" }], () => 1),
    "trigger_duplicate",
  ],
  [
    "eleven triggers",
    (client) =>
      client.createFunction(
        { id: "f" },
        Array.from({ length: 11 }, (_, n) => ({ event: `e${n}` })),
        () => 1,
      ),
    "triggers_too_many",
  ],
  [
    "21 retries",
    (client) => client.createFunction({ id: "f", retries: 21 }, { event: "a" }, () => 1),
    "retries_invalid",
  ],
  [
    "half a retry",
    (client) => client.createFunction({ id: "f", retries: 0.5 }, { event: "a" }, () => 1),
    "retries_invalid",
  ],
  [
    "a wrong duration",
    (client) =>
      client.createFunction({ id: "f", timeouts: { finish: "1 hour" } }, { event: "a" }, () => 1),
    "duration_invalid",
  ],
  [
    "batch and debounce",
    (client) =>
      client.createFunction(
        { id: "f", batchEvents: { maxSize: 2, timeout: "1s" }, debounce: { period: "1s" } },
        { event: "a" },
        () => 1,
      ),
    "option_invalid",
  ],
  [
    "a function twice",
    (client) => {
      const fn = client.createFunction({ id: "f" }, { event: "a" }, () => 1);
      return createHandler("test", { client, functions: [fn, fn] });
    },
    "function_duplicate",
  ],
  ["a bad app id", () => new Pawl({ id: "" }), "app_id_invalid"],
  ["a bad URL", () => new Pawl({ id: "a", baseUrl: "nope" }), "option_invalid"],
];
for (const [what, define, code] of definitions) {
  test(`${what} is refused when it is defined: ${code}`, () => {
    const client = devClient(new FakeWorld());
    assert.throws(
      () => define(client),
      (error: unknown) => error instanceof PawlError && error.code === code,
    );
  });
}

test("the environment is read, and options beat it", () => {
  const env: Record<string, string> = {
    PAWL_DEV: "http://dev.test:9999/",
    PAWL_EVENT_KEY: "ek",
    PAWL_SIGNING_KEY: "aa",
    PAWL_SIGNING_KEY_FALLBACK: "bb",
    PAWL_ENV: "branch",
  };
  const runtime = { env: (name: string) => env[name] };
  const { connection } = new Pawl({ id: "a", runtime });
  assert.deepEqual(
    [
      connection.isDev,
      connection.baseUrl,
      connection.eventKey,
      connection.signingKeys,
      connection.env,
    ],
    [true, "http://dev.test:9999", "ek", ["aa", "bb"], "branch"],
  );
  const other = new Pawl({ id: "a", isDev: false, baseUrl: "https://x.test/base/", runtime })
    .connection;
  assert.deepEqual([other.isDev, other.baseUrl], [false, "https://x.test/base"]);
});
