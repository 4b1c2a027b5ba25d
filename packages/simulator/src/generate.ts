// Makes a scenario from a number. Scenarios are small: what goes wrong does so among few parties,
// and a failure is short to read.
import { stepsOf, type Node, type Program, type StepNode } from "./app/program.ts";
import type { ProgramFlow } from "./app/flow.ts";
import { Dice } from "./dice.ts";
import { faultKinds, type FaultKind, type FaultPlan } from "./faults.ts";
import { press } from "./pressure.ts";
import type { Scenario, SchedulePlan, SendPlan, Tuning } from "./scenario.ts";

const triggers = ["order", "visit"] as const;
const signals = ["paid", "moved"] as const;
const signalNames = ["ok", "stop"] as const;
const spanMs = 40_000;
const minute = 60_000;

/** The scenario of a seed. About one in ten has no faults at all. */
export function generate(seed: number): Scenario {
  const dice = new Dice(seed, "scenario");
  const flowDice = new Dice(seed, "flow");
  const actionDice = new Dice(seed, "actions");
  const waitsDice = new Dice(seed, "waits");
  const gatewayDice = new Dice(seed, "gateways");
  const cronDice = new Dice(seed, "crons");
  const deferDice = new Dice(seed, "defers");
  const hasCrons = cronDice.chance(0.25);
  const change = (node: Node): Node => maybeFetch(vary(waitsDice, node), gatewayDice);
  const programs = makePrograms(new Dice(seed, "programs"))
    .map((program) => ({ ...program, nodes: program.nodes.map(change) }))
    .map((program) => ({ ...program, nodes: withPolicies(actionDice, program.nodes) }))
    .map((program, index, all) => withDefers(deferDice, program, all.slice(0, index)))
    .map((program) => (flowDice.chance(0.5) ? { ...program, flow: makeFlow(flowDice) } : program))
    .map((program) =>
      hasCrons && !readsKey(program) && cronDice.chance(0.6)
        ? { ...program, cronMs: cronDice.pick([2_000, 5_000, 10_000]) }
        : program,
    );
  return press({
    seed,
    programs,
    sends: makeSends(new Dice(seed, "sends")),
    signals: Array.from({ length: waitsDice.between(0, 6) }, () => ({
      atMs: waitsDice.below(waitsDice.chance(0.7) ? 5_000 : spanMs),
      signal: waitsDice.pick(signalNames),
    })),
    cancels: Array.from({ length: dice.chance(0.3) ? dice.between(1, 2) : 0 }, () => ({
      atMs: dice.below(spanMs),
      pick: dice.below(8),
    })),
    reruns: Array.from({ length: actionDice.chance(0.4) ? actionDice.between(1, 3) : 0 }, () => ({
      atMs: actionDice.between(spanMs / 4, 2 * spanMs),
      pick: actionDice.below(8),
      step: actionDice.chance(0.5) ? actionDice.below(4) : null,
    })),
    retentions: Array.from({ length: dice.chance(0.3) ? dice.between(1, 3) : 0 }, () => ({
      atMs: dice.between(spanMs / 2, 3 * spanMs),
      ageMs: dice.pick([0, 10_000, minute]),
    })),
    schedules: makeSchedules(new Dice(seed, "schedules"), programs),
    ...(hasCrons ? { cronsUntilMs: cronDice.between(5_000, 30_000) } : {}),
    resyncs: dice.chance(0.2) ? [dice.below(spanMs)] : [],
    tuning: makeTuning(new Dice(seed, "tuning")),
    faults: makeFaults(new Dice(seed, "faults")),
    faultsMax: dice.between(1, 30),
    faultsUntilMs: dice.between(20_000, 3 * minute),
  });
}

/** Some steps that wait become such that wait for several events, or for a signal. */
function vary(dice: Dice, node: Node): Node {
  if (node.kind === "parallel") {
    const branches = node.branches.map((branch) => branch.map((each) => vary(dice, each)));
    return { ...node, branches };
  }
  if (node.kind === "sleep" && dice.chance(0.3)) return signalNode(dice, node.id);
  if (node.kind !== "wait") return node;
  const { id, timeoutMs, lookback } = node;
  if (dice.chance(0.2)) return signalNode(dice, id);
  if (dice.chance(0.4)) return node;
  const branches = ["a", "b", "c"].slice(0, dice.between(1, 3)).map((name) => ({
    name,
    event: dice.pick(signals),
    match: dice.pick(["any", "key", "above"] as const),
  }));
  const mode = dice.pick(["any", "all"] as const);
  return { kind: "waitMany", id, mode, branches, timeoutMs, lookback };
}

function signalNode(dice: Dice, id: string): Node {
  return {
    kind: "signal",
    id,
    signal: dice.pick(signalNames),
    timeoutMs: dice.between(500, 20_000),
    onConflict: dice.pick(["fail", "replace"] as const),
  };
}

