// Command line of the simulator: `node packages/simulator/src/main.ts --seeds 1000 --from 1`, or
// `--seed 7 --log` for one seed with its log. Exit code 1 when a promise was broken.
import { parseArgs } from "node:util";
import { generate } from "./generate.ts";
import { faultKinds, type FaultKind } from "./faults.ts";
import type { Scenario } from "./scenario.ts";
import { simulate, type SimulationResult } from "./simulate.ts";
import { fileSeed } from "./filed.ts";
import { shrink } from "./shrink.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    log: { type: "boolean", default: false },
    /** Makes failures small and files them under `seeds/`. */
    shrink: { type: "boolean", default: false },
    /** Faults that shall not happen, separated by commas. */
    without: { type: "string", default: "" },
    /** Goes on after the first failure. */
    all: { type: "boolean", default: false },
  },
});

// A reader that has seen enough ends the simulation.
process.stdout.on("error", () => process.exit());
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const faults = new Map<FaultKind, number>();
const started = process.hrtime.bigint();
const first = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
let failed = 0;
let turns = 0;
let runs = 0;

for (let seed = first; seed < first + count; seed++) {
  const result = await simulate(scenarioOf(seed), { log: values.log });
  if (values.log) say(result.log.join("\n"));
  turns += result.turns;
  runs += result.runs;
  for (const [kind, times] of result.faults) faults.set(kind, (faults.get(kind) ?? 0) + times);
  if (result.violation !== null) {
    failed++;
    await report(seed, result);
    if (!values.all) break;
  }
  if ((seed - first + 1) % 100 === 0) say(`${seed - first + 1} seeds, ${failed} failed`);
}

const seconds = Number((process.hrtime.bigint() - started) / 1_000_000n) / 1_000;
say(`${count} seeds from ${first}: ${failed} failed; ${runs} runs, ${turns} turns in ${seconds} s`);
for (const kind of faultKinds) say(`  ${kind}: ${faults.get(kind) ?? 0}`);
process.exitCode = failed > 0 ? 1 : 0;

function scenarioOf(seed: number): Scenario {
  const scenario = generate(seed);
  const left = Object.entries(scenario.faults).filter(
    ([kind]) => !values.without.split(",").includes(kind),
  );
  return { ...scenario, faults: Object.fromEntries(left) };
}

async function report(seed: number, { violation }: SimulationResult): Promise<void> {
  if (violation === null) return;
  say(`seed ${seed} broke ${violation.rule}: ${violation.message}`);
  if (!values.shrink) return;
  const small = await shrink(scenarioOf(seed), violation.rule, 300);
  say(
    `shrunk in ${small.tries} tries and filed as ${await fileSeed(small.scenario, small.violation)}`,
  );
}
