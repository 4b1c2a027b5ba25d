// Puts more on a scenario: pauses, redeploys, runs that gather events, gates that are saturated,
// crashes between a message and its time. Each has dice of its own, so that none changes the luck
// of the others.
import type { ProgramFlow } from "./app/flow.ts";
import type { Node, Program } from "./app/program.ts";
import { Dice } from "./dice.ts";
import type { PausePlan, Redeploy, Scenario, SendPlan } from "./scenario.ts";

const spanMs = 40_000;

export function press(scenario: Scenario): Scenario {
  const { seed } = scenario;
  const gathered = gather(new Dice(seed, "gathering"), scenario);
  const loaded = saturate(new Dice(seed, "load"), gathered);
  const cut = cutShort(new Dice(seed, "mail"), loaded);
  const raced = race(new Dice(seed, "races"), cut);
  const throttled = throttle(new Dice(seed, "throttles"), raced);
  const crowded = crowd(new Dice(seed, "turns"), throttled);
  return {
    ...crowded,
    pauses: makePauses(new Dice(seed, "pauses"), crowded),
    redeploys: makeRedeploys(new Dice(seed, "redeploys"), crowded),
  };
}

/** Some batches are of other events, some starts are put off, and some happen once. */
function gather(dice: Dice, scenario: Scenario): Scenario {
  const programs = scenario.programs.map((program): Program => {
    const { flow } = program;
    if (flow?.batch !== undefined) {
      if (dice.chance(0.5)) return program;
      return { ...program, flow: { ...flow, batchOf: dice.pick(["none", "if"] as const) } };
    }
    // Each tick has to start a run.
    if (program.cronMs !== undefined || (scenario.schedules ?? []).length > 0) return program;
    if (dice.chance(0.06)) return { ...program, flow: { ...flow, once: true } };
    if (!dice.chance(0.15)) return program;
    const periodMs = dice.between(1_000, 3_000);
    const debounce = { periodMs, timeoutMs: dice.between(periodMs, 3 * periodMs) };
    return { ...program, flow: { ...withoutRates(flow), debounce } };
  });
  return { ...scenario, programs };
}

function withoutRates(flow: ProgramFlow = {}): ProgramFlow {
  const { throttleMs: _ms, throttleOf: _of, startsPerMinute: _starts, ...others } = flow;
  return others;
}

/** Now and then many more calls than two gates, which all functions share, let pass. */
function saturate(dice: Dice, scenario: Scenario): Scenario {
  if (!dice.chance(0.08)) return scenario;
  const flow = { callsShared: dice.between(1, 2), callsPerSharedKey: dice.between(1, 2) };
  const sends = Array.from(
    { length: dice.between(8, 20) },
    (): SendPlan => ({
      atMs: dice.below(3_000),
      events: [event(dice, dice.pick(["order", "visit"] as const))],
    }),
  );
  return {
    ...scenario,
    programs: scenario.programs.map((program) => ({ ...program, flow })),
    sends: [...scenario.sends, ...sends],
  };
}

function event(dice: Dice, name: string): SendPlan["events"][number] {
  return { name, key: dice.below(2), externalId: null, delayMs: 0 };
}

/** Now and then messages are put off, and the process dies while they lie there and waits run out. */
function cutShort(dice: Dice, scenario: Scenario): Scenario {
  if (!dice.chance(0.08)) return scenario;
  const wait = (id: string): Node => ({
    kind: "wait",
    id,
    event: dice.pick(["paid", "moved"] as const),
    match: "any",
    timeoutMs: dice.between(500, 3_000),
    lookback: null,
  });
  const waits = (): Node => ({
    kind: "parallel",
    branches: ["w0", "w1", "w2"].map((id) => [wait(id)]),
    race: false,
  });
  const sends = Array.from(
    { length: dice.between(8, 16) },
    (): SendPlan => ({
      atMs: dice.below(8_000),
      events: [event(dice, dice.pick(["order", "visit", "paid", "moved"] as const))],
    }),
  );
  const batch = { commandsMax: 1, takeMax: 1, roundsMax: 0, changesWithMessagesMax: 1 };
  return {
    ...scenario,
    programs: scenario.programs.map((program) => ({
      ...program,
      nodes: [waits(), ...program.nodes],
    })),
    sends: [...scenario.sends, ...sends],
    tuning: { ...scenario.tuning, batch },
    faults: { ...scenario.faults, crashAfterCommit: 0.15 },
    faultsMax: scenario.faultsMax + 10,
  };
}

