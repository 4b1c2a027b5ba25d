// Each wrong option is refused when the function is defined, in words that name the option, its value
// and what is accepted. The table is about what the type checker cannot see, and about plain JavaScript.
import assert from "node:assert/strict";
import { test } from "node:test";
import { flowLimitProblem } from "@pawl/protocol/flow-limits";
import { readFlow } from "@pawl/protocol/flow-wire";
import { toJsonText } from "@pawl/protocol/json-text";
import { PawlError } from "../errors.ts";
import { devClient, FakeWorld } from "../test-kit.ts";
import type { FlowOptions, Trigger } from "./options.ts";
import { registerFunction } from "./registration.ts";

function define(options: object, trigger: Trigger = { event: "a" }): void {
  devClient(new FakeWorld()).createFunction({ id: "f", ...options }, trigger, () => 1);
}

function refusalOf(options: object, trigger?: Trigger): PawlError {
  try {
    define(options, trigger);
  } catch (error) {
    if (error instanceof PawlError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: `${JSON.stringify(options)} was accepted` });
}

const batch = { maxSize: 2, timeout: "1s" };
const rate = { limit: 1, period: "1m" };
const six = Array.from({ length: 6 }, () => ({ event: "e" }));

const refused: readonly (readonly [options: object, said: RegExp])[] = [
  [{ retries: "3" }, /Retries of function "f" are "3"; expected a whole number/],
  [{ name: 5 }, /name of function "f" is 5; expected a text/],
  [{ concurency: 5 }, /there is no "concurency"; expected id, name, .*concurrency/],
  [{ concurrency: "5" }, /concurrency .* is "5"; expected an object with limit, key, scope/],
  [{ concurrency: null }, /concurrency .* is null/],
  [{ concurrency: Number.NaN }, /concurrency .* is NaN; expected a whole number/],
  [{ concurrency: [5] }, /concurrency .* is 5; expected an object/],
  [{ concurrency: { key: "event.data.u" } }, /concurrency .*"limit" is missing/],
  [{ throttle: 5 }, /throttle .* is 5; expected an object with limit, period, burst, key/],
  [{ throttle: { limit: 1 } }, /throttle .*"period" is missing/],
  [{ throttle: { ...rate, rate: 5 } }, /throttle .*there is no "rate"/],
  [{ rateLimit: { period: "1m" } }, /rateLimit .*"limit" is missing/],
  [{ debounce: "5s" }, /debounce .* is "5s"; expected an object with period, timeout, key/],
  [{ debounce: { delay: "1s" } }, /debounce .*there is no "delay"; expected period/],
  [
    { batchEvents: { size: 5, timeout: "1s" } },
    /batchEvents .*there is no "size"; expected maxSize/,
  ],
  [{ priority: "1" }, /priority .* is "1"; expected an object with run/],
  [{ priority: {} }, /priority .*"run" is missing/],
  [{ timeouts: 5 }, /timeouts .* is 5; expected an object with start, finish/],
  [{ timeouts: { end: "1s" } }, /timeouts .*there is no "end"; expected start, finish/],
  [{ singleton: true }, /singleton .* is true; expected an object with mode, key/],
  [{ cancelOn: { event: "e" } }, /cancelOn .* expected a list/],
  [{ cancelOn: [null] }, /cancelOn .* is null; expected an object/],
  [{ cancelOn: [{}] }, /cancelOn .*"event" is missing/],
  [{ cancelOn: [{ event: "e", match: "data.a == 1" }] }, /cancelOn\.match .*a path such as/],
  [{ checkpointing: "yes" }, /checkpointing .* is "yes"/],
  [{ retries: -1 }, /Retries of function "f" are -1; expected a whole number from 0 to 20/],
  [
    { throttle: { ...rate, period: "10 minutes" } },
    /throttle\.period of function "f" is "10 minutes"; .*write "10m"/,
  ],
  [{ debounce: { period: "2 Hours" } }, /write "2h"/],
  [{ rateLimit: { ...rate, period: "1.5 days" } }, /write "1.5d"/],
  [{ timeouts: { start: "30 sec" } }, /timeouts\.start .*write "30s"/],
  [
    { timeouts: { finish: "soon" } },
    /is "soon"; expected ms from 0, or a text such as "1h30m" with w, d, h, m, s, ms\.$/,
  ],
  [{ timeouts: { finish: Number.NaN } }, /is NaN; expected ms/],
  [{ timeouts: { finish: null } }, /is null; expected ms/],
  [{ timeouts: { finish: {} } }, /expected ms/],
  [{ timeouts: { finish: 60 } }, /timeouts\.finish is 60ms; it must be at least 1s/],
  [{ concurrency: 1.5 }, /concurrency of function "f" is 1\.5; expected a whole number from 0/],
  [{ concurrency: { limit: -1 } }, /is -1; expected a whole number from 0/],
  [
    { concurrency: { limit: 1, scope: "app" } },
    /concurrency\.scope .* is "app"; expected "fn" or "env" or "account"/,
  ],
  [{ concurrency: { limit: 1, scope: "env" } }, /scope "env" needs a key/],
  [{ concurrency: [1, 2, 3].map((limit) => ({ limit })) }, /has 3 limits; at most 2/],
  [{ concurrency: { limit: 1, key: " " } }, /concurrency\.key .*expected a CEL expression/],
  [{ throttle: { ...rate, limit: 0 } }, /throttle\.limit .*from 1/],
  [{ throttle: { ...rate, burst: -1 } }, /throttle\.burst .*from 0/],
  [{ throttle: { ...rate, period: "500ms" } }, /throttle\.period is 500ms; it must be at least 1s/],
  [{ throttle: { ...rate, key: 5 } }, /throttle\.key .* is 5; expected a CEL expression/],
  [{ rateLimit: { ...rate, limit: 0.5 } }, /rateLimit\.limit/],
  [{ rateLimit: { ...rate, period: "25h" } }, /rateLimit\.period is 1d1h; .* at most 1d/],
  [{ debounce: { period: "8d" } }, /debounce\.period is 1w1d; .* at most 1w/],
  [{ debounce: { period: "1s", timeout: 1 } }, /debounce\.timeout is 1ms/],
  [
    { batchEvents: { ...batch, maxSize: 1 } },
    /batchEvents\.maxSize is 1; it must be from 2 to 100/,
  ],
  [{ batchEvents: { ...batch, maxSize: 101 } }, /maxSize is 101/],
  [{ batchEvents: { ...batch, timeout: "2m" } }, /batchEvents\.timeout is 2m; .* at most 1m/],
  [{ batchEvents: { ...batch, if: "" } }, /batchEvents\.if .*CEL/],
  [
    { batchEvents: batch, debounce: { period: "1s" } },
    /cannot be combined with debounce, which .* Remove one/,
  ],
  [{ batchEvents: batch, rateLimit: rate, priority: { run: "1" } }, /with rateLimit, priority/],
  [{ priority: { run: 10 } }, /priority\.run .* is 10; expected a CEL expression/],
  [{ idempotency: "" }, /idempotency/],
  [{ singleton: { mode: "wait" } }, /singleton\.mode .* is "wait"; expected "skip" or "cancel"/],
  [{ singleton: { mode: "skip", key: false } }, /singleton\.key/],
  [{ cancelOn: six }, /cancelOn has 6 entries; at most 5/],
  [{ cancelOn: [{ event: "" }] }, /cancelOn\.event .*the name of an event/],
  [{ cancelOn: [{ event: "e", if: "a", match: "b" }] }, /both "if" and "match"/],
  [{ cancelOn: [{ event: "e", match: "" }] }, /cancelOn\.match .*a path such as/],
  [{ cancelOn: [{ event: "e", timeout: "5 days" }] }, /cancelOn\.timeout .*write "5d"/],
  [{ checkpointing: { bufferedSteps: 0 } }, /bufferedSteps .*from 1/],
  [{ checkpointing: { maxRuntime: "1 minute" } }, /maxRuntime .*write "1m"/],
];
for (const [options, said] of refused) {
  test(`${JSON.stringify(options)} is refused where it is defined`, () => {
    const { code, message } = refusalOf(options);
    assert.match(message, said);
    assert.match(message, /unction "f"/);
    assert.ok(["option_invalid", "duration_invalid", "retries_invalid"].includes(code), code);
  });
}

