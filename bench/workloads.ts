// The workloads: what each sends, how much, and which figures come out. Figures of the same name
// mean the same in every flavour. It must not know how results are shown.
import { setTimeout as pause } from "node:timers/promises";
import { eventNames, markedSteps, type Marks } from "./apps/steps.ts";
import { runLoad, sendAll } from "./lib/load.ts";
import { quantile } from "./lib/statistics.ts";
import type { CpuReading, System } from "./lib/system.ts";

/** Figures by name; units are the last word of each name or plain from it. */
export type Figures = Readonly<Record<string, number>>;

/** Figures of one workload, once. `foreign`: share of the machine that other work took meanwhile. */
export interface Measured {
  readonly figures: Figures;
  readonly foreign: number;
}

export const workloadNames = ["W1", "W1one", "W2", "W3", "W4", "W5", "W9", "W6"] as const;
export type WorkloadName = (typeof workloadNames)[number];

/** Full size of each workload: runs, steps, sleepers or events. */
const sizes: Readonly<Record<WorkloadName, number>> = {
  W1: 200,
  W1one: 200,
  W2: 2_000,
  W3: 5,
  W4: 5_000,
  W5: 1_000,
  W6: 20_000,
  W9: 20_000,
};

/** Fewest that still measure something, however small the scale. */
const sizesMin: Partial<Record<WorkloadName, number>> = { W5: 2 * markedSteps };

/** How much of a workload is done at a scale. */
export function sizeOf(name: WorkloadName, scale: number): number {
  return Math.max(sizesMin[name] ?? 3, Math.round(sizes[name] * scale));
}

/** Runs one workload. `system` is warm, but for W6, which wants a fresh one. */
export async function measure(
  system: System,
  name: WorkloadName,
  scale: number,
): Promise<Measured> {
  const cores = navigator.hardwareConcurrency;
  const before = system.readCpu();
  const begin = performance.now();
  const figures = await run(system, name, sizeOf(name, scale));
  const cpu = difference(system.readCpu(), before);
  const foreign = cpu.machine - cpu.server - cpu.app - cpu.driver;
  const seconds = (performance.now() - begin) / 1_000;
  return { figures, foreign: Math.max(0, foreign) / (seconds * cores) };
}

function run(system: System, name: WorkloadName, size: number): Promise<Figures> {
  switch (name) {
    case "W1":
      return latency(system, size, 10);
    case "W1one":
      return latency(system, size, 1);
    case "W2":
      return throughput(system, size, 10, 100);
    case "W3":
      return fanOut(system, size);
    case "W4":
      return throughput(system, size, 1, 200);
    case "W5":
      return longRun(system, size);
    case "W6":
      return sleepers(system, size);
    case "W9":
      return events(system, size);
  }
}

/** Has the code of all three processes compiled before anything is measured. */
export async function warmUp(system: System): Promise<void> {
  const event = eventText(eventNames.sequential, 10);
  await runLoad(system, { event: () => event, runs: 20, inFlight: 1 });
  await runLoad(system, { event: () => event, runs: 200, inFlight: 50 });
  const unheard = eventText(eventNames.none, 0);
  await sendAll(system, 1_000, 64, () => unheard);
}

function eventText(name: string, steps: number): string {
  return JSON.stringify({ name, data: { steps } });
}

/** W1: one run at a time. */
async function latency(system: System, runs: number, steps: number): Promise<Figures> {
  const event = eventText(eventNames.sequential, steps);
  const { latencies } = await runLoad(system, { event: () => event, runs, inFlight: 1 });
  return { "p50 ms": quantile(latencies, 0.5), "p99 ms": quantile(latencies, 0.99) };
}

/** W2 and W4: many short runs at a time. */
export async function throughput(
  system: System,
  runs: number,
  steps: number,
  inFlight: number,
): Promise<Figures> {
  const event = eventText(eventNames.sequential, steps);
  const before = system.readCpu();
  const { wallMs, latencies } = await runLoad(system, { event: () => event, runs, inFlight });
  const cpu = difference(system.readCpu(), before);
  const units = runs * steps;
  return {
    [steps === 1 ? "runs/s" : "steps/s"]: (units / wallMs) * 1_000,
    "p50 ms": quantile(latencies, 0.5),
    "server us each": (cpu.server / units) * 1e6,
    "app us each": (cpu.app / units) * 1e6,
  };
}

