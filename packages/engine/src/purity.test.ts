// Random histories: every command sequence keeps the invariants, and deciding is a function.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toJsonText } from "@pawl/protocol/json-text";
import type { Opcode } from "@pawl/protocol/opcode";
import type { Command } from "./commands.ts";
import { decide } from "./decide.ts";
import { requirements } from "./requirements.ts";
import type { RunView } from "./state/view.ts";
import {
  aborts,
  defers,
  erred,
  failed,
  fetches,
  invokes,
  other,
  planned,
  ran,
  sleeps,
  waits,
  waitsForEvents,
  waitsForSignal,
  completes,
} from "./testing/opcodes.ts";
import { explained } from "./testing/explained.ts";
import { assertGates } from "./testing/gate-counts.ts";
import { World } from "./testing/world.ts";

const stepIds = ["a", "b", "c", "d"];

const equal = { name: "equal", event: "go", expression: "async.data.n == event.data.n" };

const opcode: fc.Arbitrary<Opcode> = fc.constantFrom(...stepIds).chain((id) =>
  fc.oneof(
    fc.nat({ max: 3 }).map((n) => ran(id, n)),
    fc.boolean().map((race) => planned(id, { race })),
    fc.boolean().map((race) => fetches(id, { race })),
    fc.boolean().map((noRetry) => erred(id, { noRetry })),
    fc.constant(failed(id)),
    fc.constant(defers(id)),
    fc.constant(aborts(id)),
    fc.nat({ max: 2 }).map((n) => sleeps(id, n * 1_000)),
    fc.constantFrom("run" as const, null).map((lookback) => waits(id, "go", { lookback })),
    fc.constant(waits(id, "go", { expression: "async.data.n == event.data.n" })),
    fc
      .tuple(fc.constantFrom("any" as const, "all" as const), fc.constantFrom("run" as const, null))
      .map(([mode, lookback]) => waitsForEvents(id, mode, [equal, "go", "parent"], { lookback })),
    fc
      .tuple(fc.constantFrom("s", "t"), fc.constantFrom("fail" as const, "replace" as const))
      .map(([signal, onConflict]) => waitsForSignal(id, signal, { onConflict })),
    fc
      .tuple(fc.constantFrom("child", "nobody"), fc.constantFrom("cancel", "abandon", null))
      .map(([slug, onCancel]) => invokes(id, slug, { onCancel })),
    fc.constant(other("None", id)),
    fc.constant(other("StepNotFound", id)),
    fc.constant(other("DiscoveryRequest", "again")),
    fc.constant(completes(1)),
  ),
);

type Move =
  | { kind: "signal"; signal: string; id: string | null }
  | { kind: "send"; name: string; n: number; id: string | null }
  | { kind: "answer"; run: number; job: number; stale: boolean; opcodes: Opcode[]; version: number }
  | { kind: "fail"; run: number; job: number }
  | { kind: "complete"; run: number; job: number }
  | { kind: "lose"; run: number; job: number }
  | { kind: "checkpoint"; run: number; opcodes: Opcode[]; current: boolean }
  | { kind: "cancel"; run: number }
  | { kind: "wake"; run: number; job: number }
  | { kind: "admit"; run: number; job: number };

const at = fc.nat({ max: 5 });
const opcodes = fc.array(opcode, { maxLength: 4 });
const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({
    kind: fc.constant("send" as const),
    name: fc.constantFrom("parent", "go"),
    n: fc.nat({ max: 2 }),
    id: fc.constantFrom(null, "e1"),
  }),
  fc.record({
    kind: fc.constant("signal" as const),
    signal: fc.constantFrom("s", "t"),
    id: fc.constantFrom(null, "i1"),
  }),
  fc.record({
    kind: fc.constant("answer" as const),
    run: at,
    job: at,
    stale: fc.boolean(),
    opcodes,
    version: fc.constantFrom(1, 2, 3),
  }),
  fc.record({ kind: fc.constant("fail" as const), run: at, job: at }),
  fc.record({ kind: fc.constant("complete" as const), run: at, job: at }),
  fc.record({ kind: fc.constant("lose" as const), run: at, job: at }),
  fc.record({ kind: fc.constant("checkpoint" as const), run: at, opcodes, current: fc.boolean() }),
  fc.record({ kind: fc.constant("cancel" as const), run: at }),
  fc.record({ kind: fc.constant("wake" as const), run: at, job: at }),
  fc.record({ kind: fc.constant("admit" as const), run: at, job: at }),
);

