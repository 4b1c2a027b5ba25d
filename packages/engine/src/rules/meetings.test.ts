// Where cancelling and starting again meet schedules, waits for several events and signals.
import assert from "node:assert/strict";
import { test } from "node:test";
import { toJsonText } from "@pawl/protocol/json-text";
import type { Reply } from "../decision.ts";
import type { Overlap, RuntimeSchedule, ScheduleTarget } from "../schedule-records.ts";
import { runtimeId } from "../schedule/runtime.ts";
import { only, start, statuses, worldWith } from "../testing/flow.ts";
import { invokes, planned, ran, waitsForEvents, waitsForSignal } from "../testing/opcodes.ts";
import type { World } from "../testing/world.ts";

const hour = 3_600_000;
const scheduleId = runtimeId("s");
const paid = { name: "paid", event: "order/paid", expression: null };
const gone = { name: "gone", event: "order/cancelled", expression: null };

/** A schedule that ticks every hour from now on. */
function plan(world: World, overlap: Overlap, kind: ScheduleTarget["kind"] = "event"): void {
  const sent = { data: toJsonText({}), user: null, version: null, meta: null };
  const reply = world.do({
    type: "schedule.set",
    scheduleId,
    definition: {
      timing: { kind: "every", everyMs: hour },
      target: { kind, name: "job", ...sent },
      jitterMs: 0,
      startAt: null,
      endAt: null,
      overlap,
      catchUp: "one",
      catchUpWindowMs: null,
    },
    paused: null,
    onlyNew: true,
  });
  assert.ok(reply.ok);
}

function schedule(world: World): RuntimeSchedule {
  const found = world.state.schedule(scheduleId);
  assert.ok(found?.kind === "runtime");
  return found;
}

/** Moves the clock to the next tick; returns the runs that began. */
function tick(world: World): readonly string[] {
  const from = world.changes.length;
  world.at = schedule(world).dueAt ?? 0;
  world.do({ type: "schedule.due", scheduleId });
  return world.startedSince(from);
}

function rerun(world: World, runId: string, stepId: string | null = null): string {
  const reply = ask(world, runId, stepId, null);
  assert.ok(reply.ok && reply.value.type === "started", JSON.stringify(reply));
  return reply.value.runId;
}

function ask(world: World, runId: string, stepId: string | null, input: unknown): Reply {
  const fromStep =
    stepId === null ? null : { stepId, input: input === null ? null : toJsonText(input) };
  world.at++;
  return world.do({ type: "run.rerun", runId, newRun: null, fromStep, gate: null });
}

function childOf(world: World, runId: string): string {
  const job = world.job(runId, "call");
  assert.ok(job?.kind === "invoke");
  return job.childRunId;
}

test("a tick that takes the place of a run takes what the run invoked, too, if its step said so", () => {
  const world = worldWith({ job: {}, fn: {} });
  plan(world, "cancel_previous");
  for (const [onCancel, status] of [
    ["cancel", "cancelled"],
    ["abandon", "running"],
  ] as const) {
    const run = only(tick(world));
    world.ops(run, "step", [invokes("call", "fn", { onCancel })]);
    const child = childOf(world, run);
    const next = only(tick(world));
    assert.deepEqual(statuses(world, [run, child, next]), ["cancelled", status, "running"]);
    assert.deepEqual(schedule(world).runIds, [next]);
  }
});

test("a run of a schedule that is started again is no run of the schedule: ticks do not mind it", () => {
  for (const overlap of ["skip", "queue_one", "cancel_previous"] as const) {
    const world = worldWith({ job: {} });
    plan(world, overlap);
    const run = only(tick(world));
    world.complete(run);
    const again = rerun(world, run);
    assert.equal(world.run(again).run.schedule, null);
    assert.deepEqual(schedule(world).runIds, []);
    const next = only(tick(world));
    assert.deepEqual(statuses(world, [again, next]), ["running", "running"]);
    world.complete(again);
    assert.deepEqual(schedule(world).runIds, [next]);
    assert.equal(schedule(world).skipped, 0);
  }
});

test("a run put off that a schedule has joined goes on for it when its invoker is cancelled", () => {
  for (const kind of ["event", "function"] as const) {
    const world = worldWith({ parent: {}, job: { debounce: { period: "1d" } } });
    plan(world, "allow", kind);
    const parent = start(world, "parent");
    world.ops(parent, "step", [invokes("call", "job", { onCancel: "cancel" })]);
    const child = childOf(world, parent);
    assert.deepEqual(tick(world), [], "the tick joins the run");
    world.do({ type: "run.cancelled", runId: parent, reason: "test" });
    assert.deepEqual(statuses(world, [parent, child]), ["cancelled", "queued"], kind);
  }
});

