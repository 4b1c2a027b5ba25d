// Runs of durable endpoints: carried by their app, handed to the server, given up (protocol.md 6.3).
import assert from "node:assert/strict";
import { test } from "node:test";
import { sha1Hex } from "@pawl/protocol/sha1";
import { toJsonText } from "@pawl/protocol/json-text";
import type { Opcode } from "@pawl/protocol/opcode";
import {
  completes,
  erred,
  failed,
  invokes,
  ran,
  sleeps,
  waitsForSignal,
} from "../testing/opcodes.ts";
import { World } from "../testing/world.ts";
import type { Settings } from "../settings.ts";

const runId = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

function register(world: World, name: string, origin = "http://shop", retries = 3) {
  return world.do({
    type: "endpoint.registered",
    app: { id: `app-${origin}`, name: origin, url: origin, sdk: "inngest-js:v4.24.0" },
    fn: {
      id: `id-${name}`,
      slug: `${origin}-${name}`,
      name,
      url: origin + name,
      retries,
      config: toJsonText({ retries }),
    },
  });
}

function begin(world: World, opcodes: readonly Opcode[], id = runId, name = "/buy") {
  return world.do({
    type: "endpoint.called",
    runId: id,
    functionId: `id-${name}`,
    event: world.event("inngest/http.request", { method: "GET" }),
    requestVersion: 2,
    opcodes,
  });
}

function goOn(world: World, opcodes: readonly Opcode[]) {
  return world.do({ type: "endpoint.progressed", runId, opcodes });
}

function started(opcodes: readonly Opcode[], settings: Partial<Settings> = {}): World {
  const world = new World({ endpointSilenceMs: 1_000, retryIntervalMs: 500, ...settings });
  assert.ok(register(world, "/buy").ok);
  assert.ok(begin(world, opcodes).ok);
  return world;
}

/** Under this id SDKs write errors outside of steps. */
const resultId = sha1Hex("complete");

function ofFunction(opcode: Opcode): Opcode {
  return { ...opcode, userId: null };
}

function status(world: World) {
  return world.run(runId).run.status;
}

function code(reply: ReturnType<World["do"]>): string {
  return reply.ok ? "ok" : reply.code;
}

test("steps are recorded while the app carries the run, and nobody is called", () => {
  const world = started([ran("a")]);
  assert.ok(goOn(world, [ran("b")]).ok);
  assert.deepEqual([...world.run(runId).steps.keys()], ["a", "b"]);
  assert.equal(status(world), "running");
  assert.deepEqual(
    world.effects.map(({ type }) => type),
    ["timer"],
  );
  assert.ok(goOn(world, [completes({ status: 200 })]).ok);
  assert.deepEqual(
    [status(world), world.outputs.get(runId)],
    ["completed", { data: { status: 200 } }],
  );
  assert.ok(goOn(world, [completes({ status: 200 })]).ok, "said again, it is no error");
  assert.equal(code(goOn(world, [ran("c")])), "run_ended");
});

test("a run may be over when it is first heard of", () => {
  const world = started([completes(1)]);
  assert.equal(status(world), "completed");
});

test("an id is taken once, and an endpoint must be known", () => {
  const world = started([]);
  assert.equal(code(begin(world, [ran("a")])), "run_exists");
  assert.equal(world.run(runId).steps.size, 0);
  assert.equal(code(begin(world, [], "01ARZ3NDEKTSV4RRFFQ69G5FAW", "/else")), "function_not_found");
  assert.equal(
    code(world.do({ type: "endpoint.progressed", runId: "r", opcodes: [] })),
    "run_not_found",
  );
});

test("each word of the app puts off the time at which it is given up", () => {
  const world = started([ran("a")]);
  const first = world.at;
  world.at += 900;
  goOn(world, [ran("b")]);
  world.wake(runId, "step", first + 1_000);
  assert.equal(world.call(runId).state.at, "delayed", "the first timer means nothing any more");
  world.wake(runId, "step", first + 1_900);
  assert.equal(world.call(runId).state.at, "leased", "now the server calls the endpoint");
  world.ops(runId, "step", [completes("late")]);
  assert.deepEqual(world.outputs.get(runId), { data: "late" });
});

test("an app that comes back too late is told to stop, and its results are kept", () => {
  const world = started([ran("a")]);
  world.wake(runId, "step", world.at + 1_000);
  assert.equal(code(goOn(world, [ran("b", "kept")])), "dispatch_stale");
  assert.deepEqual(world.memo(runId, "b"), { data: "kept" });
  assert.equal(code(goOn(world, [completes("no")])), "dispatch_stale");
  assert.equal(status(world), "running");
  assert.ok(goOn(world, [ran("b", "kept")]).ok, "what is known may be said again");
});

test("a sleep hands the run to the server, which calls when it is over", () => {
  for (const atOnce of [true, false]) {
    const nap = [sleeps("nap", 5_000)];
    const world = started(atOnce ? nap : [ran("a")]);
    if (!atOnce) assert.ok(goOn(world, nap).ok);
    assert.deepEqual(world.jobs(runId), ["nap"]);
    assert.ok(goOn(world, nap).ok, "said again, it changes nothing");
    world.wake(runId, "nap", world.at + 5_000);
    assert.equal(world.call(runId).target, "step");
    assert.equal(world.call(runId).state.at, "leased");
    world.ops(runId, "step", [ran("b")]);
    world.ops(runId, "step", [completes("done")]);
    assert.equal(status(world), "completed");
  }
});