const crons: readonly (readonly [trigger: Trigger, said: RegExp])[] = [
  [{ cron: "* * * *" }, /has 4 fields, expected 5, or 6 with seconds/],
  [
    { cron: "TZ=Europe/Atlantis 0 9 * * *" },
    /names the time zone "Europe\/Atlantis": expected one such as/,
  ],
  [{ cron: "TZ=Europe/Paris" }, /fields/],
  [{ cron: "61 * * * *" }, /has "61" for its minutes, which are 0 to 59/],
  [{ cron: "0 9 * * mo" }, /has "mo" for its days of the week/],
  [{ cron: "0 25 * * *" }, /has "25" for its hours/],
  [{ cron: "*/0 * * * *" }, /has "\*\/0" for its minutes/],
  [{ cron: "@every 1h" }, /is no name of times; one such is "@daily"/],
  [{ event: "a".repeat(257) }, /257 characters, the most is 256/],
  [{ event: "a", cron: "* * * * *" }, /has both event and cron/],
  [{ cron: "0 9 * * *", jitter: "5 minutes" }, /jitter .*write "5m"/],
];
for (const [trigger, said] of crons) {
  test(`${JSON.stringify(trigger)} is refused where it is defined`, () => {
    assert.match(refusalOf({}, trigger).message, said);
  });
}

