// Judges flow control by what is stored: limits of concurrency and singletons. It
// computes all of it from programs and keys; it must not know the engine's names for gates.
import type { MemoryData } from "@pawl/store/memory/memory-data";
import type { Program } from "../app/program.ts";
import type { Mirror, RunMirror } from "./mirror.ts";
import type { Accuse } from "./violation.ts";

interface Parts {
  readonly data: MemoryData;
  readonly programs: ReadonlyMap<string, Program>;
  readonly callsPerAppMax: number;
}

export class FlowJudge {
  readonly #mirror: Mirror;
  readonly #parts: Parts;
  readonly #accuse: Accuse;

  constructor(mirror: Mirror, parts: Parts, accuse: Accuse) {
    this.#mirror = mirror;
    this.#parts = parts;
    this.#accuse = accuse;
  }

  /** Whether an invocation of the function may be refused. */
  maySkip(functionId: string): boolean {
    const flow = this.#parts.programs.get(functionId)?.flow;
    return flow?.singleton === "skip" || flow?.startsPerMinute !== undefined;
  }

  /** After each commit. */
  check(): void {
    this.#checkCalls();
    // A message that was put off may be what ends the run that has to give way.
    if (this.#parts.data.mail.size === 0) this.#checkSingletons();
  }

  #checkCalls(): void {
    const { data } = this.#parts;
    const counts = new Map<string, number>();
    const most = new Map<string, number>();
    for (const { runId, jobId, epoch } of data.leased.ascending(null)) {
      const run = this.#mirror.runs.get(runId);
      if (epoch !== data.epoch || run === undefined) continue;
      const job = run.jobs.get(jobId);
      const isApps = job?.kind !== "call" || job.gateway === null;
      // The server's own requests have the same limit in the simulation.
      const performer = isApps ? run.run.appId : "the server";
      const ofPerformer = [performer, this.#parts.callsPerAppMax] as const;
      for (const [name, limit] of [ofPerformer, ...limitsOf(run)]) {
        counts.set(name, (counts.get(name) ?? 0) + 1);
        // Functions that share a key may set different limits.
        most.set(name, Math.max(most.get(name) ?? 0, limit));
      }
    }
    for (const [name, count] of counts) {
      const limit = most.get(name) ?? Infinity;
      if (count > limit)
        this.#accuse(
          "gate-exceeded",
          `${count} calls of ${name} are leased, the limit is ${limit}`,
        );
    }
  }

  #checkSingletons(): void {
    const open = new Map<string, string>();
    for (const mirror of this.#mirror.runs.values()) {
      const { run, program, key, endedIn } = mirror;
      if (endedIn !== null || program.flow?.singleton === undefined) continue;
      const name = `${program.slug}/${key}`;
      const other = open.get(name);
      if (other !== undefined)
        this.#accuse("flow-broken", `runs ${other} and ${run.id} of singleton ${name} go on`);
      open.set(name, run.id);
    }
  }
}

/** What a call of a run counts for, and how many may be out. */
function limitsOf({ run, program, key }: RunMirror): (readonly [string, number])[] {
  const { callsPerKey, callsShared, calls } = program.flow ?? {};
  const limits: (readonly [string, number | undefined])[] = [
    [`${run.functionId}/${key}`, callsPerKey],
    ["shared", callsShared],
    [run.functionId, calls],
  ];
  // At most two are registered.
  return limits
    .flatMap(([name, limit]) => (limit === undefined ? [] : [[name, limit] as const]))
    .slice(0, 2);
}
