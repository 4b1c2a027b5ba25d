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
      { event: "until", timeout: "2030-01-01T00:00:00.000Z" },
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
    { event: "stop", condition: null, timeout: null },
    { event: "off", condition: "event.data.id == async.data.id", timeout: { forMs: 3_600_000 } },
    { event: "until", condition: null, timeout: { at: Date.UTC(2030, 0, 1) } },
  ]);
  assert.equal(flow.startTimeoutMs, 10_000);
  assert.equal(flow.finishTimeoutMs, 129_600_000);
  assert.deepEqual(read({ singleton: { mode: 0 } }).singleton, { mode: "skip", key: null });
});

test("what Go sends for what nobody set: limits of 0 and lists that are null", () => {
  const throttle = { limit: 0, period: "5s", burst: 0, key: null };
  assert.deepEqual(read({ throttle }).throttle, { limit: 1, periodMs: 5_000, burst: 0, key: null });
  assert.deepEqual(read({ concurrency: { fn: null, step: null } }).concurrency, []);
  assert.deepEqual(read({ concurrency: { fn: null, step: [{ limit: 2 }] } }).concurrency, [
    { limit: 2, key: null, scope: "fn" },
  ]);
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
    [{ cancel: [{ event: "e", timeout: "soon" }] }, /timeout must be a duration.*or a timestamp/],
    [{ cancel: [{ if: "true" }] }, /inside cancel\[0\]: event must be the name of an event/],
  ];
  for (const [config, message] of cases) {
    assert.throws(() => read(config), { code: "registration_invalid", message });
    assert.throws(() => read(config), { message: /Function "app-fn"/ });
  }
});