function runIds(world: World): string[] {
  return [...new Set(world.changes.flatMap((c) => (c.type === "run.put" ? [c.run.id] : [])))];
}

/** What a move comes to in this world; null when there is nothing it could be about. */
function toCommand(world: World, step: Move): Parameters<World["do"]>[0] | null {
  if (step.kind === "send") {
    return {
      type: "events.received",
      events: [world.event(step.name, { n: step.n }, { externalId: step.id })],
      resendable: false,
    };
  }
  if (step.kind === "signal") {
    const { signal, id } = step;
    return { type: "signal.sent", signal, data: toJsonText({ n: 1 }), types: null, id };
  }
  const ids = runIds(world);
  const runId = ids[step.run % Math.max(1, ids.length)];
  if (runId === undefined) return null;
  if (step.kind === "cancel") return { type: "run.cancelled", runId, reason: "test" };
  const jobs = [...world.run(runId).jobs.values()];
  const job = "job" in step ? jobs[step.job % Math.max(1, jobs.length)] : jobs[0];
  if (job === undefined) return null;
  const jobId = job.id;
  if (step.kind === "checkpoint") {
    const requestId = job.kind === "call" && step.current ? world.requestId(runId, jobId) : null;
    return { type: "checkpoint.received", runId, jobId, requestId, opcodes: step.opcodes };
  }
  if (step.kind === "wake") {
    world.at += 40_000;
    return { type: "timer.due", runId, jobId };
  }
  if (step.kind === "admit") return { type: "call.admitted", runId, jobId };
  const generation = job.kind === "call" ? job.generation : 0;
  if (step.kind === "lose") return { type: "call.lost", runId, jobId, generation };
  const answered = { type: "call.answered", runId, jobId, sentAt: world.at } as const;
  if (step.kind === "answer") {
    const { opcodes: brought, version, stale } = step;
    const answer = {
      kind: "opcodes",
      opcodes: brought,
      retryAfterMs: null,
      requestVersion: version,
    } as const;
    return { ...answered, generation: stale ? generation - 1 : generation, answer };
  }
  const error = '{"name":"Error","message":"x"}' as never; // proof: JSON text
  const answer =
    step.kind === "fail"
      ? ({
          kind: "failed",
          error,
          noRetry: false,
          retryAfterMs: null,
          requestVersion: null,
        } as const)
      : ({ kind: "completed", memo: '{"data":1}' as never, requestVersion: 2 } as const); // proof: JSON text
  return { ...answered, generation, answer };
}

function worldWithFunctions(): World {
  const world = new World({ callsPerAppMax: 3, waitsPageSize: 2, idleDiscoveriesMax: 4 });
  world.sync("app", [
    { slug: "parent", retries: 1 },
    { slug: "child", retries: 0, triggers: [{ kind: "event", event: "never", expression: null }] },
    { slug: "watch", triggers: [{ kind: "event", event: "inngest/function.*", expression: null }] },
  ]);
  return world;
}

function assertRun(run: RunView, memos: Map<string, string>): void {
  for (const step of run.steps.values()) {
    const key = `${run.run.id}/${step.id}`;
    assert.equal(memos.get(key) ?? step.memo, step.memo, "a recorded step never changes");
    memos.set(key, step.memo);
    const job = run.jobs.get(step.id);
    const out = job?.kind === "call" && job.state.at === "leased";
    assert.ok(job === undefined || out, `step ${step.id} is recorded and still open`);
  }
}

