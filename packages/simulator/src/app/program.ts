// The apps of the simulation: small programs of steps, as data, and what a program does once some
// of its steps are recorded. The app plays them; the oracle uses them to know what must come out.
import type { ProgramFlow } from "./flow.ts";
import { hashStepId } from "@pawl/protocol/step-id";

/** One of the events of a step that waits for several. */
export interface WaitBranch {
  readonly name: string;
  readonly event: string;
  readonly match: "any" | "key" | "above";
}

/** A step of a program. Ids are unique within it. */
export type StepNode =
  | {
      readonly kind: "run";
      readonly id: string;
      /** How long user code takes, ms. */
      readonly takesMs: number;
      /** Attempts that throw before one returns. */
      readonly failures: number;
      /** The last failure is caught by user code. */
      readonly caught: boolean;
      /** `retries` of this step alone; null: the function's. */
      readonly retries: number | null;
      /** Name of an event that user code sends from within the step; null: none. */
      readonly sends: string | null;
    }
  | {
      /** A request that the server performs. */
      readonly kind: "fetch";
      readonly id: string;
      /** How long the site takes, ms. */
      readonly takesMs: number;
      /** Requests that fail before one succeeds. */
      readonly failures: number;
      /** The last failure is caught by user code. */
      readonly caught: boolean;
      readonly retries: number | null;
    }
  | { readonly kind: "sleep"; readonly id: string; readonly forMs: number }
  | {
      readonly kind: "wait";
      readonly id: string;
      readonly event: string;
      /** `any`: every event; `key`: equal keys, which is indexed; `above`: a greater key, which is not. */
      readonly match: "any" | "key" | "above";
      readonly timeoutMs: number;
      readonly lookback: number | "run" | null;
    }
  | {
      /** The first of several events, or one of each. */
      readonly kind: "waitMany";
      readonly id: string;
      readonly mode: "any" | "all";
      readonly branches: readonly WaitBranch[];
      readonly timeoutMs: number;
      readonly lookback: number | "run" | null;
    }
  | {
      readonly kind: "signal";
      readonly id: string;
      readonly signal: string;
      readonly timeoutMs: number;
      readonly onConflict: "fail" | "replace";
    }
  | {
      readonly kind: "invoke";
      readonly id: string;
      readonly slug: string;
      readonly key: number;
      readonly timeoutMs: number | null;
      /** Absent: the app does not say. */
      readonly onCancel?: "cancel" | "abandon";
    };

export type Node =
  | StepNode
  /** `race`: user code goes on with the branch that settles first (and asks for race mode). */
  | {
      readonly kind: "parallel";
      readonly branches: readonly (readonly Node[])[];
      readonly race: boolean;
    }
  /** User code throws, outside of any step, on the first attempts. */
  | { readonly kind: "throw"; readonly times: number };

/** A function that every call of a program defers, as SDKs do, unless the server knows it. */
export interface DeferPlan {
  readonly id: string;
  /** Of a program made before, so that no chain is endless. */
  readonly slug: string;
  readonly key: number;
  /** User code takes it back once it has got so many steps; null: never. */
  readonly abortFrom: number | null;
}

export interface Program {
  readonly slug: string;
  readonly app: string;
  /** Name of the event that starts it. */
  readonly trigger: string;
  /** It is also started by a cron line, at every such many ms of the clock: a divisor of a minute. */
  readonly cronMs?: number;
  /** Execution version that its app speaks. */
  readonly version: 0 | 1 | 2 | 3;
  readonly retries: number;
  /** It reports steps while it goes on in the same call. */
  readonly checkpoints: boolean;
  readonly nodes: readonly Node[];
  /** Absent: none. */
  readonly defers?: readonly DeferPlan[];
  /** Absent: none. */
  readonly flow?: ProgramFlow;
}

/** A step that user code has reached and that is not recorded. */
export interface OpenStep {
  readonly node: StepNode;
  readonly race: boolean;
}

/** Where a program stands: what it returned or threw, or what it waits for. */
export type Exploration =
  | { readonly kind: "returned"; readonly value: string }
  | { readonly kind: "threw"; readonly from: "step" | "function" }
  | { readonly kind: "blocked"; readonly open: readonly OpenStep[] };

/** How expressions of waits read, by the way they match. */
export const expressions = {
  any: null,
  key: "async.data.key == event.data.key",
  above: "async.data.key > event.data.key",
} as const;

/** Whether an event with a key satisfies a wait of a run whose trigger has `own`. */
export function matchesKey(match: "any" | "key" | "above", own: number, key: number): boolean {
  if (match === "any") return true;
  return match === "key" ? key === own : key > own;
}

