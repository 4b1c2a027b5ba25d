// Kills real processes under load and checks that nothing was lost, doubled or changed. The seed of
// a campaign decides what is sent and when what is killed; PAWL_CRASH_SEED=<seed> runs one again,
// PAWL_CRASH_KILLS=<n> kills the server more or less often.
import assert from "node:assert/strict";
import { test } from "node:test";
import { runCampaign, type Campaign, type Outcome } from "./campaign.ts";
import { chooseSeed } from "./random.ts";

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

function summary({ seed, kills, victim }: Campaign, outcome: Outcome): string {
  const { verdict, accepted, failedTries, recoveryMs } = outcome;
  return [
    `seed ${seed}: ${victim} killed ${kills} times`,
    `${accepted} events (${failedTries} tries failed), ${verdict.runs} runs`,
    `${verdict.steps} steps, ${verdict.calls} calls, ${verdict.repeats} steps in flight run again`,
    `kill to ready: median ${median(recoveryMs).toFixed(0)} ms, max ${Math.max(...recoveryMs).toFixed(0)} ms`,
    `${verdict.faults.length} faults`,
  ].join("; ");
}

function check(outcome: Outcome): void {
  const { verdict, exitCode, doctor, output, accepted } = outcome;
  const details = [...verdict.faults.slice(0, 30), output.slice(-4_000)].join("\n");
  assert.equal(verdict.faults.length, 0, details);
  assert.equal(exitCode, 0, "the server ends in order after SIGTERM");
  assert.equal(doctor.code, 0, doctor.output);
  assert.deepEqual([doctor.unfinished, doctor.runs], [0, accepted * 2]);
}

const base = { eventsPerLife: 5, peaceMs: 60_000 } as const;

test("the server is killed 50 times under load", { timeout: 240_000 }, async (t) => {
  const campaign: Campaign = {
    ...base,
    victim: "server",
    kills: Number(process.env["PAWL_CRASH_KILLS"] ?? 50),
    seed: chooseSeed(),
    lifeMs: [150, 1_100],
  };
  const outcome = await runCampaign(campaign);
  t.diagnostic(summary(campaign, outcome));
  assert.ok(outcome.accepted >= campaign.kills, "there was load");
  check(outcome);
});

test("the apps are killed 20 times under load", { timeout: 120_000 }, async (t) => {
  const campaign: Campaign = {
    ...base,
    victim: "apps",
    kills: 20,
    seed: chooseSeed(),
    lifeMs: [150, 1_100],
  };
  const outcome = await runCampaign(campaign);
  t.diagnostic(summary(campaign, outcome));
  assert.ok(outcome.accepted >= campaign.kills, "there was load");
  check(outcome);
});
