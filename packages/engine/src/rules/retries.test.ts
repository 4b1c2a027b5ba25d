// Retries: budgets, backoff, Retry-After, errors that user code catches, late answers, lost calls.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Random } from "../random.ts";
import { defaultSettings } from "../settings.ts";
import { erred, planned, ran } from "../testing/opcodes.ts";
import { World } from "../testing/world.ts";
import { backoffJitterMs, backoffMs, backoffTableMs } from "./backoff.ts";

function started(retries = 3, settings = {}): { world: World; id: string } {
  const world = new World(settings);
  world.sync("app", [{ slug: "fn", retries }]);
  const [id] = world.send("fn");
  assert.ok(id);
  return { world, id };
}

function dueAt(world: World, id: string, jobId = "step"): number {
  const { state } = world.call(id, jobId);
  assert.ok(state.at === "delayed", `job ${jobId} is ${state.at}`);
  return state.dueAt;
}

test("the backoff table: entry of the failed attempt plus less than the jitter; the last repeats", () => {
  const seed = fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat());
  fc.assert(
    fc.property(fc.nat({ max: 40 }), seed, (attempt, numbers) => {
      const delay = backoffMs(attempt, null, defaultSettings, new Random(numbers));
      const base = backoffTableMs[Math.min(attempt, backoffTableMs.length - 1)] ?? NaN;
      assert.ok(delay >= base && delay < base + backoffJitterMs);
    }),
  );
});

test("Retry-After is exact, within one second and one day", () => {
  const random = new Random([1, 2, 3, 4]);
  assert.equal(backoffMs(0, 5_000, defaultSettings, random), 5_000);
  assert.equal(backoffMs(0, 10, defaultSettings, random), 1_000);
  assert.equal(backoffMs(0, 1e12, defaultSettings, random), 86_400_000);
  assert.equal(backoffMs(7, null, { ...defaultSettings, retryIntervalMs: 1_000 }, random), 1_000);
});

test("a function error is retried with its own attempts, then fails the run", () => {
  const { world, id } = started(2);
  for (let attempt = 0; attempt < 2; attempt++) {
    assert.equal(world.call(id).attempt, attempt);
    world.fail(id, `try ${attempt}`);
    world.wake(id, "step", dueAt(world, id));
  }
  assert.equal(world.call(id).attempt, 2);
  assert.equal(world.call(id).attemptsMax, 3);
  world.fail(id, "last");
  assert.equal(world.run(id).run.status, "failed");
  assert.deepEqual(world.outputs.get(id), { error: { name: "Error", message: "last" } });
  const attempts = world.changes.flatMap((c) => (c.type === "attempt.put" ? [c.attempt] : []));
  assert.deepEqual(
    attempts.map((a) => [a.attempt, a.retryAt === null]),
    [
      [0, false],
      [1, false],
      [2, true],
    ],
  );
});

test("a non-retriable function error fails the run at once", () => {
  const { world, id } = started();
  world.fail(id, "no", { noRetry: true });
  assert.equal(world.run(id).run.status, "failed");
});

test("a new step starts at attempt 0 after a step that took several", () => {
  const { world, id } = started();
  world.ops(id, "step", [erred("a")]);
  world.wake(id, "step", dueAt(world, id));
  assert.equal(world.call(id).attempt, 1);
  world.ops(id, "step", [ran("a")]);
  assert.equal(world.call(id).attempt, 0);
});

test("the last failed attempt of a step is recorded and the function is called to handle it", () => {
  const { world, id } = started(0);
  world.ops(id, "step", [erred("a")]);
  assert.deepEqual(world.memo(id, "a"), { error: { name: "Error", message: "a failed" } });
  assert.equal(world.run(id).run.status, "running");
  assert.equal(world.call(id).state.at, "leased");
  world.complete(id, "caught");
  assert.equal(world.run(id).run.status, "completed");
});

test("a step may have retries of its own, above or below the function's", () => {
  const more = started(0);
  more.world.ops(more.id, "step", [erred("a", { retries: 2 })]);
  assert.equal(more.world.call(more.id).attempt, 1);
  const fewer = started(5);
  fewer.world.ops(fewer.id, "step", [erred("a", { retries: 0 })]);
  assert.equal(fewer.world.run(fewer.id).steps.get("a")?.status, "failed");
  const targeted = started(0);
  targeted.world.ops(targeted.id, "step", [planned("a", { retries: 4 }), planned("b")]);
  assert.equal(targeted.world.call(targeted.id, "a").attemptsMax, 5);
  assert.equal(targeted.world.call(targeted.id, "b").attemptsMax, 1);
});

