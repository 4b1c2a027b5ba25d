// Starting and ending runs: triggers, idempotency, invocations, cancellation, lifecycle events,
// the gate of an app.
import assert from "node:assert/strict";
import { test } from "node:test";
import { toJsonText } from "@pawl/protocol/json-text";
import type { FunctionRecord } from "../records.ts";
import { invokes, planned, ran } from "../testing/opcodes.ts";
import { World } from "../testing/world.ts";

const on = (event: string, expression: string | null = null): FunctionRecord["triggers"] => [
  { kind: "event", event, expression },
];

function worldWith(functions: readonly Partial<FunctionRecord>[], settings = {}): World {
  const world = new World(settings);
  world.sync("app", functions);
  return world;
}

function only(ids: readonly string[]): string {
  assert.equal(ids.length, 1);
  return ids[0] ?? "";
}

test("triggers: names, wildcards, expressions; several triggers start a function once", () => {
  const world = worldWith([
    { slug: "exact", triggers: on("user/created") },
    { slug: "wild", triggers: on("user/*") },
    { slug: "vip", triggers: on("user/created", "event.data.vip == true") },
    { slug: "twice", triggers: [...on("user/created"), ...on("user/*")] },
    { slug: "other", triggers: on("order/created") },
  ]);
  const started = world
    .send("user/created", { vip: false })
    .map((id) => world.run(id).run.functionId);
  assert.deepEqual(started.toSorted(), ["id-exact", "id-twice", "id-wild"]);
  assert.equal(world.send("user/created", { vip: true }).length, 4);
  assert.equal(world.send("user/deleted").length, 2);
});

test("an event id starts a function once within a day; the event itself is stored each time", () => {
  const world = worldWith([{ slug: "fn" }, { slug: "fn2", triggers: on("fn") }]);
  assert.equal(world.send("fn", {}, { externalId: "e1" }).length, 2);
  assert.equal(world.send("fn", {}, { externalId: "e1" }).length, 0);
  assert.equal(world.changes.filter((c) => c.type === "event.put").length, 2);
  world.at += 86_400_000;
  assert.equal(world.send("fn", {}, { externalId: "e1" }).length, 2);
});

test("the same event id twice in one request starts a function once", () => {
  const world = worldWith([{ slug: "fn" }]);
  const event = { externalId: "same" };
  const from = world.changes.length;
  world.do({
    type: "events.received",
    events: [world.event("fn", {}, event), world.event("fn", {}, event)],
    resendable: false,
  });
  assert.equal(world.startedSince(from).length, 1);
});

test("a request that is sent again, with the ids of its seed, changes nothing", () => {
  const world = worldWith([{ slug: "fn" }]);
  const events = [world.event("fn"), world.event("fn")];
  world.do({ type: "events.received", events, resendable: true });
  const before = world.changes.length;
  const reply = world.do({ type: "events.received", events, resendable: true });
  assert.equal(world.changes.length, before);
  assert.deepEqual(reply, {
    ok: true,
    value: { type: "accepted", eventIds: events.map((e) => e.id) },
  });
});

test("an event of the future delays the start until its time", () => {
  const world = worldWith([{ slug: "fn" }]);
  const id = only(world.send("fn", {}, { ts: world.at + 60_000 }));
  assert.equal(world.run(id).run.status, "queued");
  assert.deepEqual(world.call(id).state, { at: "delayed", dueAt: world.at + 60_000 });
  world.wake(id, "step", world.at + 60_000);
  assert.equal(world.run(id).run.status, "running");
});

