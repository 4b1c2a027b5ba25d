// Every promise is kept whatever goes wrong: filed seeds first, then a thousand new ones. And the
// other way round: the faults really happen, and the oracle notices when a promise is broken.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Found } from "@pawl/engine/needs";
import type { DueQuery, Store } from "@pawl/store/store";
import { faultKinds, type FaultKind } from "./faults.ts";
import { filedSeeds } from "./filed.ts";
import { generate } from "./generate.ts";
import type { Rule } from "./oracle/violation.ts";
import { shrink } from "./shrink.ts";
import { simulate, type SimulationResult } from "./simulate.ts";

const seedCount = 1_000;

function fail(seed: number, { violation }: SimulationResult): never {
  const again = `node packages/simulator/src/main.ts --seed ${seed} --log`;
  assert.fail(
    `seed ${seed} broke ${violation?.rule ?? ""}: ${violation?.message ?? ""}\nTo see it again: ${again}`,
  );
}

for (const { file, scenario } of await filedSeeds()) {
  test(`filed seed ${file}`, async () => {
    const { violation } = await simulate(scenario);
    assert.equal(violation, null);
  });
}

test(`${seedCount} seeds keep every promise, and every kind of fault happens`, async (t) => {
  const counts = new Map<FaultKind, number>();
  let runs = 0;
  for (let seed = 1; seed <= seedCount; seed++) {
    const result = await simulate(generate(seed));
    if (result.violation !== null) fail(seed, result);
    runs += result.runs;
    for (const [kind, count] of result.faults) counts.set(kind, (counts.get(kind) ?? 0) + count);
  }
  t.diagnostic(
    `${runs} runs; faults: ${faultKinds.map((kind) => `${kind} ${counts.get(kind) ?? 0}`).join(", ")}`,
  );
  for (const kind of faultKinds)
    assert.ok(
      (counts.get(kind) ?? 0) >= 10,
      `fault ${kind} happened ${counts.get(kind) ?? 0} times`,
    );
  assert.ok(runs > 2 * seedCount, `${runs} runs are too few to mean anything`);
});

test("a seed always runs the same, to the last byte of its log", async () => {
  for (let seed = 1; seed <= 25; seed++) {
    const first = await simulate(generate(seed), { log: true });
    const second = await simulate(generate(seed), { log: true });
    assert.ok(first.log.length > 0);
    assert.deepEqual(second.log, first.log);
    assert.equal(second.digest, first.digest);
    assert.equal(
      (await simulate(generate(seed))).digest,
      first.digest,
      "keeping the log changes nothing",
    );
  }
});

/** The store, but for what `changed` puts in place of its methods. */
function broken(store: Store, changed: Partial<Store>): Store {
  return {
    open: () => store.open(),
    load: (needs) => store.load(needs),
    commit: (changes, fence) => store.commit(changes, fence),
    due: (query) => store.due(query),
    list: (query) => store.list(query),
    watch: (listener) => store.watch(listener),
    close: () => store.close(),
    ...changed,
  };
}

function withoutDue(kind: DueQuery["kind"]) {
  return (store: Store): Store => {
    const due: Store["due"] = async (query) => {
      const found = await store.due(query);
      return query.kind === kind ? [] : found;
    };
    return broken(store, { due });
  };
}

/** Runs come back without the step that was recorded last. */
function forgetfully(store: Store): Store {
  const forget = (found: Found): Found =>
    "run" in found && found.run !== null
      ? { ...found, run: { ...found.run, steps: found.run.steps.slice(0, -1) } }
      : found;
  return broken(store, { load: async (needs) => (await store.load(needs)).map(forget) });
}

/** Of each batch the last change is not written. */
function partially(store: Store): Store {
  return broken(store, {
    commit: (changes, fence) =>
      store.commit(changes.length > 3 ? changes.slice(0, -1) : changes, fence),
  });
}

const sabotages: readonly {
  name: string;
  sabotage: (store: Store) => Store;
  rules: readonly Rule[];
}[] = [
  {
    name: "sleeping timers are never found",
    sabotage: withoutDue("timers"),
    rules: ["never-quiet"],
  },
  {
    name: "calls of a dead process are never found",
    sabotage: withoutDue("lost"),
    // Leases of earlier epochs have no place in a gate; the oracle counts all that are stored.
    rules: ["never-quiet", "gate-exceeded"],
  },
  {
    name: "messages that were put off are never found",
    sabotage: withoutDue("mail"),
    rules: ["never-quiet", "wait-missed"],
  },
  {
    name: "due schedules are never found",
    sabotage: withoutDue("schedules"),
    rules: ["never-quiet"],
  },
  { name: "queues look empty", sabotage: withoutDue("queue"), rules: ["never-quiet"] },
  {
    name: "a recorded step is forgotten",
    sabotage: forgetfully,
    rules: ["request-wrong", "step-rewritten"],
  },
  {
    name: "batches are written in part",
    sabotage: partially,
    rules: [
      "wake-up",
      "sent-uncommitted",
      "acknowledged-lost",
      "never-quiet",
      "wait-missed",
      "server-fault",
    ],
  },
];

for (const { name, sabotage, rules } of sabotages) {
  test(`the oracle notices when ${name}`, async () => {
    for (let seed = 1; seed <= 200; seed++) {
      const { violation } = await simulate(generate(seed), { sabotage });
      if (violation === null) continue;
      assert.ok(
        rules.includes(violation.rule),
        `it should not be ${violation.rule}: ${violation.message}`,
      );
      return;
    }
    assert.fail("200 seeds noticed nothing");
  });
}

test("a failing scenario is made small and still fails", async () => {
  const options = { sabotage: withoutDue("lost") };
  let seed = 1;
  while ((await simulate(generate(seed), options)).violation?.rule !== "never-quiet") seed++;
  const scenario = generate(seed);
  const small = await shrink(scenario, "never-quiet", 200, options);
  assert.equal((await simulate(small.scenario, options)).violation?.rule, "never-quiet");
  assert.ok(
    JSON.stringify(small.scenario).length < JSON.stringify(scenario).length / 2,
    JSON.stringify(small.scenario),
  );
  assert.equal(
    (await simulate(small.scenario)).violation,
    null,
    "without the sabotage nothing is wrong with it",
  );
});