/** Something is said of each run, of every job of it, and nothing that the engine cannot name. */
function assertExplained(world: World, runId: string): void {
  const { jobs } = world.run(runId);
  const { reasons } = explained(world, runId);
  assert.ok(reasons.length >= Math.max(1, jobs.size), runId);
  for (const jobId of jobs.keys()) assert.ok(reasons.some((reason) => reason.jobId === jobId));
  const vague = reasons.filter(({ kind }) => kind === "noWakeUp" || kind === "delayed");
  assert.deepEqual(vague, []);
  for (const { sentence, next } of reasons) assert.ok(sentence.length > 20 && next.length > 10);
}

test("random histories keep the invariants of SPEC.md", () => {
  fc.assert(
    fc.property(fc.array(move, { minLength: 5, maxLength: 60 }), (moves) => {
      const world = worldWithFunctions();
      world.send("parent", { n: 1 });
      const memos = new Map<string, string>();
      for (const step of moves) {
        const command = toCommand(world, step);
        if (command === null) continue;
        world.do(command); // asserts invariant 1
        let leased = 0;
        let queued = 0;
        for (const id of runIds(world)) {
          const run = world.run(id);
          assertRun(run, memos);
          assertExplained(world, id);
          for (const job of run.jobs.values()) {
            if (job.kind !== "call" || job.gateway !== null) continue;
            if (job.state.at === "leased") leased++;
            if (job.state.at === "queued") queued++;
          }
        }
        assert.deepEqual({ ...world.state.gate("app:app-app") }, { inFlight: leased, queued });
        assert.ok(leased <= 3, "the gate's limit holds");
        assertGates(world);
      }
    }),
    { numRuns: 400 },
  );
});

test("every run can be driven to its end, whatever happened before", () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
      const world = worldWithFunctions();
      world.send("parent", { n: 1 });
      for (const step of moves) {
        const command = toCommand(world, step);
        if (command !== null) world.do(command);
      }
      for (let round = 0; round < 200; round++) {
        const open = runIds(world).filter((id) => world.run(id).jobs.size > 0);
        if (open.length === 0) return;
        for (const id of open) drive(world, id);
      }
      assert.fail("runs are still open");
    }),
    { numRuns: 200 },
  );
});

/** Plays time, gates and a cooperative app for every job of a run. */
function drive(world: World, id: string): void {
  for (const jobId of world.jobs(id)) {
    const job = world.job(id, jobId);
    if (job === undefined) continue;
    if (job.kind !== "call" || job.state.at === "delayed") {
      const dueAt =
        job.kind === "call" ? (job.state.at === "delayed" ? job.state.dueAt : 0) : job.dueAt;
      world.at = Math.max(world.at, dueAt);
      world.do({ type: "timer.due", runId: id, jobId: job.id });
    } else if (job.state.at === "queued") {
      world.do({ type: "call.admitted", runId: id, jobId: job.id });
    } else if (job.target === "step") {
      world.complete(id, 1, job.id);
    } else {
      world.ops(id, job.id, [ran(job.target)]);
    }
  }
}

test("deciding twice gives the same decision and leaves the state alone (invariant 11)", () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 25 }), (moves) => {
      const world = worldWithFunctions();
      world.send("parent", { n: 1 });
      for (const step of moves) {
        const unstamped = toCommand(world, step);
        if (unstamped === null) continue;
        // proof: adds the two fields that the unstamped type leaves out
        const command = { ...unstamped, at: world.at, seed: [1, 2, 3, 4] } as Command;
        if (requirements(world.state, command).length === 0) {
          assert.deepEqual(decide(world.state, command), decide(world.state, command));
        }
        world.do(unstamped);
      }
    }),
    { numRuns: 100 },
  );
});
