// Deferred functions (protocol.md 5.6, 12.11): noted once, aborted, rejected, and started by the end
// of their run, exactly once.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sha1Hex } from "@pawl/protocol/sha1";
import { toJsonText } from "@pawl/protocol/json-text";
import type { Opcode } from "@pawl/protocol/opcode";
import type { Settings } from "../settings.ts";
import {
  aborts,
  completes,
  defers,
  erred,
  failed,
  fetches,
  other,
  planned,
  ran,
  sleeps,
} from "../testing/opcodes.ts";
import { World } from "../testing/world.ts";

const name = "inngest/deferred.schedule";

function started(settings: Partial<Settings> = {}): { world: World; id: string } {
  const world = new World(settings);
  const ofSlug = (slug: string) => ({
    slug,
    triggers: [
      {
        kind: "event" as const,
        event: name,
        expression: `event.data._inngest.fn_slug == '${slug}'`,
      },
    ],
  });
  world.sync("app", [{ slug: "fn" }, ofSlug("app-later"), ofSlug("app-other")]);
  const [id] = world.send("fn");
  assert.ok(id);
  return { world, id };
}

/** The runs that deferrals have started, by the id of the deferral. */
function deferredRuns(world: World): Record<string, string> {
  const runs = world.runIds().map((id) => world.run(id));
  const deferred = runs.filter(({ run }) => run.eventName === name);
  return Object.fromEntries(
    deferred.map(({ run, events }) => {
      const [event] = events;
      assert.ok(event);
      return [dataOf(event.data)._inngest.defer_id, run.functionId];
    }),
  );
}

interface Data {
  readonly [key: string]: unknown;
  readonly _inngest: { readonly defer_id: string; readonly [key: string]: unknown };
}

// proof: the events of these tests are those of deferrals
const dataOf = (text: string): Data => JSON.parse(text) as Data;

function statuses(world: World, id: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(world.run(id).defers.values(), (defer) => [defer.id, defer.status]),
  );
}

function checkpoint(world: World, id: string, opcodes: readonly Opcode[], requestId?: string) {
  const request = requestId ?? world.requestId(id);
  return world.do({
    type: "checkpoint.received",
    runId: id,
    jobId: "step",
    requestId: request,
    opcodes,
  });
}

test("a deferral beside the result ends the run in one request and starts its function", () => {
  const { world, id } = started();
  world.ops(id, "step", [
    completes(1),
    defers("a", { n: 1 }, { meta: toJsonText({ sessions: { s: "1" } }) }),
  ]);
  assert.equal(world.run(id).run.status, "completed");
  assert.deepEqual(deferredRuns(world), { a: "id-app-later" });
  const [, child] = world.runIds();
  const [event] = world.run(child ?? "").events;
  assert.ok(event);
  assert.deepEqual(dataOf(event.data), {
    n: 1,
    _inngest: {
      fn_slug: "app-later",
      parent_fn_slug: "fn",
      parent_run_id: id,
      defer_id: "a",
    },
  });
  assert.deepEqual([event.meta, event.externalId], ['{"sessions":{"s":"1"}}', `${id}.a`]);
  const defer = world.run(id).defers.get("a");
  assert.deepEqual(
    [defer?.status, defer?.input, defer?.meta, defer?.eventId],
    ["sent", "{}", null, event.id],
    "the payload goes on in the event",
  );
});

test("nothing starts before the end; then all at once, in order of arrival", () => {
  const { world, id } = started();
  world.ops(id, "step", [ran("s"), defers("b")]);
  checkpoint(world, id, [defers("a", {}, { functionSlug: "app-other" })]);
  assert.deepEqual(statuses(world, id), { b: "scheduled", a: "scheduled" });
  assert.deepEqual(deferredRuns(world), {});
  world.complete(id);
  assert.deepEqual(Object.entries(deferredRuns(world)), [
    ["b", "id-app-later"],
    ["a", "id-app-other"],
  ]);
});

test("deferrals are lazy: they open no parallel branch and do not hold up the discovery", () => {
  for (const [opcode, forcePlan] of [
    [sleeps("nap", 1_000), false],
    [planned("p"), false],
    [fetches("f"), false],
  ] as const) {
    const { world, id } = started();
    world.ops(id, "step", [opcode, defers("a"), defers("b"), aborts("a")]);
    assert.equal(world.run(id).run.forcePlan, forcePlan, opcode.op);
    assert.deepEqual(world.jobs(id), [opcode.id]);
  }
  const { world, id } = started();
  world.ops(id, "step", [ran("s"), defers("a")]);
  assert.deepEqual([world.jobs(id), world.run(id).run.forcePlan], [["step"], false]);
});

test("a call that targets one step may defer, too", () => {
  const { world, id } = started();
  world.ops(id, "step", [planned("p"), planned("q")]);
  world.ops(id, "p", [ran("p"), defers("a")]);
  assert.deepEqual(statuses(world, id), { a: "scheduled" });
});

