import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { DueJob, Store } from "@pawl/store/store";
import { silentLog } from "./log.ts";
import { TimerHeap } from "./timer-heap.ts";
import { jobTimers, type JobTimer } from "./timer-source.ts";
import { defaultTimerLimits, Timers, type TimerLimits } from "./timers.ts";
import { rest, VirtualClock } from "./testing/virtual-clock.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Timers as a store has them; firing one removes it, as the engine would, unless it is early. */
class Bench {
  readonly clock = new VirtualClock(0);
  readonly stored = new Map<string, number>();
  readonly fired: { readonly jobId: string; readonly at: number; readonly dueAt: number }[] = [];
  reads = 0;
  /** Commands for timers that were not due when they were sent. */
  early = 0;
  faulty = new Set<string>();
  readonly timers: Timers<JobTimer>;

  constructor(limits: Partial<TimerLimits> = {}) {
    // proof: timers ask for nothing but timers.
    const due = ((query: { until: number; limit: number }) =>
      this.#due(query)) as unknown as Store["due"];
    this.timers = new Timers({
      source: jobTimers({ due }, null),
      clock: this.clock,
      log: silentLog,
      limits: { ...defaultTimerLimits, ...limits },
      report: async (command) => {
        const jobId = "jobId" in command && command.jobId !== null ? command.jobId : "";
        const at = this.clock.now();
        if ((this.stored.get(jobId) ?? 0) > at) this.early++;
        await turn();
        if (this.faulty.has(jobId)) throw new Error("the engine chokes");
        const dueAt = this.stored.get(jobId);
        if (dueAt === undefined || dueAt > this.clock.now()) return;
        this.stored.delete(jobId);
        this.fired.push({ jobId, at, dueAt });
      },
    });
  }

  /** A commit brought a timer. */
  commit(jobId: string, dueAt: number): void {
    this.stored.set(jobId, dueAt);
    this.timers.add({ runId: "r", jobId, dueAt });
  }

  async #due({ until, limit }: { until: number; limit: number }): Promise<readonly DueJob[]> {
    this.reads++;
    const page: DueJob[] = [...this.stored]
      .filter(([, dueAt]) => dueAt <= until)
      .toSorted((a, b) => a[1] - b[1])
      .slice(0, limit)
      .map(([jobId, dueAt]) => ({ runId: "r", jobId, dueAt, generation: 0 }));
    await turn();
    return page;
  }
}

test("the heap gives jobs by due time", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100)), (times) => {
      const heap = new TimerHeap<null>();
      for (const dueAt of times) heap.push({ key: "", dueAt, timer: null });
      const out = times.map(() => heap.pop()?.dueAt);
      assert.deepEqual(
        out,
        times.toSorted((a, b) => a - b),
      );
      assert.equal(heap.pop(), undefined);
    }),
  );
});

test("a timer fires at its time, to the millisecond when it is known beforehand", async () => {
  const bench = new Bench();
  bench.timers.start();
  await rest();
  bench.commit("soon", 250);
  bench.commit("later", 90_000);
  await bench.clock.advance(249);
  assert.deepEqual(bench.fired, []);
  await bench.clock.advance(1);
  assert.deepEqual(bench.fired, [{ jobId: "soon", at: 250, dueAt: 250 }]);
  assert.equal(bench.timers.size, 0, "what is beyond the window is not held");
  await bench.clock.advance(89_750);
  assert.deepEqual(bench.fired[1], { jobId: "later", at: 90_000, dueAt: 90_000 });
});

test("overdue timers fire in pages, however many share a millisecond", async () => {
  const bench = new Bench({ pageSize: 10, firingMax: 7 });
  for (let i = 0; i < 95; i++) bench.stored.set(`j${i}`, -5_000 + Math.floor(i / 40));
  bench.timers.start();
  for (let page = 0; page < 60 && bench.stored.size > 0; page++) await rest();
  assert.equal(bench.fired.length, 95);
  assert.equal(bench.stored.size, 0);
});

test("memory stays bounded when very many timers are set within the window", async () => {
  const bench = new Bench({ countMax: 50, pageSize: 20, firingMax: 20 });
  bench.timers.start();
  await rest();
  for (let i = 0; i < 500; i++) bench.commit(`j${i}`, 1_000 + ((i * 37) % 500));
  assert.ok(bench.timers.size <= 50, `${bench.timers.size} in memory`);
  await bench.clock.advance(1_600);
  assert.equal(bench.fired.length, 500);
  assert.equal(Math.max(...bench.fired.map(({ at, dueAt }) => at - dueAt)), 0);
});

test("a clock that goes back makes nothing early; one that goes forward delays by a tick at most", async () => {
  const bench = new Bench({ tickMs: 100 });
  bench.timers.start();
  await rest();
  bench.commit("a", 1_000);
  await bench.clock.advance(900);
  bench.clock.jump(-500);
  await bench.clock.advance(500);
  assert.deepEqual(bench.fired, []);
  await bench.clock.advance(100);
  assert.equal(bench.fired.length, 1);
  bench.commit("b", 3_600_000);
  bench.stored.set("c", 7_200_000);
  bench.clock.jump(7_200_000);
  await bench.clock.advance(100);
  assert.deepEqual(
    bench.fired.map(({ jobId }) => jobId),
    ["a", "b", "c"],
  );
});

test("a timer that the engine chokes on does not keep the others, nor the processor busy", async () => {
  const bench = new Bench();
  bench.faulty.add("bad");
  bench.stored.set("bad", 0);
  bench.stored.set("good", 0);
  bench.timers.start();
  await bench.clock.advance(1_000);
  assert.deepEqual(
    bench.fired.map(({ jobId }) => jobId),
    ["good"],
  );
  assert.ok(bench.reads < 5, `${bench.reads} reads`);
  bench.faulty.clear();
  await bench.clock.advance(61_000);
  assert.equal(bench.stored.size, 0, "it is tried again later");
});

test("whatever happens to timers and clock: none fires early, all fire in the end", async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("commit" as const), in: fc.integer({ min: -500, max: 5_000 }) }),
    fc.record({ kind: fc.constant("advance" as const), ms: fc.integer({ min: 0, max: 2_000 }) }),
    fc.record({ kind: fc.constant("jump" as const), ms: fc.integer({ min: -1_500, max: 3_000 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const bench = new Bench({
        windowMs: 1_000,
        tickMs: 200,
        pageSize: 3,
        countMax: 4,
        firingMax: 2,
      });
      bench.timers.start();
      let count = 0;
      for (const action of steps) {
        if (action.kind === "commit") bench.commit(`j${count++}`, bench.clock.now() + action.in);
        else if (action.kind === "advance") await bench.clock.advance(action.ms);
        else bench.clock.jump(action.ms);
      }
      const last = Math.max(0, ...bench.stored.values());
      await bench.clock.advance(Math.max(0, last - bench.clock.now()) + 2_000);
      bench.timers.stop();
      assert.equal(bench.fired.length, count);
      assert.equal(bench.early, 0);
    }),
    { numRuns: 60 },
  );
});
