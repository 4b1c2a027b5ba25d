// One case for each reason: given a run, what is said about it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HotState } from "../state/hot-state.ts";
import { explained, reasonsOf } from "../testing/explained.ts";
import { only, register, start, worldWith } from "../testing/flow.ts";
import {
  fetches,
  erred,
  invokes,
  planned,
  sleeps,
  waits,
  waitsForEvents,
  waitsForSignal,
} from "../testing/opcodes.ts";
import type { World } from "../testing/world.ts";
import { explainRun } from "./explain.ts";
import { reasonKinds, type Reason, type ReasonKind } from "./explanation.ts";

const minute = 60_000;

interface Case {
  readonly kind: ReasonKind;
  /** Brings a run into the state. */
  readonly given: () => readonly [world: World, runId: string];
  /** How many reasons there are in all. */
  readonly reasons?: number;
  readonly sentence: RegExp;
  readonly next: RegExp;
  readonly fields?: (world: World) => Partial<Reason>;
}

/** A function, and the run of the last of so many events. */
function one(options: object, sent = 1): [World, string] {
  const world = worldWith({ fn: options });
  const runs = Array.from({ length: sent }, () => world.send("fn")).flat();
  return [world, runs.at(-1) ?? ""];
}

const cases: readonly Case[] = [
  {
    kind: "running",
    given: () => one({}),
    sentence: /The call of the function is with the app now: attempt 1 of 4, sent at .*\(now\)/,
    next: /Wait for the app/,
    fields: ({ at, state }) => ({
      jobId: "step",
      attempt: 1,
      attemptsMax: 4,
      sinceAt: at,
      dueAt: at + state.settings.leaseMs,
    }),
  },
  {
    kind: "backoff",
    given: () => {
      const [world, run] = one({});
      world.fail(run, "out of stock", { retryAfterMs: minute });
      world.at += 1_000;
      return [world, run];
    },
    sentence:
      /Attempt 1 of 4 of the call .* failed at .*\(1s ago\): out of stock\. Attempt 2 is at .*\(in 59s\)/,
    next: /Put right/,
    fields: ({ at }) => ({ attempt: 2, error: "out of stock", dueAt: at + minute - 1_000 }),
  },
  {
    kind: "backoff",
    given: () => {
      const [world, run] = one({});
      world.ops(run, "step", [erred("charge")]);
      return [world, run];
    },
    sentence: /Attempt 1 of 4 of step "charge" failed .* charge failed\./,
    next: /Put right/,
  },
  {
    kind: "batch",
    given: () => one({ batchEvents: { maxSize: 3, timeout: "5s" } }, 2),
    sentence: /The batch is open and has 2 of 3 events\. .*at the latest at .*\(in 5s\)/,
    next: /batchEvents\.timeout/,
    fields: ({ at }) => ({ events: 2, eventsMax: 3, dueAt: at + 5_000 }),
  },
  {
    kind: "debounce",
    given: () => one({ debounce: { period: "5s", timeout: "1m" } }),
    sentence: /debounced until .*\(in 5s\)\. .*by 5s, at the latest at .*\(in 1m\)/,
    next: /debounce\.period/,
  },
  {
    kind: "throttle",
    given: () => one({ throttle: { limit: 1, period: "1m" } }, 2),
    sentence: /throttled: .* of 1 in 1m at .*\(in 1m\)/,
    next: /throttle\.limit/,
    fields: ({ at }) => ({ dueAt: at + minute }),
  },
  {
    kind: "futureEvent",
    given: () => {
      const world = worldWith({ fn: {} });
      return [world, only(world.send("fn", {}, { ts: world.at + minute }))];
    },
    sentence: /The event "fn" is dated ahead \(ts\): the run starts at .*\(in 1m\)/,
    next: /by itself/,
  },
  {
    kind: "paused",
    given: () => {
      const world = worldWith({ fn: {} });
      world.do({ type: "function.paused", functionId: "id-fn" });
      world.at += minute;
      return [world, only(world.send("fn"))];
    },
    sentence: /Function fn was paused by people at .*\(1m ago\)/,
    next: /POST \/v1\/functions\/fn\/resume\.$/,
    fields: ({ at }) => ({ sinceAt: at - minute }),
  },
  {
    kind: "sleep",
    given: () => answered([sleeps("nap", minute)]),
    sentence: /Step "nap" sleeps until .*\(in 1m\)/,
    next: /by itself/,
    fields: ({ at }) => ({ step: "nap", dueAt: at + minute }),
  },
  {
    kind: "event",
    given: () =>
      answered([waits("paid", "shop/paid", { expression: "async.data.n == event.data.n" })]),
    sentence:
      /Step "paid" waits for an event "shop\/paid" for which async\.data\.n == event\.data\.n is true \(found by its data\.n\)\. It gives up at/,
    next: /pawl send shop\/paid/,
    fields: () => ({ event: "shop/paid", expression: "async.data.n == event.data.n" }),
  },
  {
    kind: "events",
    given: () =>
      answered([
        waitsForEvents("both", "all", [
          "shop/paid",
          { name: "sent", event: "shop/sent", expression: "async.data.n == event.data.n" },
        ]),
      ]),
    sentence:
      /Step "both" waits for all of: shop\/paid, an event "shop\/paid"; sent, an event "shop\/sent" for which async\.data\.n == event\.data\.n is true\. It gives up at/,
    next: /pawl send/,
    fields: () => ({ events: 0, eventsMax: 2 }),
  },
  {
    kind: "signal",
    given: () => answered([waitsForSignal("approved", "order-1")]),
    sentence: /Step "approved" waits for the signal "order-1"\. It gives up at/,
    next: /POST \/v1\/signals \{"signal": "order-1"/,
    fields: () => ({ signal: "order-1" }),
  },
  {
    kind: "running",
    given: () => answered([fetches("ask")]),
    sentence: /Step "ask" is a request that the server performs now: attempt 1 of 4/,
    next: /--gateway-timeout/,
  },
  {
    kind: "queued",
    given: () => {
      const world = worldWith({ fn: {} }, { gatewayCallsMax: 1 });
      const [first = "", second = ""] = [world.send("fn"), world.send("fn")].flat();
      for (const run of [first, second]) world.ops(run, "step", [fetches("ask")]);
      return [world, second];
    },
    sentence:
      /waits for a place at the gate of requests that the server performs \(setting gatewayCallsMax\)/,
    next: /--gateway-calls-max/,
  },
  {
    kind: "deadline",
    given: () => one({ timeouts: { finish: "10m" } }),
    reasons: 2,
    sentence: /cancelled at .*\(in 10m\) by its time limit \(timeouts\.finish\)/,
    next: /Raise timeouts\.finish/,
  },
  {
    kind: "app",
    given: () => {
      const [world, run] = one({});
      const url = "http://localhost/api/pawl";
      world.do({ type: "app.syncFailed", appId: "app-app", url, error: "connection refused" });
      return [world, run];
    },
    reasons: 2,
    sentence: /App app could not be synced: connection refused\. Calls go to http:\/\/localhost/,
    next: /Start the app/,
    fields: () => ({ jobId: null, error: "connection refused" }),
  },
  {
    kind: "function",
    given: () => {
      const [world, run] = one({});
      register(world, { other: {} });
      return [world, run];
    },
    reasons: 2,
    sentence: /Function id-fn of this run is not registered any more \(app app does not serve it\)/,
    next: /Sync the app/,
  },
  {
    kind: "ended",
    given: () => {
      const [world, run] = one({});
      world.complete(run, 1);
      return [world, run];
    },
    sentence: /^The run completed at/,
    next: /output/,
  },
  {
    kind: "ended",
    given: () => {
      const [world, run] = one({});
      world.fail(run, "no money", { noRetry: true });
      return [world, run];
    },
    sentence: /The run failed at .*: no money\.$/,
    next: /attempts/,
    fields: () => ({ error: "no money" }),
  },
  {
    kind: "ended",
    given: () => {
      const [world, runId] = one({});
      world.do({ type: "run.cancelled", runId, reason: "somebody said so" });
      return [world, runId];
    },
    sentence: /cancelled at .*: somebody said so\.$/,
    next: /again/,
  },
  {
    kind: "ended",
    given: () => one({ rateLimit: { limit: 1, period: "1m" } }, 2),
    sentence: /never started; it was skipped at .*: rate limit: 1 runs in 1m/,
    next: /rateLimit.*throttle/,
  },
  {
    kind: "ended",
    given: () => one({ singleton: { mode: "skip" } }, 2),
    sentence: /skipped at .*: singleton: run \w+ goes on/,
    next: /"cancel"/,
  },
];

function answered(opcodes: Parameters<World["ops"]>[2]): [World, string] {
  const world = worldWith({ fn: {} });
  const run = only(world.send("fn", { n: 1 }));
  world.ops(run, "step", opcodes);
  return [world, run];
}

for (const { kind, given, sentence, next, reasons = 1, fields } of cases) {
  test(`${kind}: ${String(sentence).slice(1, 60)}`, () => {
    const [world, runId] = given();
    const all = reasonsOf(world, runId);
    assert.equal(all.length, reasons, JSON.stringify(all, null, 1));
    const found = all.find((reason) => reason.kind === kind);
    assert.ok(found, JSON.stringify(all, null, 1));
    assert.match(found.sentence, sentence);
    assert.match(found.next, next);
    const wanted = fields?.(world) ?? {};
    assert.deepEqual({ ...found, ...wanted }, found);
  });
}

test("a call in the queue of its function: limit, holders, place, and an estimate when there is one", () => {
  const world = worldWith({ fn: { concurrency: 1 } });
  const [first = "", ...others] = [1, 2, 3, 4].map((n) => start(world, "fn", { n }));
  others.forEach((runId, index) => {
    const [found] = explained(world, runId, { meanMs: 2_000, count: 7 }).reasons;
    assert.ok(found);
    assert.equal(found.kind, "queued");
    assert.deepEqual(found.gate, {
      kind: "function",
      name: "fn:id-fn",
      scope: null,
      expression: null,
      value: null,
      limit: 1,
      taken: 1,
      heldBy: [first],
    });
    assert.equal(found.place?.place, index + 1);
    assert.equal(found.place?.queued, 3);
    assert.equal(found.place?.expectedAt, world.at + (index + 1) * 2_000);
    assert.match(
      found.sentence,
      new RegExp(`1 of 1 taken, by run ${first}\\. It is number ${index + 1} of 3`),
    );
    assert.match(found.sentence, /estimate from the mean of 2s .* \(7 counted\)/);
    assert.match(found.next, new RegExp(`pawl explain ${first}`));
  });
  const [unknown] = reasonsOf(world, others[0] ?? "");
  assert.equal(unknown?.place?.expectedAt, null);
  assert.match(unknown?.sentence ?? "", /not known yet/);
});

test("functions with different limits at a key: how many may go first, and for whom places are kept free", () => {
  const key = { key: "'mail'", scope: "env" };
  const world = worldWith({
    one: { concurrency: { ...key, limit: 1 } },
    five: { concurrency: { ...key, limit: 5 } },
  });
  for (let n = 0; n < 30; n++) start(world, "five");
  const low = start(world, "one");
  const last = start(world, "five");
  const [waits] = reasonsOf(world, low);
  assert.equal(waits?.place?.othersAhead, 17, "3 * 5 + 2, of 26 that wait");
  const out = () =>
    world
      .runIds()
      .filter((id) => world.job(id)?.kind === "call" && world.call(id).state.at === "leased");
  while (out().length === 5) {
    world.complete(out()[0] ?? "");
    world.pull();
  }
  const [held] = reasonsOf(world, last);
  assert.equal(held?.gate?.taken, 4);
  assert.equal(held?.place?.expectedAt, null);
  assert.match(held?.sentence ?? "", /4 of 5 taken, .*Function one is next there/);
  assert.match(held?.next ?? "", /once function one has had its turn/);
});

test("while a call keeps a place, those held to its limit are told of its function", () => {
  const on = (name: string, limit: number) => ({ key: `'${name}'`, scope: "env", limit });
  const world = worldWith({
    needy: { concurrency: [on("x", 1), on("y", 1)] },
    many: { concurrency: on("x", 4) },
    busy: { concurrency: on("y", 1) },
  });
  const busy = start(world, "busy");
  start(world, "needy");
  const many = start(world, "many");
  world.complete(busy);
  start(world, "busy");
  world.pull();
  world.complete(many);
  world.pull();
  const [held] = reasonsOf(world, start(world, "many"));
  assert.match(held?.sentence ?? "", /1 of 4 taken.* Function needy is next there/);
  assert.match(held?.next ?? "", /once function needy has had its turn/);
});

test("a call in the queue of a concurrency key: its expression and value; other functions take turns", () => {
  const concurrency = { limit: 1, key: "event.data.user", scope: "env" };
  const world = worldWith({ a: { concurrency }, b: { concurrency } });
  const [, first = "", second = "", third = ""] = ["a", "a", "b", "a"].map((name) =>
    start(world, name, { user: "u1" }),
  );
  start(world, "b", { user: "u2" });
  const [found] = reasonsOf(world, third);
  assert.equal(found?.gate?.expression, "event.data.user");
  assert.equal(found?.gate?.value, '"u1"');
  assert.equal(found?.gate?.scope, "env");
  assert.deepEqual(
    [first, second, third].map((id) => reasonsOf(world, id)[0]?.place?.place),
    [1, 1, 2],
  );
  assert.equal(found?.place?.othersAhead, 1);
  assert.match(found?.sentence ?? "", /concurrency key event\.data\.user = "u1", scope env/);
});

test("a call before the gate of its app names the setting", () => {
  const world = worldWith({ fn: {} }, { callsPerAppMax: 1 });
  start(world, "fn");
  const [found] = reasonsOf(world, start(world, "fn"));
  assert.equal(found?.gate?.kind, "app");
  assert.match(found?.next ?? "", /--calls-per-app-max/);
});

test("steps side by side have a reason each, calls first", () => {
  const world = worldWith({ fn: { concurrency: 1 }, child: {} });
  const run = only(world.send("fn"));
  world.ops(run, "step", [
    sleeps("nap", minute),
    planned("p"),
    planned("q"),
    invokes("i", "child"),
  ]);
  const found = reasonsOf(world, run);
  assert.deepEqual(
    found.map(({ kind, step }) => [kind, step]),
    [
      ["running", "p"],
      ["queued", "q"],
      ["invoke", "i"],
      ["sleep", "nap"],
    ],
  );
  const child = found.find(({ kind }) => kind === "invoke");
  assert.equal(child?.functionSlug, "child");
  assert.match(child?.next ?? "", new RegExp(`pawl explain ${child?.childRunId ?? "?"}`));
  assert.equal(world.run(child?.childRunId ?? "").run.status, "running");
});

test("of a run with very many jobs the beginning is explained, and the rest counted", () => {
  const world = worldWith({ fn: {} });
  const run = only(world.send("fn"));
  world.ops(
    run,
    "step",
    Array.from({ length: 130 }, (_, n) => sleeps(`nap ${n}`, minute)),
  );
  const { reasons, more } = explained(world, run);
  assert.deepEqual([reasons.length, more], [100, 30]);
});

test("a run that waits for nothing is a fault, and a lease of an earlier process is on its way back", () => {
  const world = worldWith({ fn: {} });
  const { run, jobs, events } = world.run(only(world.send("fn")));
  const input = { at: world.at, attempts: [], output: null, ahead: new Map(), callTimes: null };
  const stored = { run, steps: [], defers: [], events };
  const [fault, ...more] = explainRun(world.state, {
    ...input,
    stored: { ...stored, jobs: [] },
  }).reasons;
  assert.deepEqual([fault?.kind, more.length], ["noWakeUp", 0]);
  assert.match(fault?.next ?? "", /pawl doctor --fix/);
  const later = new HotState({ ...world.state.settings, epoch: 2 });
  later.boot({ apps: [...world.state.apps()], waitPaths: [], queues: [], runtimeSchedules: 0 });
  const [lost] = explainRun(later, {
    ...input,
    stored: { ...stored, jobs: [...jobs.values()] },
  }).reasons;
  assert.equal(lost?.kind, "lost");
  assert.match(lost?.sentence ?? "", /process that is gone/);
});

test("the table and the tests here have every kind", () => {
  const apart = ["queued", "invoke", "noWakeUp", "lost", "delayed"];
  const known = new Set([...cases.map(({ kind }) => kind), ...apart]);
  assert.deepEqual(
    [...reasonKinds].filter((kind) => !known.has(kind)),
    [],
  );
});
