// Judges flow control by what is stored: limits of concurrency and singletons. It
// computes all of it from programs and keys; it must not know the engine's names for gates.
import type { MemoryData } from "@pawl/store/memory/memory-data";
import { limitsOf, type LimitName } from "../app/flow.ts";
import type { Program } from "../app/program.ts";
import type { Mirror, RunMirror } from "./mirror.ts";
import type { Accuse } from "./violation.ts";

interface Parts {
  readonly data: MemoryData;
  readonly programs: ReadonlyMap<string, Program>;
  readonly callsPerAppMax: number;
}

/** Calls that are out under one name, and what those that left in this commit were allowed. */
interface Count {
  out: number;
  /** The most that a call of this commit may have met; null: none left. */
  limit: number | null;
}

export class FlowJudge {
  readonly #mirror: Mirror;
  readonly #parts: Parts;
  readonly #accuse: Accuse;
  /** Calls that were out after the last commit. */
  #out = new Set<string>();
  /** Limits by function that were in force at some time since the last commit. */
  #limits = new Map<string, readonly ReadonlyMap<LimitName, number>[]>();

  constructor(mirror: Mirror, parts: Parts, accuse: Accuse) {
    this.#mirror = mirror;
    this.#parts = parts;
    this.#accuse = accuse;
  }

  /** Whether an invocation of the function may be refused. */
  maySkip(functionId: string): boolean {
    return this.#mirror.deployments.everHas(
      functionId,
      ({ singleton, startsPerMinute, once }) =>
        singleton === "skip" || startsPerMinute !== undefined || once === true,
    );
  }

  /** Apps have registered within this commit, or not yet. */
  registered(): void {
    for (const functionId of this.#parts.programs.keys()) {
      const limits = limitsOf(this.#mirror.deployments.flowOf(functionId));
      this.#limits.set(functionId, [...(this.#limits.get(functionId) ?? []), limits]);
    }
  }

  /** After each commit. */
  check(): void {
    this.#checkCalls();
    this.#limits.clear();
    this.registered();
    // A message that was put off may be what ends the run that has to give way.
    if (this.#parts.data.mail.size === 0) this.#checkSingletons();
  }

  /** A limit that was lowered calls nobody back, but nobody more leaves while it is exceeded. */
  #checkCalls(): void {
    const { data, callsPerAppMax } = this.#parts;
    const counts = new Map<string, Count>();
    const out = new Set<string>();
    for (const { runId, jobId, epoch } of data.leased.ascending(null)) {
      const run = this.#mirror.runs.get(runId);
      if (epoch !== data.epoch || run === undefined) continue;
      const job = run.jobs.get(jobId);
      const isApps = job?.kind !== "call" || job.gateway === null;
      const name = `${runId}/${jobId}/${job?.kind === "call" ? job.generation : 0}`;
      out.add(name);
      const isNew = !this.#out.has(name);
      // The server's own requests have the same limit in the simulation.
      count(counts, isApps ? run.run.appId : "the server", isNew ? callsPerAppMax : null);
      for (const limit of names(run))
        count(counts, nameOf(run, limit), isNew ? this.#mostOf(run, limit) : null);
    }
    this.#out = out;
    for (const [name, { out: calls, limit }] of counts) {
      if (limit !== null && calls > limit)
        this.#accuse(
          "gate-exceeded",
          `${calls} calls of ${name} are leased, the limit is ${limit}`,
        );
    }
  }

  #mostOf({ run }: RunMirror, name: LimitName): number {
    const limits = this.#limits.get(run.functionId) ?? [];
    return Math.max(...limits.map((limit) => limit.get(name) ?? Infinity));
  }

  #checkSingletons(): void {
    const open = new Map<string, string>();
    for (const mirror of this.#mirror.runs.values()) {
      const { run, program, key, endedIn } = mirror;
      if (endedIn !== null || program.flow?.singleton === undefined) continue;
      // It asks for its place when it has gathered its events.
      if (this.#mirror.isGathering(mirror)) continue;
      const name = `${program.slug}/${key}`;
      const other = open.get(name);
      if (other !== undefined)
        this.#accuse("flow-broken", `runs ${other} and ${run.id} of singleton ${name} go on`);
      open.set(name, run.id);
    }
  }
}

function count(counts: Map<string, Count>, name: string, limit: number | null): void {
  const known = counts.get(name) ?? { out: 0, limit: null };
  known.out++;
  // Functions that share a key may set different limits.
  if (limit !== null) known.limit = Math.max(known.limit ?? 0, limit);
  counts.set(name, known);
}

/** What calls of a run count for: the keys that its function had when it started, and the function. */
function names({ flow }: RunMirror): ReadonlySet<LimitName> {
  return new Set([...limitsOf(flow).keys(), "calls" as const]);
}

function nameOf({ run, key }: RunMirror, name: LimitName): string {
  const names: Record<LimitName, string> = {
    callsPerKey: `${run.functionId}/${key}`,
    callsShared: "shared",
    callsPerSharedKey: `shared/${key}`,
    calls: run.functionId,
  };
  return names[name];
}
