import assert from "node:assert/strict";
import { test } from "node:test";
import { isUlid } from "@pawl/protocol/ulid";
import fc from "fast-check";
import { Random } from "./random.ts";
import { appsShard, entityKey, retentionShard, shardCount, shardOf } from "./shard.ts";
import { World } from "./testing/world.ts";

test("shards never change: rows of every database hold them", () => {
  assert.equal(shardCount, 64);
  const pinned: readonly (readonly [key: string, of64: number, of7: number])[] = [
    ["", 1, 1],
    ["a", 7, 2],
    ["b", 30, 1],
    ["apps", 50, 4],
    ["retention", 2, 0],
    ["gate:shared", 56, 0],
    ["gate:id-f:ü😀", 29, 6],
    ["01ARZ3NDEKTSV4RRFFQ69G5FAV", 50, 1],
    ["00000000000000000000000000", 51, 3],
  ];
  for (const [key, of64, of7] of pinned)
    assert.deepEqual([shardOf(key), shardOf(key, 7), shardOf(key, 1)], [of64, of7, 0], key);
  assert.deepEqual([appsShard, retentionShard], [50, 2]);
});

test("keys that differ little spread over all shards", () => {
  const counts = Array.from({ length: shardCount }, () => 0);
  for (let n = 0; n < 64_000; n++) {
    const shard = shardOf(`gate:7d793037-a076-5b1a-8a5d-3d5f1c9e4b21:${n}`);
    counts[shard] = (counts[shard] ?? 0) + 1;
  }
  assert.ok(Math.min(...counts) > 800 && Math.max(...counts) < 1_200, counts.join());
});

test("an id made for a shard is a fresh ULID in it, and those of one ms ascend", () => {
  const seed = fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat());
  const shard = fc.nat(shardCount - 1);
  fc.assert(
    fc.property(seed, fc.array(fc.option(shard), { minLength: 1 }), (seed, wanted) => {
      const random = new Random(seed);
      const at = Date.UTC(2026, 0, 1);
      const ids = wanted.map((to) => (to === null ? random.ulid(at) : random.ulidIn(at, to)));
      for (const [n, to] of wanted.entries()) {
        assert.ok(isUlid(ids[n] ?? ""));
        if (to !== null) assert.equal(shardOf(ids[n] ?? ""), to);
      }
      assert.deepEqual([...new Set(ids)].toSorted(), ids);
    }),
  );
});

test("each command has its entity", () => {
  const event = new World().event("e", {}, { id: "event" });
  const run = { runId: "run", jobId: "job" };
  const answer = { kind: "completed", memo: event.data, requestVersion: 2 } as const;
  const call = { ...run, generation: 0 };
  const before = { bounds: [], limit: 1 };
  const app = { appId: "a", url: "", error: "" };
  const invoked = { functionSlug: "f", event, parent: null };
  const child = { ...run, childRunId: "child", memo: event.data, failed: false };
  const after = { key: null, after: run };
  const keys = [
    entityKey({ type: "call.answered", ...call, sentAt: 0, answer }),
    entityKey({ type: "call.lost", ...call }),
    entityKey({ type: "call.admitted", ...run }),
    entityKey({ type: "checkpoint.received", ...run, requestId: null, opcodes: [] }),
    entityKey({ type: "timer.due", ...run }),
    entityKey({ type: "wait.matched", ...run, event }),
    entityKey({ type: "child.ended", ...child }),
    entityKey({ type: "run.cancelled", runId: "run", reason: "" }),
    entityKey({ type: "run.repaired", runId: "run" }),
    entityKey({ type: "run.triggered", gate: "gate:f", functionId: "f", event }),
    entityKey({ type: "run.invoked", newRunId: "new", ...invoked }),
    entityKey({ type: "run.invoked", newRunId: null, ...invoked }),
    entityKey({ type: "events.received", events: [event], resendable: false }),
    entityKey({ type: "waits.continued", event, ...after }),
    entityKey({ type: "signal.sent", signal: "s", data: event.data, types: null, id: null }),
    entityKey({ type: "schedule.due", scheduleId: "s" }),
    entityKey({ type: "schedule.changed", scheduleId: "s", patch: {} }),
    entityKey({ type: "schedule.removed", scheduleId: "s" }),
    entityKey({ type: "schedule.paused", scheduleId: "s", reason: null }),
    entityKey({ type: "schedule.resumed", scheduleId: "s" }),
    entityKey({ type: "schedule.triggered", scheduleId: "s" }),
    entityKey({ type: "schedule.runEnded", scheduleId: "s", runId: "run" }),
    entityKey({ type: "app.syncFailed", ...app }),
    entityKey({ type: "app.removed", appId: "a" }),
    entityKey({ type: "function.paused", functionId: "f" }),
    entityKey({ type: "function.resumed", functionId: "f" }),
    entityKey({ type: "function.limited", functionId: "f", limit: "steps", value: 1 }),
    entityKey({ type: "paths.indexed", paths: [] }),
    entityKey({ type: "retention.due", limitBytes: 1, ...before }),
  ];
  assert.deepEqual(keys, [
    ...Array.from({ length: 9 }, () => "run"),
    "gate:f",
    "new",
    null,
    "event",
    "event",
    "signal:s",
    ...Array.from({ length: 13 }, () => "apps"),
    "retention",
  ]);
});