test("what the steps note is kept, from the first word on", () => {
  const noted = (id: string): Opcode => ({
    ...ran(id),
    metadata: {
      updates: [
        { kind: "userland.cart", scope: "run", op: "merge", values: toJsonText({ [id]: 1 }) },
      ],
      problem: null,
    },
  });
  const world = started([noted("a")]);
  assert.ok(goOn(world, [noted("b")]).ok);
  const kept = world.changes.filter((change) => change.type === "metadata.put");
  assert.deepEqual(JSON.parse(kept.at(-1)?.metadata.values ?? "null"), { a: 1, b: 1 });
});

test("an app may defer functions and go on", () => {
  const added: Opcode = {
    ...ran("later"),
    op: "DeferAdd",
    functionSlug: "app-fn",
    input: toJsonText({ n: 1 }),
    meta: null,
    problem: null,
  };
  const world = started([ran("a"), added]);
  world.sync("app", [{ slug: "app-fn" }]);
  assert.equal(world.call(runId).state.at, "delayed", "the app still carries the run");
  assert.ok(goOn(world, [added]).ok);
  assert.ok(goOn(world, [completes(1)]).ok);
  assert.deepEqual(
    [...world.run(runId).defers.values()].map(({ id, status: now }) => [id, now]),
    [["later", "sent"]],
  );
});

test("a signal may be what a run first waits for", () => {
  const world = started([waitsForSignal("wait", "go")]);
  assert.equal(world.signal("go"), runId);
});

test("a step that failed is tried again by the server, its next attempt being the second", () => {
  const world = started([ran("a"), erred("shaky")]);
  const { attempt, attemptsMax, state } = world.call(runId);
  assert.deepEqual([attempt, attemptsMax], [1, 4]);
  assert.ok(state.at === "delayed" && state.dueAt === world.at + 500);
  assert.equal(code(goOn(world, [ran("b")])), "dispatch_stale", "the app carries it no more");
  world.wake(runId, "step", world.at + 500);
  world.ops(runId, "step", [ran("shaky")]);
  assert.deepEqual([...world.run(runId).steps.keys()], ["a", "b", "shaky"]);
});

test("a step that failed for good is recorded, and user code may catch it", () => {
  const world = started([failed("bad")]);
  assert.equal(world.run(runId).steps.get("bad")?.status, "failed");
  assert.equal(world.call(runId).state.at, "leased");
});

test("an error outside of steps is tried again, or ends the run", () => {
  const world = started([ran("a"), ofFunction(erred(resultId))]);
  assert.equal(world.run(runId).steps.size, 1, "it is no step");
  assert.equal(world.call(runId).attempt, 1);
  const over = started([ran("a"), ofFunction(failed(resultId))]);
  assert.equal(status(over), "failed");
  assert.deepEqual(over.jobs(runId), []);
});

test("a cancelled run is not the app's any more", () => {
  const world = started([ran("a")]);
  assert.ok(world.do({ type: "run.cancelled", runId, reason: "people" }).ok);
  assert.equal(code(goOn(world, [ran("b")])), "run_ended");
});

test("nothing but requests starts an endpoint", () => {
  const world = new World();
  register(world, "/buy");
  const event = world.event("inngest/function.invoked");
  const invoked = world.do({
    type: "run.invoked",
    functionSlug: "http://shop-/buy",
    newRunId: null,
    event,
    parent: null,
  });
  assert.equal(code(invoked), "function_not_found");
  assert.deepEqual(world.send("inngest/http.request"), []);
  world.sync("app", [{ slug: "fn" }]);
  const [id = ""] = world.send("fn");
  world.ops(id, "step", [invokes("call", "http://shop-/buy")]);
  assert.equal(world.run(id).steps.get("call")?.status, "failed");
});

test("endpoints are counted over all apps, and known ones may change", () => {
  const world = new World({ endpointsMax: 2 });
  assert.equal(code(register(world, "/a")), "ok");
  assert.equal(code(register(world, "/b", "http://other")), "ok");
  const refused = register(world, "/c");
  assert.ok(!refused.ok && refused.code === "endpoints_too_many");
  assert.match(refused.message, /knows 2.*endpointsMax allows 2.*--endpoints-max/);
  assert.equal(code(register(world, "/a", "http://shop", 7)), "ok");
  const fn = world.state.functionById("id-/a");
  assert.deepEqual([fn?.retries, fn?.version, fn?.endpoint], [7, 2, true]);
  assert.equal(world.state.app("app-http://shop")?.functions.length, 1);
});

test("the same registration again writes nothing", () => {
  const world = new World();
  register(world, "/a");
  const before = world.changes.length;
  assert.ok(register(world, "/a").ok);
  assert.equal(world.changes.length, before);
});

test("an endpoint does not take the id of a function", () => {
  const world = new World();
  world.sync("app", [{ slug: "http://shop-/a" }]);
  assert.equal(code(register(world, "/a")), "config_invalid");
});