const accepted: readonly FlowOptions[] = [
  {},
  { concurrency: 0 },
  { concurrency: [{ limit: 2 }, { limit: 1, key: "event.data.u", scope: "account" }] },
  { throttle: { limit: 1, period: "1s", burst: 0 }, rateLimit: { limit: 5, period: "24h" } },
  { debounce: { period: "7d", timeout: "30d" }, priority: { run: "event.data.vip ? 60 : 0" } },
  {
    batchEvents: { maxSize: 100, timeout: "60s", key: "event.data.u", if: "true" },
    concurrency: 1,
  },
  {
    cancelOn: [
      { event: "e", match: "data.u", timeout: "1h" },
      { event: "f", timeout: 1 },
    ],
  },
  {
    timeouts: { start: 1_000, finish: "90d" },
    singleton: { mode: "cancel" },
    idempotency: "event.id",
  },
];
for (const options of accepted) {
  test(`${JSON.stringify(options)} is accepted here and by the server`, () => {
    define(options);
    const config = registerFunction({
      slug: "app-f",
      name: "f",
      settings: { id: "f", ...options },
      triggers: [{ event: "a" }],
      url: "http://app.test/api/pawl",
    });
    assert.equal(flowLimitProblem(readFlow("app-f", toJsonText(config))), null);
  });
}
test("a cron with a zone and jitter is accepted", () => {
  define({}, { cron: "TZ=Asia/Kolkata 0 9 * * 1-5", jitter: "30s" });
  for (const cron of [
    "*/10 * * * * *",
    "0/5 * * * *",
    "@daily",
    "0 0 L * FRI#2",
    "0 9 1-5,20 JAN-MAR +MON",
  ])
    define({}, { cron });
});

test("what the server would refuse is refused in its own words", () => {
  const options = { concurrency: { limit: 1, scope: "env" as const } };
  const server = flowLimitProblem(readFlow("f", toJsonText(options)));
  assert.equal(refusalOf(options).message, `Function "f": ${server?.message ?? ""}`);
});