/** Some of the steps are requests of the server instead of code. */
function maybeFetch(node: Node, dice: Dice): Node {
  if (node.kind === "parallel") {
    const branches = node.branches.map((nodes) => nodes.map((each) => maybeFetch(each, dice)));
    return { ...node, branches };
  }
  if (node.kind !== "run" || node.sends !== null || !dice.chance(0.2)) return node;
  const { id, takesMs, failures, caught, retries } = node;
  return { kind: "fetch", id, takesMs, failures, caught, retries };
}

/** Whether waits compare the key of the event that started the run: a tick's event has none. */
function readsKey(program: Program): boolean {
  const steps = [...stepsOf(program).values()];
  return steps.some(
    (node) =>
      (node.kind === "wait" && node.match !== "any") ||
      (node.kind === "waitMany" && node.branches.some(({ match }) => match !== "any")),
  );
}

/** Some invocations say what becomes of their run when this one is cancelled. */
function withPolicies(dice: Dice, nodes: readonly Node[]): Node[] {
  return nodes.map((node) => {
    if (node.kind === "parallel")
      // proof: branches hold steps alone, and a step stays one
      return { ...node, branches: node.branches.map((b) => withPolicies(dice, b) as StepNode[]) };
    if (node.kind !== "invoke" || dice.chance(0.3)) return node;
    return { ...node, onCancel: dice.chance(0.8) ? "cancel" : "abandon" };
  });
}

/** Apps of versions that are still made defer functions. */
function withDefers(dice: Dice, program: Program, before: readonly Program[]): Program {
  const [first, ...others] = before;
  if (program.version < 2 || first === undefined || !dice.chance(0.5)) return program;
  const defers = Array.from({ length: dice.between(1, 3) }, (_, n) => ({
    id: `d${n}`,
    slug: dice.pick([first, ...others]).slug,
    key: dice.below(2),
    abortFrom: dice.chance(0.3) ? dice.below(3) : null,
  }));
  return { ...program, defers };
}

function makeTuning(dice: Dice): Tuning {
  return {
    callsPerAppMax: dice.pick([1, 2, 3, 8, 256]),
    waitsPageSize: dice.pick([1, 2, 500]),
    retryIntervalMs: dice.pick([1_000, 5_000, null]),
    callTimeoutMs: dice.pick([8_000, 60_000]),
    commitMs: dice.pick([0, 0, 2, 15, 80]),
    batch: dice.chance(0.3)
      ? {
          commandsMax: dice.between(1, 4),
          takeMax: dice.between(1, 3),
          roundsMax: dice.between(0, 2),
          changesWithMessagesMax: dice.between(2, 20),
        }
      : {},
    timers: dice.chance(0.5)
      ? {
          windowMs: dice.pick([2_000, 10_000]),
          tickMs: 1_000,
          pageSize: dice.between(1, 4),
          countMax: dice.between(2, 6),
          firingMax: dice.between(1, 3),
        }
      : { tickMs: 5_000 },
  };
}

/** Reading is frequent and checkpoints are rare; both shall fail about as often as the others. */
const frequency: Partial<Record<FaultKind, number>> = {
  crashWhileReading: 1 / 3,
  readFailed: 1 / 3,
  checkpointLost: 4,
  checkpointUnanswered: 4,
  checkpointRepeated: 4,
};

function makeFaults(dice: Dice): FaultPlan {
  if (dice.chance(0.1)) return {};
  const share = dice.pick([0.15, 0.3, 0.7]);
  const plan: FaultPlan = {};
  for (const kind of faultKinds) {
    const probability = dice.pick([0.01, 0.03, 0.1, 0.2]);
    if (dice.chance(share)) plan[kind] = probability * (frequency[kind] ?? 1);
  }
  return plan;
}

/** A few rules of flow control, tight enough to matter. */
function makeFlow(dice: Dice): ProgramFlow {
  const batch = dice.chance(0.25) ? dice.between(2, 3) : null;
  return {
    ...(batch === null ? {} : { batch }),
    ...(dice.chance(0.3) ? { calls: dice.between(1, 3) } : {}),
    ...(dice.chance(0.4) ? { callsPerKey: dice.between(1, 2) } : {}),
    ...(dice.chance(0.2) ? { callsShared: dice.between(1, 2) } : {}),
    ...(dice.chance(0.2) ? { throttleMs: dice.pick([1_000, 5_000]) } : {}),
    ...(batch === null && dice.chance(0.2) ? { prioritized: true } : {}),
    ...(dice.chance(0.2) ? { cancelOn: dice.pick(signals) } : {}),
    ...(dice.chance(0.15) ? { startMs: dice.pick([1_000, 20_000]) } : {}),
    ...(dice.chance(0.15) ? { finishMs: dice.pick([2_000, 30_000]) } : {}),
    ...(dice.chance(0.2) ? { singleton: dice.pick(["skip", "cancel"] as const) } : {}),
    ...(batch === null && dice.chance(0.1) ? { startsPerMinute: dice.between(1, 3) } : {}),
  };
}