test("invoke starts the function and brings its result, its error, or its absence", () => {
  const world = worldWith([
    { slug: "parent", retries: 0 },
    { slug: "child", triggers: on("never") },
  ]);
  const parent = only(world.send("parent"));
  const from = world.changes.length;
  world.ops(parent, "step", [
    invokes("ok", "child"),
    invokes("bad", "child"),
    invokes("none", "nobody"),
  ]);
  const [ok, bad] = world.startedSince(from).filter((id) => id !== parent);
  assert.ok(ok && bad);
  assert.deepEqual(JSON.parse(world.run(ok).events[0]?.data ?? ""), {
    n: 1,
    _inngest: { fn_id: "child", correlation_id: `${parent}.ok` },
  });
  const job = world.job(parent, "ok");
  assert.ok(job?.kind === "invoke");
  assert.equal(job.childRunId, ok);
  assert.match(
    JSON.stringify(world.memo(parent, "none")),
    /could not find function with ID: nobody/,
  );
  world.complete(ok, { square: 9 });
  world.fail(bad, "child broke", { noRetry: true });
  assert.deepEqual(world.memo(parent, "ok"), { data: { square: 9 } });
  assert.deepEqual(world.memo(parent, "bad"), { error: { name: "Error", message: "child broke" } });
  assert.deepEqual(world.jobs(parent), ["step"]);
});

test("a cancelled child resumes its parent with an error; a cancelled parent forgets its child's end", () => {
  const world = worldWith([{ slug: "parent" }, { slug: "child", triggers: on("never") }]);
  const parent = only(world.send("parent"));
  const from = world.changes.length;
  world.ops(parent, "step", [invokes("call", "child")]);
  const child = only(world.startedSince(from).filter((id) => id !== parent));
  world.do({ type: "run.cancelled", runId: child, reason: "by hand" });
  assert.match(JSON.stringify(world.memo(parent, "call")), /PawlRunCancelledError.*by hand/);

  const other = only(world.send("parent"));
  const again = world.changes.length;
  world.ops(other, "step", [invokes("call", "child")]);
  const child2 = only(world.startedSince(again).filter((id) => id !== other));
  world.do({ type: "run.cancelled", runId: other, reason: "by hand" });
  world.complete(child2, 1);
  assert.equal(world.run(other).run.status, "cancelled");
  assert.equal(world.memo(other, "call"), undefined);
});

test("an invoke that takes too long times out; the child's end comes too late", () => {
  const world = worldWith([{ slug: "parent" }, { slug: "child", triggers: on("never") }]);
  const parent = only(world.send("parent"));
  const from = world.changes.length;
  world.ops(parent, "step", [invokes("call", "child", { timeout: { forMs: 1_000 } })]);
  const child = only(world.startedSince(from).filter((id) => id !== parent));
  world.wake(parent, "call", world.at + 1_000);
  assert.match(JSON.stringify(world.memo(parent, "call")), /InngestInvokeTimeoutError/);
  world.complete(child, 1);
  assert.match(JSON.stringify(world.memo(parent, "call")), /InngestInvokeTimeoutError/);
});

test("the types sidecar of a result reaches only apps that read it", () => {
  for (const [sdk, expected] of [
    ["js:v4.24.0", { data: "1" }],
    ["pawl-js:v0.1.0", { data: "1", types: { "": "bigint" } }],
  ] as const) {
    const world = new World();
    world.sync("app", [{ slug: "parent" }, { slug: "child", triggers: on("never") }], sdk);
    const parent = only(world.send("parent"));
    const from = world.changes.length;
    world.ops(parent, "step", [invokes("call", "child")]);
    const child = only(world.startedSince(from).filter((id) => id !== parent));
    const memo = toJsonText({ data: "1", types: { "": "bigint" } });
    world.answer(child, "step", { kind: "completed", memo, requestVersion: 2 });
    assert.deepEqual(world.memo(parent, "call"), expected);
  }
});

test("cancelling stops calls that are out and ignores their answers", () => {
  const world = worldWith([{ slug: "fn" }]);
  const id = only(world.send("fn"));
  world.do({ type: "run.cancelled", runId: id, reason: "test" });
  assert.deepEqual(world.effects, [{ type: "abort", runId: id, jobId: "step", generation: 0 }]);
  const reply = world.do({
    type: "call.answered",
    runId: id,
    jobId: "step",
    generation: 0,
    sentAt: world.at,
    answer: { kind: "opcodes", opcodes: [ran("a")], retryAfterMs: null, requestVersion: 2 },
  });
  assert.ok(!reply.ok && reply.code === "run_ended");
  assert.equal(world.memo(id, "a"), undefined);
});

