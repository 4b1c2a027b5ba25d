import assert from "node:assert/strict";
import { test } from "node:test";
import { readFlow } from "./flow-wire.ts";
import { toJsonText } from "./json-text.ts";

const read = (config: unknown) => readFlow("app-fn", toJsonText(config));

test("nothing registered is nothing limited", () => {
  const flow = read({ id: "app-fn", Singleton: null, concurrency: null });
  assert.deepEqual(flow.concurrency, []);
  assert.equal(flow.singleton, null);
  assert.equal(flow.batch, null);
  assert.equal(flow.finishTimeoutMs, null);
});

test("concurrency: a number, a limit, a list, and Go's object of lists", () => {
  const plain = { limit: 5, key: null, scope: "fn" };
  assert.deepEqual(read({ concurrency: 5 }).concurrency, [plain]);
  assert.deepEqual(read({ concurrency: { limit: 5 } }).concurrency, [plain]);
  assert.deepEqual(
    read({ concurrency: [{ limit: 5 }, { limit: 2, key: "event.data.a", scope: "account" }] })
      .concurrency,
    [plain, { limit: 2, key: "event.data.a", scope: "account" }],
  );
  const go = {
    fn: [{ limit: 5, key: "k", hash: "" }],
    step: [{ limit: 3, scope: "Account", key: "r" }],
  };
  assert.deepEqual(read({ concurrency: go }).concurrency, [
    { limit: 5, key: "k", scope: "fn" },
    { limit: 3, key: "r", scope: "account" },
  ]);
});

test("rates, debounce, batch, priority, singleton, cancel and timeouts in the words of each SDK", () => {
  const flow = read({
    throttle: { limit: 10, period: "1m", burst: 2, key: "event.data.user" },
    rateLimit: { limit: 4, period: "1m30s" },
    debounce: { period: "1s500ms", timeout: "5m" },
    batchEvents: { maxSize: 5, timeout: "10s", key: "k", if: "event.data.vip != true" },
    priority: { run: "120" },
    Singleton: { mode: "cancel", key: "u" },
    idempotency: "event.data.id",
    cancel: [
      { event: "stop" },
      { event: "off", if: "event.data.id == async.data.id", timeout: "1h" },
    ],
    timeouts: { start: "10s", finish: "1d12h" },
  });
  assert.deepEqual(flow.throttle, {
    limit: 10,
    periodMs: 60_000,
    burst: 2,
    key: "event.data.user",
  });
  assert.deepEqual(flow.rateLimit, { limit: 4, periodMs: 90_000, key: null });
  assert.deepEqual(flow.debounce, { periodMs: 1_500, timeoutMs: 300_000, key: null });
  assert.deepEqual(flow.batch, {
    sizeMax: 5,
    timeoutMs: 10_000,
    key: "k",
    condition: "event.data.vip != true",
  });
  assert.equal(flow.priority, "120");
  assert.deepEqual(flow.singleton, { mode: "cancel", key: "u" });
  assert.equal(flow.idempotency, "event.data.id");
  assert.deepEqual(flow.cancel, [
    { event: "stop", condition: null, timeoutMs: null },
    { event: "off", condition: "event.data.id == async.data.id", timeoutMs: 3_600_000 },
  ]);
  assert.equal(flow.startTimeoutMs, 10_000);
  assert.equal(flow.finishTimeoutMs, 129_600_000);
  assert.deepEqual(read({ singleton: { mode: 0 } }).singleton, { mode: "skip", key: null });
});

test("what cannot be read is refused by function and field", () => {
  const cases: readonly [unknown, RegExp][] = [
    [{ concurrency: "many" }, /concurrency must be an object/],
    [{ concurrency: [{ key: "x" }] }, /inside concurrency\[0\]: limit must be/],
    [{ concurrency: { limit: 1, scope: "galaxy" } }, /scope must be "fn", "env" or "account"/],
    [
      { throttle: { limit: 1, period: "soon" } },
      /inside throttle: period must be a duration.*not "soon"/,
    ],
    [{ rateLimit: { limit: 1 } }, /inside rateLimit: period must be a duration/],
    [{ batchEvents: { timeout: "1s" } }, /maxSize must be/],
    [{ singleton: { mode: "queue" } }, /mode must be "skip" or "cancel"/],
    [{ cancel: [{ if: "true" }] }, /inside cancel\[0\]: event must be the name of an event/],
  ];
  for (const [config, message] of cases) {
    assert.throws(() => read(config), { code: "registration_invalid", message });
    assert.throws(() => read(config), { message: /Function "app-fn"/ });
  }
});
