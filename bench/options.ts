// The command line of the benchmark.
import { parseArgs } from "node:util";
import { flavours, type Flavour } from "./lib/system.ts";
import { workloadNames, type WorkloadName } from "./workloads.ts";

export interface Options {
  readonly workloads: readonly WorkloadName[];
  readonly flavours: readonly Flavour[];
  readonly rounds: number;
  /** Share of the full size of each workload. */
  readonly scale: number;
  readonly growth: boolean;
  /** Largest size of the curve over sleepers. */
  readonly sleepersMax: number;
  /** Print everything measured as JSON instead of the table, and leave the report file alone. */
  readonly json: boolean;
}

/** What `--help` prints. */
export const usage = `npm run bench -- [flags]
  --workloads W1,W2     of ${workloadNames.join(",")} (all)
  --flavours pawl       of ${flavours.join(",")} (all)
  --rounds N            each workload so many times (3)
  --scale F             share of the full size (1); 0.1 is a quick look
  --no-growth           leave the curves out
  --sleepers N          curve over sleepers up to N (100000); 1000000 takes long
  --json                print all figures as JSON, write no report`;

/** Null: help is wanted. Throws for what is not understood. */
export function readOptions(argv: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      workloads: { type: "string" },
      flavours: { type: "string" },
      rounds: { type: "string", default: "3" },
      scale: { type: "string", default: "1" },
      "no-growth": { type: "boolean", default: false },
      sleepers: { type: "string", default: "100000" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return null;
  return {
    workloads: listed("workloads", values.workloads, workloadNames),
    flavours: listed("flavours", values.flavours, flavours),
    rounds: Math.round(positive("rounds", values.rounds)),
    scale: positive("scale", values.scale),
    growth: !values["no-growth"],
    sleepersMax: positive("sleepers", values.sleepers),
    json: values.json,
  };
}

function listed<T extends string>(
  flag: string,
  text: string | undefined,
  all: readonly T[],
): readonly T[] {
  if (text === undefined) return all;
  return text.split(",").map((word) => {
    const found = all.find((name) => name === word);
    if (found === undefined) throw new Error(`--${flag}: "${word}" is none of ${all.join(", ")}`);
    return found;
  });
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new Error(`--${flag} must be a number above 0`);
}
