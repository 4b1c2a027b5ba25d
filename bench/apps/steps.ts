// What the functions of every flavour do, so that only the SDK differs: steps that return about a
// hundred bytes and do no other work. It must not import an SDK.

/** Runs a step and gives its value back; each SDK's `step.run`. */
export type RunStep = (id: string, work: () => StepValue) => Promise<StepValue>;

/** About 100 bytes of JSON. `at`: ms since the epoch, with fractions; replays keep it. */
export interface StepValue {
  readonly i: number;
  readonly at: number;
  readonly pad: string;
}

/** What a run of sequential steps returns: when the steps at both ends ran, by their number. */
export interface Marks {
  readonly steps: number;
  readonly marks: Readonly<Record<string, number>>;
}

/** What a run returns that waited: when it was called again, and for which key. */
export interface Woken {
  readonly key: string;
  /** As in `StepValue`. */
  readonly at: number;
}

export function woken(key: unknown): Woken {
  return { key: String(key), at: performance.timeOrigin + performance.now() };
}

/** How many steps at each end `Marks` tells about. */
export const markedSteps = 100;

const pad = "x".repeat(52);

function stepValue(i: number): StepValue {
  const at = performance.timeOrigin + performance.now();
  return { i, at: Math.round(at * 1_000) / 1_000, pad };
}

/** One step after another. */
export async function sequential(run: RunStep, steps: number): Promise<Marks> {
  const marks: Record<string, number> = {};
  const ends = new Set([0, markedSteps - 1, steps - markedSteps, steps - 1]);
  for (let i = 0; i < steps; i++) {
    const { at } = await run(`s${i}`, () => stepValue(i));
    if (ends.has(i)) marks[i] = at;
  }
  return { steps, marks };
}

/** All steps at once. */
export async function parallel(run: RunStep, steps: number): Promise<{ readonly steps: number }> {
  const values = await Promise.all(
    Array.from({ length: steps }, (_, i) => run(`s${i}`, () => stepValue(i))),
  );
  return { steps: values.length };
}

/** The events that start the functions. Nothing listens to `none`. */
export const eventNames = {
  sequential: "bench/sequential",
  parallel: "bench/parallel",
  sleeper: "bench/sleeper",
  waiter: "bench/waiter",
  chooser: "bench/chooser",
  wake: "bench/wake",
  /** What waiters of two events wait for in vain. */
  never: "bench/never",
  none: "bench/none",
} as const;