function makeSends(dice: Dice): SendPlan[] {
  const sends: SendPlan[] = [];
  const count = dice.between(2, 10);
  for (let index = 0; index < count; index++) {
    const events = Array.from({ length: dice.chance(0.2) ? 2 : 1 }, () => ({
      name: index === 0 || dice.chance(0.4) ? dice.pick(triggers) : dice.pick(signals),
      key: dice.below(2),
      externalId: dice.chance(0.25) ? `key-${dice.below(2)}` : null,
      delayMs: dice.chance(0.1) ? dice.between(1_000, 20_000) : 0,
    }));
    sends.push({ atMs: index === 0 ? 0 : dice.below(dice.chance(0.5) ? 3_000 : spanMs), events });
  }
  return sends;
}

function makeSchedules(dice: Dice, programs: readonly Program[]): SchedulePlan[] {
  const count = dice.chance(0.4) ? dice.between(1, 2) : 0;
  return Array.from({ length: count }, (_, index): SchedulePlan => {
    const slug = programs[dice.below(programs.length)]?.slug ?? "";
    const atMs = dice.below(10_000);
    return {
      name: `schedule-${index}`,
      atMs,
      target: dice.chance(0.7)
        ? { kind: "event", name: dice.pick(triggers) }
        : { kind: "function", name: slug },
      key: dice.below(2),
      isCron: dice.chance(0.5),
      everyMs: dice.pick([1_000, 5_000, 10_000]),
      ticks: dice.between(2, 6),
      jitterMs: dice.chance(0.3) ? dice.pick([500, 7_000]) : 0,
      overlap: dice.pick(["allow", "skip", "queue_one", "cancel_previous"] as const),
      catchUp: dice.pick(["none", "one", "all"] as const),
      pauses: dice.chance(0.3)
        ? [{ atMs: atMs + dice.below(20_000), forMs: dice.pick([100, 3_000, 30_000]) }]
        : [],
    };
  });
}

function makePrograms(dice: Dice): Program[] {
  const count = dice.between(1, 3);
  const programs: Program[] = [];
  for (let index = 0; index < count; index++) {
    // Functions invoke only those made before them, so that no chain is endless.
    const makers = new NodeMaker(
      dice,
      programs.map((program) => program.slug),
    );
    const version = dice.pick([0, 1, 2, 2, 3, 3] as const);
    programs.push({
      slug: `app${index % 2}-fn${index}`,
      app: `app${index % 2}`,
      trigger: index === 0 ? triggers[0] : dice.pick(triggers),
      version,
      retries: dice.between(0, 3),
      checkpoints: version >= 2 && dice.chance(0.7),
      nodes: makers.nodes(),
    });
  }
  return programs;
}

class NodeMaker {
  readonly #dice: Dice;
  readonly #slugs: readonly string[];
  #steps = 0;

  constructor(dice: Dice, slugs: readonly string[]) {
    this.#dice = dice;
    this.#slugs = slugs;
  }

  nodes(): Node[] {
    const dice = this.#dice;
    const nodes: Node[] = [];
    const count = dice.between(1, 6);
    for (let index = 0; index < count; index++) {
      if (dice.chance(0.2)) nodes.push(this.#parallel());
      else if (dice.chance(0.07)) nodes.push({ kind: "throw", times: dice.between(1, 2) });
      else nodes.push(this.#step());
    }
    return nodes;
  }

  #parallel(): Node {
    const dice = this.#dice;
    const branches = Array.from({ length: dice.between(2, 3) }, () =>
      Array.from({ length: dice.between(1, 2) }, () => this.#step()),
    );
    return { kind: "parallel", branches, race: dice.chance(0.3) };
  }

  #step(): StepNode {
    const dice = this.#dice;
    const id = `s${this.#steps++}`;
    const slug = this.#slugs[dice.below(3)];
    if (slug !== undefined && dice.chance(0.3)) {
      return {
        kind: "invoke",
        id,
        slug,
        key: dice.below(2),
        timeoutMs: dice.chance(0.2) ? dice.between(1_000, 20_000) : null,
      };
    }
    if (dice.chance(0.15)) return { kind: "sleep", id, forMs: dice.pick([0, 500, 3_000, 20_000]) };
    if (dice.chance(0.25)) {
      return {
        kind: "wait",
        id,
        event: dice.pick(signals),
        match: dice.pick(["any", "key", "above"]),
        timeoutMs: dice.between(1_000, 30_000),
        lookback: dice.pick([null, "run", 5_000, minute]),
      };
    }
    return {
      kind: "run",
      id,
      takesMs: dice.pick([0, 5, 50, 2_000]),
      failures: dice.chance(0.15) ? dice.between(1, 3) : 0,
      caught: dice.chance(0.6),
      retries: dice.chance(0.1) ? dice.between(0, 2) : null,
      sends: dice.chance(0.15) ? dice.pick(signals) : null,
    };
  }
}