test("cancelled while it waits for several events and a signal: children follow, and nothing waits", () => {
  const world = worldWith({ parent: {}, fn: {} });
  const parent = start(world, "parent");
  world.ops(parent, "step", [
    waitsForEvents("w", "all", [paid, gone]),
    waitsForSignal("s", "approve"),
    invokes("call", "fn", { onCancel: "cancel" }),
  ]);
  const child = childOf(world, parent);
  world.ops(child, "step", [waitsForEvents("w", "any", [paid, gone])]);
  world.send("order/paid");
  assert.deepEqual(world.jobs(child), ["step"], "the child has its event");
  world.do({ type: "run.cancelled", runId: parent, reason: "test" });
  assert.deepEqual(statuses(world, [parent, child]), ["cancelled", "cancelled"]);
  assert.equal(world.waitCount(), 0);
  assert.equal(world.signalCount(), 0);
});

/** A run that has met a wait for any, one for all and a signal, and its end. */
function waited(world: World): string {
  const run = start(world, "fn");
  world.ops(run, "step", [waitsForEvents("any", "any", [paid, gone])]);
  world.send("order/paid");
  world.ops(run, "step", [waitsForEvents("all", "all", [paid, gone])]);
  world.send("order/paid");
  world.send("order/cancelled");
  world.ops(run, "step", [waitsForSignal("sig", "approve")]);
  assert.equal(world.signal("approve"), run);
  world.ops(run, "step", [ran("last")]);
  world.complete(run);
  return run;
}

test("started again from behind its waits a run keeps what came, and registers the later ones anew", () => {
  const world = worldWith({ fn: {} });
  const run = waited(world);
  const memo = (id: string, step: string): unknown => world.memo(id, step);
  const late = rerun(world, run, "last");
  for (const step of ["any", "all", "sig"]) assert.deepEqual(memo(late, step), memo(run, step));
  assert.equal(world.waitCount(), 0);
  world.complete(late);

  const middle = rerun(world, run, "all");
  assert.deepEqual([...world.run(middle).steps.keys()], ["any"]);
  world.ops(middle, "step", [waitsForEvents("all", "all", [paid, gone])]);
  assert.equal(world.waitCount(), 2, "what came for the original does not count");
  world.send("order/cancelled");
  world.send("order/paid");
  assert.notDeepEqual(memo(middle, "all"), undefined);
  world.ops(middle, "step", [waitsForSignal("sig", "approve")]);
  assert.equal(world.signal("approve"), middle);
  world.complete(middle);

  const begin = rerun(world, run);
  assert.deepEqual([...world.run(begin).steps.keys()], []);
});

test("a run that is started again waits for its signal under the same rules as any", () => {
  const world = worldWith({ fn: {} });
  const run = waited(world);
  const again = rerun(world, run, "sig");
  const other = start(world, "fn");
  world.ops(other, "step", [waitsForSignal("sig", "approve")]);
  world.ops(again, "step", [waitsForSignal("sig", "approve")]);
  assert.equal(world.run(again).run.status, "failed");
  assert.equal(world.signal("approve"), other);
});

test("other input for a step that waits is refused: it runs no code of the app", () => {
  const world = worldWith({ fn: {} });
  const run = waited(world);
  for (const [step, kind] of [
    ["any", "waitForAny"],
    ["all", "waitForAll"],
    ["sig", "waitForSignal"],
  ] as const) {
    const reply = ask(world, run, step, { n: 1 });
    assert.ok(!reply.ok);
    assert.equal(reply.code, "step_input_unsupported");
    assert.match(reply.message, new RegExp(`of kind ${kind} and takes no input`));
  }
});

test("parallel waits: one that ended before the step is kept, one behind it waits again", () => {
  const world = worldWith({ fn: {} });
  const run = start(world, "fn");
  world.ops(run, "step", [
    waitsForEvents("w", "any", [paid, gone]),
    waitsForSignal("s", "approve"),
    planned("a"),
  ]);
  world.send("order/paid");
  world.ops(run, "a", [ran("a")]);
  assert.equal(world.signal("approve"), run);
  world.complete(run);
  const again = rerun(world, run, "a");
  assert.deepEqual([...world.run(again).steps.keys()], ["w"]);
});