test("a step and a deferral may have the same id", () => {
  const { world, id } = started();
  world.ops(id, "step", [planned("x"), planned("y")]);
  world.ops(id, "x", [ran("x"), defers("x")]);
  assert.deepEqual([world.memo(id, "x"), statuses(world, id)], [{ data: "x" }, { x: "scheduled" }]);
});

test("the first of an id counts; an abort is final", () => {
  const { world, id } = started();
  world.ops(id, "step", [ran("s"), defers("a", { n: 1 }), defers("b")]);
  checkpoint(world, id, [defers("a", { n: 2 }), aborts("b"), defers("b"), aborts("nothing")]);
  assert.equal(world.run(id).defers.get("a")?.input, '{"n":1}');
  assert.deepEqual(statuses(world, id), { a: "scheduled", b: "aborted" });
  world.complete(id);
  assert.deepEqual(Object.keys(deferredRuns(world)), ["a"]);
  assert.deepEqual(statuses(world, id), { a: "sent", b: "aborted" });
});

test("a run that failed or was cancelled starts them as well", () => {
  for (const end of ["fail", "cancel"] as const) {
    const { world, id } = started();
    world.ops(id, "step", [ran("s"), defers("a")]);
    if (end === "fail") world.fail(id, "boom", { noRetry: true });
    else world.do({ type: "run.cancelled", runId: id, reason: "no" });
    assert.deepEqual(Object.keys(deferredRuns(world)), ["a"], end);
  }
});

test("a run that waits to be tried again starts nothing yet", () => {
  const { world, id } = started();
  checkpoint(world, id, [defers("a")]);
  world.fail(id);
  assert.equal(world.run(id).run.status, "running");
  assert.deepEqual(deferredRuns(world), {});
});

test("the function's own failure beside a deferral is tried again, then fails the run", () => {
  const failure = { id: sha1Hex("complete"), userId: null };
  const { world, id } = started();
  world.ops(id, "step", [{ ...erred("x"), ...failure }, defers("a")]);
  const { attempt, state } = world.call(id);
  assert.deepEqual([attempt, state.at, world.run(id).steps.size], [1, "delayed", 0]);
  world.wake(id, "step", world.at + 100_000);
  world.ops(id, "step", [{ ...failed("x"), ...failure }, defers("b")]);
  assert.equal(world.run(id).run.status, "failed");
  assert.deepEqual(Object.keys(deferredRuns(world)), ["a", "b"]);
  const last = started();
  for (let attempts = 0; attempts < 4; attempts++) {
    if (attempts > 0) last.world.wake(last.id, "step", last.world.at + 100_000);
    last.world.ops(last.id, "step", [{ ...erred("x"), ...failure }, defers("a")]);
  }
  assert.equal(last.world.run(last.id).run.status, "failed", "no attempts are left");
  assert.deepEqual(Object.keys(deferredRuns(last.world)), ["a"]);
});

test("a step that its author called complete is a step", () => {
  const { world, id } = started();
  world.ops(id, "step", [{ ...failed("complete"), id: sha1Hex("complete") }]);
  assert.equal(world.run(id).run.status, "running");
  assert.equal(world.run(id).steps.size, 1);
});

test("what a stale dispatch or a differing value defers does not count; the app sends it again", () => {
  const { world, id } = started();
  const stale = world.requestId(id);
  world.do({ type: "call.lost", runId: id, jobId: "step", generation: 0 });
  checkpoint(world, id, [ran("s", "old"), defers("a")], stale);
  assert.deepEqual(statuses(world, id), {});
  checkpoint(world, id, [ran("s", "new"), defers("a")]);
  assert.deepEqual(statuses(world, id), {});
  world.ops(id, "step", [ran("s", "new"), defers("a"), completes(1)]);
  assert.deepEqual([statuses(world, id), world.run(id).run.status], [{}, "running"]);
});

test("late ones change nothing after the end", () => {
  const { world, id } = started();
  const request = world.requestId(id);
  checkpoint(world, id, [defers("a"), completes(1)], request);
  const before = world.changes.length;
  assert.equal(checkpoint(world, id, [defers("b"), aborts("a")], request).ok, false);
  assert.equal(world.changes.length, before);
  assert.deepEqual(Object.keys(deferredRuns(world)), ["a"]);
});