test("a failed run publishes function.failed, which starts onFailure; runs of such events publish none", () => {
  const world = worldWith([
    { slug: "app-fn", triggers: on("go") },
    {
      slug: "app-fn-failure",
      triggers: on("inngest/function.failed", "event.data.function_id == 'app-fn'"),
    },
  ]);
  const id = only(world.send("go", { a: 1 }));
  const from = world.changes.length;
  world.fail(id, "broken", { noRetry: true });
  const handler = only(world.startedSince(from).filter((run) => run !== id));
  // proof: protocol.md 4, the data of inngest/function.failed
  const data = JSON.parse(world.run(handler).events[0]?.data ?? "") as {
    readonly run_id: string;
    readonly error: unknown;
    readonly event: { readonly data: unknown };
  };
  assert.equal(data.run_id, id);
  assert.deepEqual(data.error, { name: "Error", message: "broken" });
  assert.deepEqual(data.event.data, { a: 1 });
  const before = world.changes.length;
  world.fail(handler, "again", { noRetry: true });
  assert.equal(world.changes.slice(before).filter((c) => c.type === "event.put").length, 0);
});

test("function.finished is written only where somebody listens; cancelled always", () => {
  const quiet = worldWith([{ slug: "fn" }]);
  quiet.complete(only(quiet.send("fn")), 1);
  assert.deepEqual(eventNames(quiet), ["fn"]);
  const heard = worldWith([
    { slug: "fn" },
    { slug: "all", triggers: on("inngest/function.finished") },
  ]);
  heard.complete(only(heard.send("fn")), 1);
  assert.deepEqual(eventNames(heard), ["fn", "inngest/function.finished"]);
  const cancelled = worldWith([{ slug: "fn" }]);
  cancelled.do({ type: "run.cancelled", runId: only(cancelled.send("fn")), reason: "x" });
  assert.deepEqual(eventNames(cancelled), ["fn", "inngest/function.cancelled"]);
});

function eventNames(world: World): string[] {
  return world.changes.flatMap((c) => (c.type === "event.put" ? [c.event.name] : []));
}

test("an app has so many calls out; the others wait in its gate's queue and go in order", () => {
  const world = worldWith([{ slug: "fn" }], { callsPerAppMax: 2 });
  const ids = Array.from({ length: 5 }, () => only(world.send("fn")));
  assert.deepEqual(
    ids.map((id) => world.call(id).state.at),
    ["leased", "leased", "queued", "queued", "queued"],
  );
  assert.deepEqual({ ...world.state.gate("app:app-app") }, { inFlight: 2, queued: 3 });
  world.complete(ids[0] ?? "");
  assert.deepEqual(
    world.effects.filter((e) => e.type === "pull"),
    [{ type: "pull", gate: "app:app-app" }],
  );
  world.do({ type: "call.admitted", runId: ids[2] ?? "", jobId: "step" });
  world.do({ type: "call.admitted", runId: ids[3] ?? "", jobId: "step" });
  assert.deepEqual(
    ids.slice(2).map((id) => world.call(id).state.at),
    ["leased", "queued", "queued"],
    "no more than there is room for",
  );
  assert.deepEqual({ ...world.state.gate("app:app-app") }, { inFlight: 2, queued: 2 });
});

