// Makes a failing scenario small: takes things out for as long as the same promise is still broken.
// Where luck decides, a few other seeds are tried before a thing counts as needed.
import type { Node, Program } from "./app/program.ts";
import type { Rule, Violation } from "./oracle/violation.ts";
import type { Scenario } from "./scenario.ts";
import { simulate, type SimulationOptions } from "./simulate.ts";
import type { FaultPlan } from "./faults.ts";

/** Other seeds tried for each smaller scenario. */
const seedsPerCandidate = 3;

export interface Shrunk {
  readonly scenario: Scenario;
  readonly violation: Violation;
  /** Simulations that it took. */
  readonly tries: number;
}

/** The smallest scenario found in about `triesMax` simulations. Throws when nothing fails at all. */
export async function shrink(
  failing: Scenario,
  rule: Rule,
  triesMax: number,
  options: SimulationOptions = {},
): Promise<Shrunk> {
  let tries = 1;
  const first = await violationOf(failing, rule, options);
  if (first === null) throw new Error(`seed ${failing.seed} does not break ${rule}`);
  let best = { scenario: failing, violation: first };
  for (let progress = true; progress && tries < triesMax; ) {
    progress = false;
    for (const candidate of smaller(best.scenario)) {
      if (tries >= triesMax) break;
      for (let offset = 0; offset < seedsPerCandidate; offset++) {
        const scenario = { ...candidate, seed: candidate.seed + offset };
        tries++;
        const violation = await violationOf(scenario, rule, options);
        if (violation === null) continue;
        best = { scenario, violation };
        progress = true;
        break;
      }
      if (progress) break;
    }
  }
  return { ...best, tries };
}

async function violationOf(
  scenario: Scenario,
  rule: Rule,
  options: SimulationOptions,
): Promise<Violation | null> {
  const { violation } = await simulate(scenario, options);
  return violation?.rule === rule ? violation : null;
}

/** Scenarios with one thing less, the largest things first. */
export function* smaller(scenario: Scenario): Generator<Scenario> {
  const { faults, programs, sends, cancels, retentions, resyncs, tuning, faultsMax } = scenario;
  const { reruns = [] } = scenario;
  if (faultsMax > 1) yield { ...scenario, faultsMax: Math.floor(faultsMax / 2) };
  for (const kind of Object.keys(faults)) {
    const fewer = Object.fromEntries(
      Object.entries(faults).filter(([other]) => other !== kind),
    ) as FaultPlan; // proof: a part of a plan is a plan
    yield { ...scenario, faults: fewer };
  }
  for (const fewer of without(programs))
    if (fewer.length > 0) yield { ...scenario, programs: withoutUnknown(fewer) };
  for (const fewer of without(sends)) yield { ...scenario, sends: fewer };
  for (const fewer of without(scenario.signals ?? [])) yield { ...scenario, signals: fewer };
  for (const fewer of without(scenario.schedules ?? [])) yield { ...scenario, schedules: fewer };
  for (const fewer of without(cancels)) yield { ...scenario, cancels: fewer };
  for (const fewer of without(reruns)) yield { ...scenario, reruns: fewer };
  for (const fewer of without(retentions)) yield { ...scenario, retentions: fewer };
  for (const fewer of without(resyncs)) yield { ...scenario, resyncs: fewer };
  for (const fewer of without(scenario.pauses ?? [])) yield { ...scenario, pauses: fewer };
  for (const fewer of without(scenario.redeploys ?? [])) yield { ...scenario, redeploys: fewer };
  for (const [index, program] of programs.entries()) {
    const { cronMs, ...rest } = program;
    if (cronMs !== undefined) yield { ...scenario, programs: programs.with(index, rest) };
    for (const fewer of smallerPrograms(program))
      yield { ...scenario, programs: programs.with(index, fewer) };
  }
  if (Object.keys(tuning.batch).length > 0) yield { ...scenario, tuning: { ...tuning, batch: {} } };
  if (Object.keys(tuning.timers).length > 0)
    yield { ...scenario, tuning: { ...tuning, timers: {} } };
  if (tuning.commitMs > 0) yield { ...scenario, tuning: { ...tuning, commitMs: 0 } };
  if (tuning.callsPerAppMax < 256)
    yield { ...scenario, tuning: { ...tuning, callsPerAppMax: 256 } };
  if (faultsMax > 1) yield { ...scenario, faultsMax: faultsMax - 1 };
}

/** The first half, the second half, and everything but one. */
function* without<T>(items: readonly T[]): Generator<T[]> {
  const half = items.length >> 1;
  if (half > 1) yield items.slice(0, half);
  if (half > 1) yield items.slice(half);
  for (let index = 0; index < items.length; index++) yield items.toSpliced(index, 1);
}

/** Steps that invoke a function which is not there any more go, too. */
function withoutUnknown(programs: readonly Program[]): Program[] {
  const slugs = new Set(programs.map((program) => program.slug));
  const keep = (nodes: readonly Node[]): Node[] =>
    nodes.flatMap((node): Node[] => {
      if (node.kind === "invoke" && !slugs.has(node.slug)) return [];
      if (node.kind !== "parallel") return [node];
      const branches = node.branches.map(keep).filter((branch) => branch.length > 0);
      return branches.length === 0 ? [] : [{ ...node, branches }];
    });
  return programs.map(({ defers, ...program }) => ({
    ...program,
    nodes: keep(program.nodes),
    ...(defers === undefined ? {} : { defers: defers.filter(({ slug }) => slugs.has(slug)) }),
  }));
}

function* smallerPrograms(program: Program): Generator<Program> {
  for (const nodes of without(program.nodes)) yield { ...program, nodes };
  for (const [index, node] of program.nodes.entries()) {
    if (node.kind !== "parallel") continue;
    for (const branches of without(node.branches)) {
      if (branches.length > 0)
        yield { ...program, nodes: program.nodes.with(index, { ...node, branches }) };
    }
    for (const [at, branch] of node.branches.entries()) {
      if (branch.length > 1)
        yield {
          ...program,
          nodes: program.nodes.with(index, {
            ...node,
            branches: node.branches.with(at, branch.slice(1)),
          }),
        };
    }
  }
  for (const defers of without(program.defers ?? [])) yield { ...program, defers };
  for (const rule of Object.keys(program.flow ?? {})) {
    const flow = Object.fromEntries(
      Object.entries(program.flow ?? {}).filter(([other]) => other !== rule),
    );
    yield { ...program, flow };
  }
  if (program.checkpoints) yield { ...program, checkpoints: false };
}