test("beyond a limit a deferral is rejected with the reason, and the run goes on", () => {
  const cases: [Partial<Settings>, Opcode[], Record<string, RegExp | null>][] = [
    [
      { defersPerRunMax: 2 },
      [defers("a"), aborts("a"), defers("b"), defers("c")],
      { a: null, b: null, c: /2 functions; .* \(setting defersPerRunMax\)/ },
    ],
    [
      { deferCharsMax: 10 },
      [defers("a", { n: "1234567890" }), defers("b", {})],
      { a: /18 characters .* \(setting deferCharsMax\)/, b: null },
    ],
    [
      { deferCharsPerRunMax: 20 },
      [defers("a", { n: "12345678" }), defers("b", { n: "12345" }), aborts("a"), defers("c")],
      { a: null, b: /29 characters .* \(setting deferCharsPerRunMax\)/, c: null },
    ],
    [
      { defersPerRunMax: 1 },
      [defers("a", {}, { problem: "it names no function" }), defers("b")],
      { a: /names no function/, b: null },
    ],
    [{}, [defers("a", {}, { problem: "its input is no JSON object" })], { a: /no JSON object/ }],
  ];
  for (const [settings, opcodes, reasons] of cases) {
    const { world, id } = started(settings);
    world.ops(id, "step", [...opcodes, ran("s")]);
    const kept = world.run(id).defers;
    assert.deepEqual([...kept.keys()], Object.keys(reasons));
    for (const [deferId, reason] of Object.entries(reasons)) {
      const defer = kept.get(deferId);
      assert.equal(defer?.status === "rejected", reason !== null);
      if (reason !== null) assert.match(defer?.reason ?? "", reason);
    }
    world.complete(id);
    assert.equal(world.run(id).run.status, "completed");
    const rejected = Object.keys(reasons).filter((key) => reasons[key] !== null);
    for (const key of rejected) assert.ok(!(key in deferredRuns(world)));
  }
});

test("of endless rejections only the first are kept", () => {
  const { world, id } = started({ defersPerRunMax: 0 });
  world.ops(id, "step", [ran("s"), ...Array.from({ length: 500 }, (_, n) => defers(`d${n}`))]);
  assert.equal(world.run(id).defers.size, 100);
});

test("a run that is started again defers on its own account", () => {
  const { world, id } = started();
  world.ops(id, "step", [ran("s"), defers("a")]);
  world.complete(id);
  const reply = world.do({
    type: "run.rerun",
    runId: id,
    newRun: null,
    fromStep: null,
    gate: null,
  });
  assert.ok(reply.ok && reply.value.type === "started");
  const again = reply.value.runId;
  assert.equal(world.run(again).defers.size, 0, "the app finds none, so it sends them again");
  world.ops(again, "step", [defers("a"), completes(1)]);
  const events = world.changes.filter(
    (change) => change.type === "event.put" && change.event.name === name,
  );
  assert.equal(events.length, 2);
});

test("an answer of nothing but deferrals is called again, but not for ever", () => {
  const { world, id } = started();
  for (let n = 0; n < 30 && world.run(id).run.status === "running"; n++)
    world.ops(id, "step", [defers("a"), other("None", "n")]);
  assert.equal(world.run(id).run.status, "failed");
  assert.deepEqual(Object.keys(deferredRuns(world)), ["a"]);
});

type Act = { readonly add: string } | { readonly abort: string } | "again";

test("property: each scheduled one of an ended run starts one run, aborted and rejected ones none", () => {
  const ids = fc.constantFrom("a", "b", "c", "d", "e");
  const act: fc.Arbitrary<Act> = fc.oneof(
    ids.map((add) => ({ add })),
    ids.map((abort) => ({ abort })),
    fc.constant("again" as const),
  );
  const calls = fc.array(fc.array(act, { maxLength: 4 }), { maxLength: 6 });
  const end = fc.constantFrom("complete", "fail", "cancel");
  fc.assert(
    fc.property(calls, end, (answers, how) => {
      const { world, id } = started({ defersPerRunMax: 3 });
      const model = new Map<string, "scheduled" | "aborted" | "rejected">();
      for (const [n, acts] of answers.entries()) {
        const opcodes: Opcode[] = [];
        for (const one of acts) {
          if (one === "again")
            world.do({
              type: "call.lost",
              runId: id,
              jobId: "step",
              generation: world.call(id).generation,
            });
          else if ("add" in one) opcodes.push(defers(one.add));
          else opcodes.push(aborts(one.abort));
        }
        for (const opcode of opcodes) note(model, opcode);
        if (n % 2 === 0) checkpoint(world, id, opcodes);
        else world.ops(id, "step", [...opcodes, ran(`s${n}`)]);
      }
      if (how === "complete") world.complete(id);
      else if (how === "fail") world.fail(id, "boom", { noRetry: true });
      else world.do({ type: "run.cancelled", runId: id, reason: "no" });
      const scheduled = [...model].filter(([, status]) => status === "scheduled");
      assert.deepEqual(
        Object.keys(deferredRuns(world)),
        scheduled.map(([key]) => key),
      );
      const count = world.changes.filter(
        (change) => change.type === "event.put" && change.event.name === name,
      ).length;
      assert.equal(count, scheduled.length);
    }),
  );
});

function note(model: Map<string, "scheduled" | "aborted" | "rejected">, opcode: Opcode): void {
  if (opcode.op === "DeferAdd" && !model.has(opcode.id)) {
    const counted = [...model.values()].filter((status) => status !== "rejected").length;
    model.set(opcode.id, counted < 3 ? "scheduled" : "rejected");
  }
  if (opcode.op === "DeferAbort" && model.get(opcode.targetId) === "scheduled")
    model.set(opcode.targetId, "aborted");
}