test("no slot leaks through retries, losses, cancels and parallel steps", () => {
  const world = worldWith([{ slug: "fn" }], { callsPerAppMax: 3 });
  const gate = () => ({ ...world.state.gate("app:app-app") });
  const a = only(world.send("fn"));
  world.fail(a);
  assert.deepEqual(gate(), { inFlight: 0, queued: 0 });
  const b = only(world.send("fn"));
  world.do({ type: "call.lost", runId: b, jobId: "step", generation: 0 });
  assert.deepEqual(gate(), { inFlight: 1, queued: 0 });
  world.ops(
    b,
    "step",
    ["p1", "p2", "p3", "p4"].map((s) => planned(s)),
  );
  assert.deepEqual(gate(), { inFlight: 3, queued: 1 });
  world.do({ type: "run.cancelled", runId: b, reason: "x" });
  assert.deepEqual(gate(), { inFlight: 0, queued: 0 });
});

test("syncing: the same checksum changes nothing, versions count changes, bad expressions are refused by name", () => {
  const world = new World();
  world.sync("app", [{ slug: "fn" }]);
  world.sync("app", [{ slug: "fn", config: toJsonText({ changed: 1 }) }, { slug: "new" }]);
  assert.deepEqual(
    world.state.app("app-app")?.functions.map((f) => [f.slug, f.version]),
    [
      ["fn", 2],
      ["new", 1],
    ],
  );
  const bad = world.sync("app", [{ slug: "fn", triggers: on("e", "event.data.(") }]);
  assert.ok(!bad.ok && bad.code === "config_invalid");
  assert.match(bad.ok ? "" : bad.message, /"event.data.\(".*function "fn"/);
  assert.equal(world.state.app("app-app")?.functions.length, 2, "a refused sync changes nothing");
  const stolen = world.sync("other", [{ slug: "fn" }]);
  assert.ok(!stolen.ok && stolen.code === "config_invalid");
  world.sync("app", []);
  assert.equal(world.state.functionBySlug("fn"), undefined);
});

test("a failed sync keeps what was registered, with the reason", () => {
  const world = worldWith([{ slug: "fn" }]);
  world.do({
    type: "app.syncFailed",
    appId: "app-app",
    url: "http://localhost",
    error: "unreachable",
  });
  assert.equal(world.state.app("app-app")?.error, "unreachable");
  assert.equal(world.send("fn").length, 1);
  const before = world.changes.length;
  world.do({
    type: "app.syncFailed",
    appId: "app-app",
    url: "http://localhost",
    error: "unreachable",
  });
  assert.equal(world.changes.length, before);
  world.do({ type: "app.removed", appId: "app-app" });
  assert.equal(world.send("fn").length, 0);
});

test("an unfinished run without a job is found and repaired", () => {
  const world = worldWith([{ slug: "fn" }]);
  const id = only(world.send("fn"));
  world.state.apply({ type: "job.delete", runId: id, jobId: "step" });
  world.do({ type: "run.repaired", runId: id });
  assert.deepEqual(world.jobs(id), ["step"]);
});

test("a call leased by an earlier epoch has no place in the gate that it could leave", () => {
  const world = worldWith([{ slug: "fn" }], { callsPerAppMax: 1 });
  const id = only(world.send("fn"));
  world.ops(id, "step", [planned("a")]);
  const lost = world.call(id, "a");
  // As a process finds it that takes over: the lease is of the one before.
  const state = { at: "leased", epoch: 0, leaseUntil: world.at + 1 } as const;
  world.state.apply({ type: "job.put", job: { ...lost, state } });
  const other = only(world.send("fn"));
  assert.equal(world.call(other).state.at, "leased");
  // Its step came in late, so that giving it back ends it and asks for a discovery instead.
  world.do({
    type: "call.answered",
    runId: id,
    jobId: "a",
    generation: lost.generation - 1,
    sentAt: world.at,
    answer: { kind: "opcodes", opcodes: [ran("a")], retryAfterMs: null, requestVersion: 2 },
  });
  world.do({ type: "call.lost", runId: id, jobId: "a", generation: lost.generation });
  assert.equal(world.call(id).state.at, "queued");
  assert.deepEqual({ ...world.state.gate("app:app-app") }, { inFlight: 1, queued: 1 });
});
