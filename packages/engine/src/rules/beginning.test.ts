// When a run has begun: with the first call that its app answers, not with those that found nobody.
import assert from "node:assert/strict";
import { test } from "node:test";
import { toJsonText } from "@pawl/protocol/json-text";
import { erred, planned, ran, sleeps } from "../testing/opcodes.ts";
import { start, statuses, worldWith } from "../testing/flow.ts";
import type { World } from "../testing/world.ts";

const finish = { timeouts: { finish: "10s" } };

/** The call found no app: nobody says which version it speaks. */
function nobody(world: World, runId: string): void {
  world.answer(runId, "step", {
    kind: "failed",
    error: toJsonText({ name: "Error", message: "connection refused", code: "http_unreachable" }),
    noRetry: false,
    retryAfterMs: null,
    requestVersion: null,
  });
}

/** The next attempt goes out at its time. */
function retry(world: World, runId: string): void {
  const { state } = world.call(runId);
  assert.ok(state.at === "delayed", state.at);
  world.wake(runId, "step", state.dueAt);
}

test("an app that was down at the first call is asked for its version again", () => {
  const world = worldWith({ fn: {} });
  const id = start(world, "fn");
  nobody(world, id);
  assert.equal(world.run(id).run.requestVersion, -1);
  retry(world, id);
  world.ops(id, "step", [planned("a"), planned("b")]);
  assert.equal(world.run(id).run.requestVersion, 2);
  nobody(world, start(world, "fn"));
});

test("an app that answers without a version speaks the oldest that has opcodes", () => {
  const world = worldWith({ fn: {} });
  const id = start(world, "fn");
  const answer = { kind: "opcodes", opcodes: [ran("a")], retryAfterMs: null } as const;
  world.answer(id, "step", { ...answer, requestVersion: null });
  assert.equal(world.run(id).run.requestVersion, 1);
});

test("timeouts.finish counts from the first call that the app answers", () => {
  const world = worldWith({ fn: finish });
  const id = start(world, "fn");
  for (let attempt = 0; attempt < 2; attempt++) {
    world.at += 1_000;
    nobody(world, id);
    world.wake(id, "deadline:finish", world.at + 10_000);
    assert.deepEqual(statuses(world, [id]), ["running"], "the app is down; no time is used up");
    retry(world, id);
  }
  const begun = world.at;
  assert.equal(world.run(id).run.startedAt, begun);
  world.at += 4_000;
  world.ops(id, "step", [ran("one"), sleeps("nap", 60_000)]);
  world.wake(id, "deadline:finish", begun + 9_999);
  assert.deepEqual(statuses(world, [id]), ["running"]);
  world.wake(id, "deadline:finish", begun + 10_000);
  assert.deepEqual(statuses(world, [id]), ["cancelled"]);
  assert.equal(world.run(id).run.startedAt, begun);
});

test("timeouts.finish counts on while an answered call is retried", () => {
  for (const fails of [
    (world: World, id: string) => world.ops(id, "step", [erred("one")]),
    (world: World, id: string) => world.fail(id),
  ]) {
    const world = worldWith({ fn: finish });
    const id = start(world, "fn");
    fails(world, id);
    world.wake(id, "deadline:finish", world.at + 10_000);
    assert.deepEqual(statuses(world, [id]), ["cancelled"]);
  }
});

test("steps that a call saved before it was lost show that it had begun", () => {
  const world = worldWith({ fn: finish });
  const id = start(world, "fn");
  const begun = world.at;
  const { generation } = world.call(id);
  const opcodes = [ran("one")];
  const jobId = "step";
  const requestId = world.requestId(id);
  world.do({ type: "checkpoint.received", runId: id, jobId, requestId, opcodes });
  world.at += 9_000;
  world.do({ type: "call.lost", runId: id, jobId, generation });
  assert.equal(world.run(id).run.startedAt, begun);
  world.fail(id);
  world.wake(id, "deadline:finish", begun + 10_000);
  assert.deepEqual(statuses(world, [id]), ["cancelled"]);
});

/** Names of the events that were stored since. */
function eventsSince(world: World, from: number): string[] {
  return world.changes.slice(from).flatMap((c) => (c.type === "event.put" ? [c.event.name] : []));
}

test("a function that hears of cancelled runs and fails has its onFailure; no cancel tells of a cancel", () => {
  const world = worldWith({ fn: {} });
  const on = (event: string) => [{ kind: "event" as const, event, expression: null }];
  const cleanup = { slug: "cleanup", triggers: on("inngest/function.cancelled"), retries: 0 };
  const failure = { slug: "cleanup-failure", triggers: on("inngest/function.failed") };
  world.sync("other", [cleanup, failure]);
  const cancel = (runId: string) => world.do({ type: "run.cancelled", runId, reason: "test" });
  const runOf = (slug: string) =>
    world.runIds().findLast((id) => world.run(id).run.functionId === `id-${slug}`) ?? "";
  cancel(start(world, "fn"));
  world.fail(runOf("cleanup"));
  assert.deepEqual(statuses(world, [runOf("cleanup"), runOf("cleanup-failure")]), [
    "failed",
    "running",
  ]);
  world.at++;
  cancel(start(world, "fn"));
  const from = world.changes.length;
  cancel(runOf("cleanup"));
  assert.deepEqual(eventsSince(world, from), []);
});