test("retry-after that comes with a step error sets the time of the next attempt", () => {
  const { world, id } = started();
  world.answer(id, "step", {
    kind: "opcodes",
    opcodes: [erred("a")],
    retryAfterMs: 42_000,
    requestVersion: 2,
  });
  assert.equal(dueAt(world, id), world.at + 42_000);
});

test("a timer that fires early, because the clock stepped back, changes nothing and is set again", () => {
  const { world, id } = started();
  world.fail(id);
  const due = dueAt(world, id);
  world.wake(id, "step", due - 1);
  assert.equal(world.call(id).state.at, "delayed");
  assert.deepEqual(world.effects, [{ type: "timer", runId: id, jobId: "step", dueAt: due }]);
  world.wake(id, "step", due);
  assert.equal(world.call(id).state.at, "leased");
});

test("a lost call goes out again under a new generation, and counts no attempt", () => {
  const { world, id } = started();
  const { generation } = world.call(id);
  world.do({ type: "call.lost", runId: id, jobId: "step", generation });
  assert.equal(world.call(id).generation, generation + 1);
  assert.equal(world.call(id).attempt, 0);
  world.do({ type: "call.lost", runId: id, jobId: "step", generation });
  assert.equal(world.call(id).generation, generation + 1, "the same loss told twice counts once");
});

test("a late answer decides nothing, but the step results it brings are kept", () => {
  const { world, id } = started();
  world.do({ type: "call.lost", runId: id, jobId: "step", generation: 0 });
  const late = world.do({
    type: "call.answered",
    runId: id,
    jobId: "step",
    generation: 0,
    sentAt: world.at,
    answer: {
      kind: "opcodes",
      opcodes: [ran("a", "first")],
      retryAfterMs: null,
      requestVersion: 2,
    },
  });
  assert.equal(late.ok, false);
  assert.ok(!late.ok && late.code === "dispatch_stale");
  assert.deepEqual(world.memo(id, "a"), { data: "first" });
  assert.equal(world.call(id).generation, 1, "the current call goes on");
  world.ops(id, "step", [ran("a", "second")]);
  assert.deepEqual(world.memo(id, "a"), { data: "first" }, "what was recorded first stays");
});

test("a late result takes the place of the retry that has not gone out yet", () => {
  const { world, id } = started();
  world.ops(id, "step", [planned("a"), planned("b")]);
  world.ops(id, "b", [ran("b")]);
  world.answer(id, "a", {
    kind: "failed",
    error: JSON.stringify({ name: "Error", message: "http_timeout" }) as never, // proof: JSON text
    noRetry: false,
    retryAfterMs: null,
    requestVersion: null,
  });
  world.do({
    type: "call.answered",
    runId: id,
    jobId: "a",
    generation: 0,
    sentAt: world.at,
    answer: { kind: "opcodes", opcodes: [ran("a", "late")], retryAfterMs: null, requestVersion: 2 },
  });
  assert.deepEqual(world.memo(id, "a"), { data: "late" });
  assert.deepEqual(world.jobs(id), ["step"]);
});

test("dispatch ids never come twice, whatever ends and begins", () => {
  const { world, id } = started();
  const seen = new Set<string>([`step/0`]);
  for (let round = 0; round < 20; round++) {
    world.ops(id, "step", [planned(`a${round}`), planned(`b${round}`)]);
    for (const job of [`a${round}`, `b${round}`]) {
      world.ops(id, job, [ran(job)]);
    }
    const key = `step/${world.call(id).generation}`;
    assert.ok(!seen.has(key), key);
    seen.add(key);
  }
});

test("a call whose step was recorded by a late answer is not tried again when it fails or is lost", () => {
  for (const end of ["fail", "lose"] as const) {
    const { world, id } = started();
    world.ops(id, "step", [planned("a"), planned("b")]);
    world.ops(id, "b", [ran("b")]);
    const first = world.call(id, "a").generation;
    world.do({ type: "call.lost", runId: id, jobId: "a", generation: first });
    world.do({
      type: "call.answered",
      runId: id,
      jobId: "a",
      generation: first,
      sentAt: world.at,
      answer: {
        kind: "opcodes",
        opcodes: [ran("a", "late")],
        retryAfterMs: null,
        requestVersion: 2,
      },
    });
    assert.deepEqual(world.jobs(id), ["a"], "the second call is still out");
    if (end === "fail") world.fail(id, "boom", {}, "a");
    else world.do({ type: "call.lost", runId: id, jobId: "a", generation: first + 1 });
    assert.deepEqual(world.jobs(id), ["step"]);
  }
});
