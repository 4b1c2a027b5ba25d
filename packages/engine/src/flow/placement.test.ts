// Runs live in the shard of their gate; what starts in a shard of another process is sent there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decide } from "../decide.ts";
import type { Command } from "../commands.ts";
import { HotState } from "../state/hot-state.ts";
import { requirements } from "../requirements.ts";
import { entityKey, shardOf } from "../shard.ts";
import { only, register, worldWith } from "../testing/flow.ts";
import { invokes } from "../testing/opcodes.ts";
import { gateKey } from "./placement.ts";

const limited: Readonly<Record<string, object>> = {
  concurrency: { concurrency: 2 },
  throttle: { throttle: { limit: 1, period: "1m" } },
  rateLimit: { rateLimit: { limit: 9, period: "1m" } },
  idempotency: { idempotency: "event.data.n" },
  debounce: { debounce: { period: "1m" } },
  batchEvents: { batchEvents: { maxSize: 2, timeout: "1m" } },
  singleton: { singleton: { mode: "skip" } },
};
const free: Readonly<Record<string, object>> = {
  plain: {},
  priority: { priority: { run: "1" } },
  timeouts: { timeouts: { start: "1m" } },
  cancel: { cancelOn: [{ event: "stop" }] },
};
const shared: Readonly<Record<string, object>> = {
  env: { concurrency: { limit: 1, scope: "env", key: "event.data.n" } },
  account: { concurrency: { limit: 1, scope: "account", key: "event.data.n" } },
};

test("the gate of a start: the event's, the function's, or the one that functions share", () => {
  const world = worldWith({ ...limited, ...free, ...shared });
  for (const slug of Object.keys({ ...limited, ...free, ...shared })) {
    const fn = world.state.functionBySlug(slug);
    assert.ok(fn !== undefined);
    const event = world.event(slug, { n: 1 });
    const expected =
      slug in limited
        ? `gate:id-${slug}`
        : slug in shared
          ? "gate:shared"
          : `gate:id-${slug}:${event.id}`;
    assert.equal(gateKey(world.state, fn, event), expected);
    const withId = { ...event, externalId: "x" };
    if (slug in free) assert.equal(gateKey(world.state, fn, withId), `gate:id-${slug}:x`);
    const runId = only(world.send(slug, { n: 1 }, { id: event.id }));
    assert.equal(shardOf(runId), shardOf(expected), slug);
  }
});

test("a setting that limits starts makes every function a gate", () => {
  const world = worldWith({ fn: {} }, { backlogMax: 5 });
  assert.equal(shardOf(only(world.send("fn"))), shardOf("gate:id-fn"));
});

test("an invoked run lies in the shard of its gate, although its invoker chose its id", () => {
  const world = worldWith({ parent: {}, child: limited["concurrency"] ?? {} });
  const parent = only(world.send("parent"));
  world.ops(parent, "step", [invokes("i", "child")]);
  const job = world.job(parent, "i");
  assert.ok(job?.kind === "invoke");
  assert.equal(shardOf(job.childRunId), shardOf("gate:id-child"));
  assert.equal(world.run(job.childRunId).run.parent?.runId, parent);
});

/** The decision of a process that owns nothing but the shard of `key`. */
function decideIn(key: string, command: (world: ReturnType<typeof worldWith>) => object) {
  const world = worldWith({ fn: {}, slow: limited["concurrency"] ?? {} });
  const state = new HotState(world.state.settings, new Set([shardOf(key)]));
  state.boot({ apps: [...world.state.apps()], waitPaths: [], queues: [], runtimeSchedules: 0 });
  const stamp = { at: world.at, seed: [1, 2, 3, 4] };
  // proof: the tests write whole commands.
  return decide(state, { ...stamp, ...command(world) } as unknown as Command);
}

test("an event is stored where it arrives, and starts functions where their gates are", () => {
  const command = (world: ReturnType<typeof worldWith>) => ({
    type: "events.received",
    events: [world.event("slow")],
    resendable: false,
  });
  const elsewhere = decideIn("gate:another", command);
  assert.deepEqual(
    elsewhere.changes.map(({ type }) => type),
    ["event.put"],
  );
  const [message] = elsewhere.messages;
  assert.ok(message?.type === "run.triggered");
  assert.deepEqual([message.gate, message.functionId], ["gate:id-slow", "id-slow"]);
  const here = decideIn("gate:id-slow", command);
  assert.deepEqual(here.messages, []);
  const there = decideIn("gate:id-slow", () => message);
  for (const { changes, effects } of [here, there]) {
    const run = changes.find((change) => change.type === "run.put");
    assert.equal(run?.run.status, "running");
    assert.ok(changes.some(({ type }) => type === "job.put"));
    assert.ok(effects.some(({ type }) => type === "call"));
  }
});

test("a function that is gone when its start arrives does not start", () => {
  const { changes, reply } = decideIn("gate:id-gone", (world) => ({
    type: "run.triggered",
    gate: "gate:id-gone",
    functionId: "id-gone",
    event: world.event("gone"),
  }));
  assert.deepEqual([changes, reply.ok], [[], true]);
});

test("an invocation through the API names its run at once, wherever its gate is", () => {
  const invoke = (world: ReturnType<typeof worldWith>) => ({
    type: "run.invoked",
    functionSlug: "slow",
    newRunId: null,
    event: world.event("inngest/function.invoked"),
    parent: null,
  });
  const { changes, messages, reply } = decideIn("gate:another", invoke);
  assert.deepEqual(changes, []);
  const [message] = messages;
  assert.ok(message?.type === "run.invoked" && message.newRunId !== null);
  assert.equal(shardOf(message.newRunId), shardOf("gate:id-slow"));
  assert.ok(reply.ok && reply.value.type === "started");
  assert.equal(reply.value.runId, message.newRunId);
});

test("a run that is started again lies with the gate as it is now; where that moved, the start is sent there", () => {
  const world = worldWith({ fn: {} });
  const runId = only(world.send("fn"));
  world.complete(runId);
  const { run, steps, events } = world.run(runId);
  const original = { run, jobs: [], steps: [...steps.values()], defers: [], events };
  register(world, { fn: limited["concurrency"] ?? {} });
  const stamp = { at: world.at, seed: [1, 2, 3, 4] } as const;
  const rerun = { type: "run.rerun", runId, newRun: null, fromStep: null } as const;
  const decideAs = (owned: string, command: Command) => {
    const state = new HotState(world.state.settings, new Set([shardOf(owned)]));
    state.boot({ apps: [...world.state.apps()], waitPaths: [], queues: [], runtimeSchedules: 0 });
    state.absorb([{ need: { kind: "run", runId }, run: original }]);
    for (const need of requirements(state, command))
      if (need.kind === "run") state.absorb([{ need, run: null }]);
    return decide(state, command);
  };
  const asked = decideAs(runId, { ...stamp, ...rerun, gate: null });
  assert.deepEqual(asked.changes, []);
  const [message] = asked.messages;
  assert.ok(message?.type === "run.rerun" && message.gate === "gate:id-fn");
  assert.equal(entityKey(message), "gate:id-fn");
  const there = decideAs("gate:id-fn", message);
  const started = there.changes.find((change) => change.type === "run.put")?.run;
  assert.equal(started?.originalRunId, runId);
  assert.equal(shardOf(started.id), shardOf("gate:id-fn"));
  assert.ok(asked.reply.ok && asked.reply.value.type === "started");
  assert.equal(asked.reply.value.runId, started.id);
});