const hashes = new Map<string, string>();

export function stepHash(id: string): string {
  let hash = hashes.get(id);
  if (hash === undefined) hashes.set(id, (hash = hashStepId(id, 0)));
  return hash;
}

interface Progress {
  /** Not yet, or with the place in the order of records at which it was decided. */
  readonly settled: null | { readonly rank: number; readonly threw: "step" | "function" | null };
  readonly values: readonly string[];
}

/**
 * Runs a program as far as recorded memos carry it. `memos`: JSON text by hashed id, in order of
 * completion. `attempt`: of the call, which decides whether user code throws.
 */
export function explore(
  program: Program,
  memos: ReadonlyMap<string, string>,
  attempt: number,
): Exploration {
  const ranks = new Map([...memos.keys()].map((id, rank) => [id, rank]));
  const open: OpenStep[] = [];

  const leaf = (node: StepNode, race: boolean): Progress => {
    const hash = stepHash(node.id);
    const memo = memos.get(hash);
    if (memo === undefined) {
      open.push({ node, race });
      return { settled: null, values: [] };
    }
    const failed = memo.startsWith('{"error":');
    const caught = node.kind === "run" || node.kind === "fetch" ? node.caught : true;
    const settled = {
      rank: ranks.get(hash) ?? 0,
      threw: failed && !caught ? ("step" as const) : null,
    };
    return { settled, values: [memo] };
  };

  const parallel = (branches: readonly (readonly Node[])[], race: boolean): Progress => {
    const parts = branches.map((branch) => sequence(branch, race));
    const settled = parts.filter((part) => part.settled !== null);
    const byRank = settled.toSorted((a, b) => (a.settled?.rank ?? 0) - (b.settled?.rank ?? 0));
    const first = race ? byRank[0] : byRank.find((part) => part.settled?.threw !== null);
    if (first !== undefined) return first;
    const last = byRank.at(-1);
    if (last === undefined || settled.length < parts.length) return { settled: null, values: [] };
    return { settled: last.settled, values: parts.flatMap((part) => part.values) };
  };

  const sequence = (nodes: readonly Node[], race: boolean): Progress => {
    let rank = -1;
    const values: string[] = [];
    for (const node of nodes) {
      if (node.kind === "throw") {
        if (attempt < node.times) return { settled: { rank, threw: "function" }, values };
        continue;
      }
      const part = node.kind === "parallel" ? parallel(node.branches, node.race) : leaf(node, race);
      values.push(...part.values);
      if (part.settled === null) return { settled: null, values };
      rank = Math.max(rank, part.settled.rank);
      if (part.settled.threw !== null)
        return { settled: { rank, threw: part.settled.threw }, values };
    }
    return { settled: { rank, threw: null }, values };
  };

  const { settled, values } = sequence(program.nodes, false);
  if (settled === null) return { kind: "blocked", open };
  if (settled.threw !== null) return { kind: "threw", from: settled.threw };
  return { kind: "returned", value: `[${values.join(",")}]` };
}

/** All steps of a program by their hashed ids. */
export function stepsOf(program: Program): ReadonlyMap<string, StepNode> {
  const steps = new Map<string, StepNode>();
  const visit = (nodes: readonly Node[]): void => {
    for (const node of nodes) {
      if (node.kind === "parallel") node.branches.forEach(visit);
      else if (node.kind !== "throw") steps.set(stepHash(node.id), node);
    }
  };
  visit(program.nodes);
  return steps;
}

/** Hashed ids of the steps in branches that race. */
export function racingSteps(program: Program): ReadonlySet<string> {
  const racing = new Set<string>();
  const visit = (nodes: readonly Node[], race: boolean): void => {
    for (const node of nodes) {
      if (node.kind === "parallel") for (const branch of node.branches) visit(branch, node.race);
      else if (node.kind !== "throw" && race) racing.add(stepHash(node.id));
    }
  };
  visit(program.nodes, false);
  return racing;
}

/** Whether a program can fail by itself, without any fault. */
export function mayFail(program: Program): boolean {
  const fails = (nodes: readonly Node[]): boolean =>
    nodes.some((node) => {
      if (node.kind === "parallel") return node.branches.some(fails);
      if (node.kind === "throw") return node.times > program.retries;
      if (node.kind === "signal") return node.onConflict === "fail";
      return (
        (node.kind === "run" || node.kind === "fetch") &&
        !node.caught &&
        node.failures > (node.retries ?? program.retries)
      );
    });
  return fails(program.nodes);
}
