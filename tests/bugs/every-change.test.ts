// The journey of one run through every kind of step, with something going wrong at each of its
// state changes in turn: the process killed, the store failing, the clock set back.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Runtime } from "@pawl/server/loop/runtime";
import type { Fate, Faults } from "./faulty-store.ts";
import {
  commandCount,
  journeyCommands,
  journeyMs,
  journeyRuns,
  journeySteps,
  noFaults,
  World,
} from "./world.ts";

const hour = 3_600_000;
const backMs = 600_000;

/** Sends what is left to send, until something is not acknowledged. Resolves with how many are. */
async function sendRest(world: World, runtime: Runtime, sent: number): Promise<number> {
  const commands = journeyCommands(world.clock.now());
  let acknowledged = sent;
  for (const command of commands.slice(sent)) {
    if (!(await world.submit(runtime, command))) break;
    acknowledged++;
  }
  return acknowledged;
}

async function endsWell(
  world: World,
  runtime: Runtime,
  what: string,
  ms = journeyMs,
): Promise<void> {
  const ended = await world.untilEnded(journeyRuns, ms);
  const problems = await world.problems(runtime, journeySteps);
  assert.deepEqual(problems, [], what);
  assert.ok(ended, `${what}: not all runs have ended`);
  assert.equal((await world.runs()).length, journeyRuns, what);
  await runtime.stop();
}

/** The commits and the reads of a journey in which nothing goes wrong. */
async function countAll(): Promise<{ commits: number; reads: number }> {
  const world = new World();
  const runtime = await world.live();
  assert.equal(await sendRest(world, runtime, 0), commandCount);
  await endsWell(world, runtime, "without faults");
  assert.deepEqual(world.ran.length, journeySteps.length);
  return { commits: world.commits, reads: world.reads };
}

/** Lives until the commit with that number, and dies there. Resolves with what was acknowledged. */
async function dieAt(world: World, sent: number, commit: number, fate: Fate): Promise<number> {
  const from = world.commits;
  let died = false;
  const faults: Faults = {
    ...noFaults,
    commit: (n) => {
      if (n - from !== commit) return "done";
      died = true;
      return fate;
    },
  };
  const runtime = await world.live(faults);
  const acknowledged = await sendRest(world, runtime, sent);
  for (let passed = 0; passed < journeyMs && !died; passed += 250) await world.clock.advance(250);
  await runtime.stop();
  return acknowledged;
}

for (const fate of ["lost", "unheard"] as const) {
  const when = fate === "lost" ? "before" : "right after";
  test(`bug class 3: killed ${when} each commit of a journey`, async (t) => {
    const { commits } = await countAll();
    let repeats = 0;
    for (let commit = 1; commit <= commits; commit++) {
      const world = new World();
      const sent = await dieAt(world, 0, commit, fate);
      const runtime = await world.live();
      const what = `killed ${when} commit ${String(commit)}`;
      assert.equal(await sendRest(world, runtime, sent), commandCount, what);
      await endsWell(world, runtime, what);
      repeats += world.ran.length - journeySteps.length;
    }
    t.diagnostic(`${String(commits)} commits, ${String(repeats)} steps in flight run again`);
  });
}

test("bug class 3: killed twice, at each pair of commits", async (t) => {
  const { commits } = await countAll();
  let lives = 0;
  for (let first = 1; first <= commits; first++) {
    for (let second = 1; second <= 4; second++) {
      const world = new World();
      const fates = [
        first % 2 === 0 ? "lost" : "unheard",
        second % 2 === 0 ? "unheard" : "lost",
      ] as const;
      const sent = await dieAt(world, await dieAt(world, 0, first, fates[0]), second, fates[1]);
      const runtime = await world.live();
      const what = `killed at commit ${String(first)} and ${String(second)} later`;
      assert.equal(await sendRest(world, runtime, sent), commandCount, what);
      await endsWell(world, runtime, what);
      lives += 3;
    }
  }
  t.diagnostic(`${String(lives)} processes`);
});

test("bug class 3: the store refuses each commit of a journey, and the process goes on", async () => {
  const { commits } = await countAll();
  for (let commit = 1; commit <= commits; commit++) {
    const world = new World();
    const faults: Faults = { ...noFaults, commit: (n) => (n === commit ? "refused" : "done") };
    const runtime = await world.live(faults);
    let sent = 0;
    for (let tries = 0; tries < 4; tries++) {
      sent = await sendRest(world, runtime, sent);
      await world.clock.advance(1_000);
    }
    await endsWell(world, runtime, `commit ${String(commit)} refused`);
  }
});

test("bug class 7: the store is out while a new process recovers, from each of its reads on", async (t) => {
  const { commits } = await countAll();
  let outages = 0;
  for (let commit = 2; commit <= commits; commit += 2) {
    for (let from = 1; from <= 10; from++) {
      const world = new World();
      const sent = await dieAt(world, 0, commit, "unheard");
      const [reads, writes] = [world.reads, world.commits];
      // Reads and commits fail together, several of each in a row.
      const faults: Faults = {
        read: (n) => n - reads < from || n - reads >= from + 4,
        commit: (n) => (n - writes <= 2 ? "refused" : "done"),
      };
      const what = `killed at commit ${String(commit)}, then out from read ${String(from)} on`;
      const runtime = await startInsisting(world, faults);
      let acknowledged = sent;
      for (let tries = 0; tries < 8 && acknowledged < commandCount; tries++) {
        acknowledged = await sendRest(world, runtime, acknowledged);
        await world.clock.advance(2_000);
      }
      await endsWell(world, runtime, what, 3 * journeyMs);
      await world.clock.advance(5_000);
      await runtime.recovered;
      outages++;
    }
  }
  t.diagnostic(`${String(outages)} outages`);
});

/** Starts processes until one comes up, as whoever watches over them would. */
async function startInsisting(world: World, faults: Faults): Promise<Runtime> {
  for (let tries = 0; ; tries++) {
    try {
      return await world.live(faults);
    } catch (error) {
      if (tries > 20) throw error;
    }
  }
}

test("bug class 18: the clock is set back ten minutes at each commit of a journey", async () => {
  const { commits } = await countAll();
  for (let commit = 1; commit <= commits; commit++) {
    const world = new World();
    const faults: Faults = {
      ...noFaults,
      commit: (n) => {
        if (n === commit) world.clock.jump(-backMs);
        return "done";
      },
    };
    const runtime = await world.live(faults);
    const what = `set back at commit ${String(commit)}`;
    assert.equal(await sendRest(world, runtime, 0), commandCount, what);
    await endsWell(world, runtime, what, backMs + journeyMs);
    assert.deepEqual(world.ran.length, journeySteps.length, `${what}: no step ran twice`);
  }
});

test("bug class 18: the clock is set back while the process is down, and forward again", async () => {
  const { commits } = await countAll();
  for (let commit = 1; commit <= commits; commit++) {
    const world = new World();
    const sent = await dieAt(world, 0, commit, "unheard");
    // What is sent later is stamped later, as by a client whose clock is right.
    const commands = journeyCommands(world.clock.now());
    world.clock.jump(-24 * hour);
    const runtime = await world.live();
    const what = `killed at commit ${String(commit)} and set back`;
    for (const command of commands.slice(sent))
      assert.ok(await world.submit(runtime, command), what);
    await world.clock.advance(1_000);
    world.clock.jump(24 * hour);
    await endsWell(world, runtime, what, 2 * journeyMs);
  }
});