const fanOutSteps = 500;

/** W3: one run of many parallel steps, a few times. */
async function fanOut(system: System, runs: number): Promise<Figures> {
  const event = eventText(eventNames.parallel, fanOutSteps);
  const { latencies } = await runLoad(system, { event: () => event, runs, inFlight: 1 });
  return { ms: quantile(latencies, 0.5) };
}

/** W5: one long run; do its last steps cost more than its first? */
export async function longRun(system: System, steps: number): Promise<Figures> {
  const event = eventText(eventNames.sequential, steps);
  const { wallMs, lastRunId } = await runLoad(system, { event: () => event, runs: 1, inFlight: 1 });
  const marks = await marksOf(system, lastRunId, steps);
  const part = Math.min(markedSteps, steps);
  const first = (marks[part - 1] ?? Number.NaN) - (marks[0] ?? Number.NaN);
  const last = (marks[steps - 1] ?? Number.NaN) - (marks[steps - part] ?? Number.NaN);
  return { ms: wallMs, "ms a step": wallMs / steps, "last/first": last / first };
}

/** The run's own answer, which also proves that every step ran. */
async function marksOf(system: System, runId: string, steps: number): Promise<Marks["marks"]> {
  const answer = await system.client.get(`/v1/runs/${runId}`);
  const { output } = (answer as { readonly data: { readonly output: Marks } }).data; // proof: its documented shape
  if (output.steps !== steps) throw new Error(`run ${runId} answered ${JSON.stringify(output)}`);
  return output.marks;
}

const settleMs = 4_000;
const parkedMs = 300_000;

/** W6: what a sleeping run costs. Memory and disk are read when all has been calm for a while. */
export async function sleepers(system: System, count: number): Promise<Figures> {
  await pause(settleMs / 2);
  const before = { memory: system.memory(), disk: system.diskBytes() };
  let parked = 0;
  const allParked = Promise.withResolvers<void>();
  system.feed.listener = {
    onEnd: ({ runId }) => allParked.reject(new Error(`run ${runId} ended without sleeping`)),
    onWaiting: () => {
      if (++parked === count) allParked.resolve();
    },
  };
  const late = setTimeout(() => {
    allParked.reject(new Error(`${parked} of ${count} runs sleep after ${parkedMs} ms`));
  }, parkedMs);
  const begin = performance.now();
  const event = eventText(eventNames.sleeper, 0);
  try {
    await sendAll(system, count, 200, () => event);
    const acceptedMs = performance.now() - begin;
    await allParked.promise;
    const allParkedMs = performance.now() - begin;
    await pause(settleMs);
    const memory = system.memory();
    return {
      "accepted/s": (count / acceptedMs) * 1_000,
      "asleep/s": (count / allParkedMs) * 1_000,
      "server bytes of memory each": (memory.server - before.memory.server) / count,
      "app bytes of memory each": (memory.app - before.memory.app) / count,
      "bytes of disk each": (system.diskBytes() - before.disk) / count,
    };
  } finally {
    clearTimeout(late);
    system.feed.mute();
  }
}

const batchSize = 100;

/** W9: events that start nothing: alone, and a hundred in a request. */
async function events(system: System, count: number): Promise<Figures> {
  const single = JSON.stringify({ name: eventNames.none, data: { order: "ord_0123456789", n: 7 } });
  const batch = `[${Array.from({ length: batchSize }, () => single).join(",")}]`;
  const before = system.readCpu();
  const begin = performance.now();
  await sendAll(system, count, 64, () => single);
  const middle = performance.now();
  const cpu = difference(system.readCpu(), before);
  const batches = Math.max(2, Math.round(count / 20));
  await sendAll(system, batches, 16, () => batch);
  const end = performance.now();
  return {
    "single events/s": (count / (middle - begin)) * 1_000,
    "server us each": (cpu.server / count) * 1e6,
    "batched events/s": ((batches * batchSize) / (end - middle)) * 1_000,
  };
}

function difference(a: CpuReading, b: CpuReading): CpuReading {
  return {
    server: a.server - b.server,
    app: a.app - b.app,
    driver: a.driver - b.driver,
    machine: a.machine - b.machine,
  };
}
