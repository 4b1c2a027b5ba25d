import assert from "node:assert/strict";
import { test } from "node:test";
import { toJsonText } from "@pawl/protocol/json-text";
import { World } from "../testing/world.ts";
import { worldWith } from "../testing/flow.ts";
import { flowProblem } from "./problem.ts";

const batch = { maxSize: 5, timeout: "5s" };
const limit = { limit: 1, period: "1m" };

const refused: readonly (readonly [object, string, RegExp])[] = [
  [{ batchEvents: batch, debounce: { period: "1s" } }, "combo_unsupported", /debounce/],
  [
    { batchEvents: batch, rateLimit: limit, priority: { run: "1" } },
    "combo_unsupported",
    /rateLimit, priority/,
  ],
  [{ concurrency: [1, 2, 3].map((n) => ({ limit: n })) }, "concurrency_limit_invalid", /at most 2/],
  [{ concurrency: { limit: 1, scope: "env" } }, "concurrency_limit_invalid", /"env" needs a key/],
  [{ batchEvents: { maxSize: 1, timeout: "5s" } }, "batch_size_invalid", /from 2 to 100/],
  [{ batchEvents: { maxSize: 101, timeout: "5s" } }, "batch_size_invalid", /is 101/],
  [{ batchEvents: { maxSize: 2, timeout: "61s" } }, "batch_timeout_invalid", /at most 1m/],
  [{ batchEvents: { maxSize: 2, timeout: "10ms" } }, "batch_timeout_invalid", /at least 1s/],
  [{ debounce: { period: "8d" } }, "config_invalid", /debounce.period/],
  [{ debounce: { period: "500ms" } }, "config_invalid", /debounce.period is 500ms/],
  [{ debounce: { period: "1s", timeout: "1ms" } }, "config_invalid", /debounce.timeout/],
  [{ rateLimit: { limit: 1, period: "25h" } }, "config_invalid", /rateLimit.period/],
  [{ rateLimit: { limit: 0, period: "1h" } }, "config_invalid", /limit/],
  [{ throttle: { limit: 1, period: "1ms" } }, "config_invalid", /throttle.period/],
  [{ throttle: { limit: 1, period: "soon" } }, "config_invalid", /soon/],
  [{ timeouts: { finish: "0s" } }, "config_invalid", /timeouts.finish/],
  [
    { cancel: Array.from({ length: 6 }, () => ({ event: "e" })) },
    "config_invalid",
    /at most 5 .*Combine/,
  ],
  [{ singleton: { mode: "maybe" } }, "config_invalid", /mode/],
  [{ concurrency: { limit: 1, key: "event.data.(" } }, "config_invalid", /concurrency.key/],
  [{ throttle: { ...limit, key: "(" } }, "config_invalid", /throttle.key/],
  [{ rateLimit: { ...limit, key: "(" } }, "config_invalid", /rateLimit.key/],
  [{ idempotency: "(" }, "config_invalid", /idempotency/],
  [{ debounce: { period: "1s", key: "(" } }, "config_invalid", /debounce.key/],
  [{ batchEvents: { ...batch, key: "(" } }, "config_invalid", /batchEvents.key/],
  [{ batchEvents: { ...batch, if: "(" } }, "config_invalid", /batchEvents.if/],
  [{ priority: { run: "(" } }, "config_invalid", /priority.run/],
  [{ singleton: { mode: "skip", key: "(" } }, "config_invalid", /singleton.key/],
  [{ cancel: [{ event: "e", if: "(" }] }, "config_invalid", /cancelOn.if/],
];

test("what cannot work is refused, with code, function and field", () => {
  for (const [options, code, message] of refused) {
    const problem = flowProblem({ slug: "app-fn", config: toJsonText(options) });
    assert.equal(problem?.code, code, JSON.stringify(options));
    assert.match(problem.message, message);
    assert.match(problem.message, /app-fn/);
  }
});

test("what can work is not", () => {
  const accepted: readonly object[] = [
    {},
    { concurrency: 0 },
    { concurrency: [{ limit: 2 }, { limit: 1, key: "event.data.u", scope: "account" }] },
    { batchEvents: { maxSize: 100, timeout: "60s", key: "event.data.u" }, concurrency: 1 },
    { debounce: { period: "7d", timeout: "30d" }, rateLimit: { limit: 1, period: "24h" } },
    {
      cancel: Array.from({ length: 5 }, () => ({
        event: "e",
        if: "async.data.u == event.data.u",
        timeout: "1h",
      })),
    },
    { timeouts: { start: "1s", finish: "90d" }, singleton: { mode: "cancel" } },
    { cancel: [{ event: "e", timeout: "2030-01-01T00:00:00.000Z" }] },
  ];
  for (const options of accepted)
    assert.equal(flowProblem({ slug: "app-fn", config: toJsonText(options) }), null);
});

test("a refused sync changes nothing and says why", () => {
  const world = worldWith({ fn: { concurrency: 2 } });
  const reply = world.sync("app", [World.flow("fn", { concurrency: { limit: 1, scope: "env" } })]);
  assert.ok(!reply.ok && reply.code === "concurrency_limit_invalid");
  assert.match(world.state.functionBySlug("fn")?.config ?? "", /"concurrency":2/);
});