/** Now and then more starts come than a throttle lets through for a while. */
function throttle(dice: Dice, scenario: Scenario): Scenario {
  if (!dice.chance(0.12)) return scenario;
  const programs = scenario.programs.map((program): Program => {
    const { flow } = program;
    if (flow?.batch !== undefined || flow?.debounce !== undefined) return program;
    const throttleMs = dice.pick([1_000, 2_500, 5_000]);
    const throttleOf = {
      starts: dice.between(1, 3),
      burst: dice.between(1, 3),
      perKey: dice.chance(0.4),
    };
    return { ...program, flow: { ...withoutRates(flow), throttleMs, throttleOf } };
  });
  const sends = Array.from(
    { length: dice.between(5, 15) },
    (): SendPlan => ({
      atMs: dice.below(dice.chance(0.7) ? 3_000 : 20_000),
      events: [event(dice, dice.pick(["order", "visit"] as const))],
    }),
  );
  return { ...scenario, programs, sends: [...scenario.sends, ...sends] };
}

/** Now and then all functions share a key, often with limits of their own, and more calls come than it lets pass. */
function crowd(dice: Dice, scenario: Scenario): Scenario {
  if (!dice.chance(0.08)) return scenario;
  const limit = dice.between(1, 3);
  const areEqual = dice.chance(0.4);
  const perKey = dice.chance(0.4);
  const programs = scenario.programs.map((program): Program => {
    const callsShared = areEqual ? limit : dice.pick([1, 2, 5]);
    return { ...program, flow: { callsShared, ...(perKey ? { callsPerSharedKey: 2 } : {}) } };
  });
  const sends = Array.from(
    { length: dice.between(20, 40) },
    (): SendPlan => ({
      atMs: dice.below(6_000),
      events: [event(dice, dice.pick(["order", "visit"] as const))],
    }),
  );
  return { ...scenario, programs, sends: [...scenario.sends, ...sends] };
}

/** Now and then an app of version 3 races steps that take about as long as its calls. */
function race(dice: Dice, scenario: Scenario): Scenario {
  if (!dice.chance(0.1)) return scenario;
  const [first, ...others] = scenario.programs;
  if (first === undefined) return scenario;
  const step = (id: string): Node => ({
    kind: "run",
    id,
    takesMs: dice.between(0, 15),
    failures: 0,
    caught: true,
    retries: null,
    sends: null,
  });
  const branches = ["x", "y", "z"].map((name) => [step(`${name}0`), step(`${name}1`)]);
  const node: Node = { kind: "parallel", branches, race: true };
  const program: Program = { ...first, version: 3, nodes: [node, ...first.nodes] };
  return { ...scenario, programs: [program, ...others] };
}

function makePauses(dice: Dice, { programs }: Scenario): PausePlan[] {
  const [first, ...others] = programs.map(({ slug }) => slug);
  if (first === undefined || !dice.chance(0.25)) return [];
  return Array.from({ length: dice.between(1, 2) }, () => ({
    atMs: dice.below(dice.chance(0.6) ? 3_000 : spanMs),
    forMs: dice.between(500, 15_000),
    slug: dice.pick([first, ...others]),
  }));
}

/** A function that is taken away comes back with the last redeploy at the latest. */
function makeRedeploys(dice: Dice, { programs, schedules = [] }: Scenario): Redeploy[] {
  if (!dice.chance(0.25)) return [];
  const count = dice.between(1, 3);
  // The plan of a schedule says what each tick starts.
  const mayRemove = schedules.length === 0 && dice.chance(0.3);
  return Array.from({ length: count }, (_, index) => ({
    atMs: Math.floor((spanMs / 2 / count) * (index + dice.below(1_000) / 1_000)),
    flows: Object.fromEntries(
      programs
        .filter(() => dice.chance(0.8))
        .map(({ slug, flow }) => [slug, changedLimits(dice, flow)]),
    ),
    without: programs
      .filter(() => mayRemove && index < count - 1 && dice.chance(0.4))
      .map(({ slug }) => slug),
  }));
}

/** Other limits; what makes a run gather events, or be the only one, stays as it is. */
function changedLimits(dice: Dice, flow: ProgramFlow = {}): ProgramFlow {
  const {
    calls: _calls,
    callsPerKey: _perKey,
    callsShared: _shared,
    callsPerSharedKey: _perSharedKey,
    ...others
  } = flow;
  const gathers = flow.batch !== undefined || flow.debounce !== undefined;
  const rates = gathers ? others : withoutRates(others);
  return {
    ...rates,
    ...(dice.chance(0.5) ? { calls: dice.between(1, 3) } : {}),
    ...(dice.chance(0.5) ? { callsPerKey: dice.between(1, 2) } : {}),
    ...(dice.chance(0.3) ? { callsShared: dice.between(1, 2) } : {}),
    ...(dice.chance(0.2) ? { callsPerSharedKey: dice.between(1, 2) } : {}),
    ...(!gathers && dice.chance(0.2) ? { throttleMs: dice.pick([1_000, 5_000]) } : {}),
    ...(!gathers && dice.chance(0.2) ? { startsPerMinute: dice.between(1, 3) } : {}),
  };
}
