// How cost grows: the same workload at sizes that differ by tens. A good curve is flat. It must not
// know how results are shown.
import { System, type Flavour } from "./lib/system.ts";
import {
  longRun,
  sleepers,
  throughput,
  warmUp,
  type Figures,
  type WorkloadName,
} from "./workloads.ts";

/** One curve: figures at each size, smallest first. */
export interface Curve {
  readonly title: string;
  readonly flavour: Flavour;
  readonly points: readonly { readonly size: number; readonly figures: Figures }[];
}

/** Told about each point as it is measured. */
export type OnPoint = (title: string, size: number, figures: Figures) => void;

const inFlightSizes = [1, 10, 100, 1_000];
const stepSizes = [10, 100, 1_000, 10_000];
const sleeperSizes = [1_000, 10_000, 100_000];
const stepsPerRun = 10;

/** Curves of the workloads wanted, each point once. `sleepersMax` bounds the last one. */
export async function measureGrowth(
  flavour: Flavour,
  wanted: readonly WorkloadName[],
  scale: number,
  sleepersMax: number,
  onPoint: OnPoint,
): Promise<readonly Curve[]> {
  const curves: Curve[] = [];
  const add = async (
    title: string,
    sizes: readonly number[],
    measurePoint: (size: number) => Promise<Figures>,
  ): Promise<void> => {
    const points: { size: number; figures: Figures }[] = [];
    for (const size of sizes) {
      const figures = await measurePoint(size);
      onPoint(title, size, figures);
      points.push({ size, figures });
    }
    curves.push({ title, flavour, points });
  };
  if (wanted.includes("W2")) {
    await withSystem(flavour, (system) =>
      add("W2 against runs in flight", inFlightSizes, (inFlight) => {
        const runs = Math.max(inFlight, Math.round(2_000 * scale * (inFlight === 1 ? 0.1 : 1)));
        return throughput(system, runs, stepsPerRun, inFlight);
      }),
    );
  }
  if (wanted.includes("W5")) {
    await withSystem(flavour, (system) =>
      add("W5 against steps of the run", bounded(stepSizes, 10_000 * scale), (steps) =>
        longRun(system, steps),
      ),
    );
  }
  if (wanted.includes("W6")) {
    const sizes = [
      ...bounded(sleeperSizes, 100_000 * scale),
      ...(sleepersMax > 100_000 ? [sleepersMax] : []),
    ];
    await add("W6 against sleepers", sizes, (count) =>
      withSystem(flavour, (system) => sleepers(system, count)),
    );
  }
  return curves;
}

/** The sizes up to a limit, and always the first. */
function bounded(sizes: readonly number[], max: number): readonly number[] {
  return sizes.filter((size, index) => index === 0 || size <= max);
}

async function withSystem<T>(flavour: Flavour, work: (system: System) => Promise<T>): Promise<T> {
  const system = await System.start(flavour);
  try {
    await warmUp(system);
    return await work(system);
  } finally {
    await system.stop();
  }
}
