// What must be in the store, by the changes that were committed, with what the oracle remembers
// beyond it. It is kept apart from the store's own records, which it does not trust.
import type { Change } from "@pawl/engine/changes";
import type { EventRecord, Job, RunRecord, WaitRecord } from "@pawl/engine/records";
import type { ProgramFlow } from "../app/flow.ts";
import type { Program } from "../app/program.ts";
import { Deployments } from "./deployments.ts";

export interface RunMirror {
  run: RunRecord;
  readonly program: Program;
  /** Of the event that started it; of the last one when it was put off. */
  key: number;
  /** Flow control of its function when it took that event. */
  flow: ProgramFlow;
  readonly jobs: Map<string, Job>;
  readonly waits: Map<string, WaitRecord>;
  /** Memos by hashed id, in order of completion. */
  readonly steps: Map<string, string>;
  /** Dispatch id of the last discovery that was leased. */
  lastDiscovery: string | null;
  /** The commit in which it began. */
  readonly bornIn: number;
  /** The commit in which it ended; null before. */
  endedIn: number | null;
}

export interface EventMirror {
  readonly record: EventRecord;
  readonly key: number;
  /** How many were stored before it. */
  readonly order: number;
  readonly storedIn: number;
}

/** Whether a run that an event with the key starts gathers others before it begins. */
export function mayGather({ batch = 1, batchOf, debounce }: ProgramFlow, key: number): boolean {
  return debounce !== undefined || (batch > 1 && (batchOf !== "if" || key === 0));
}

export class Mirror {
  readonly deployments: Deployments;
  readonly runs = new Map<string, RunMirror>();
  readonly events = new Map<string, EventMirror>();
  /** Also of runs that retention has removed. */
  readonly outputs = new Map<string, string>();
  /** The run that an invoke step waits for, by run and step: its own, or one that it joined. */
  readonly invoked = new Map<string, string>();
  /** Runs ever started, in order. */
  readonly started: RunRecord[] = [];
  /** Events ever stored. */
  readonly everStored = new Map<string, EventMirror>();
  /** Commits seen. */
  commits = 0;
  /** By function id. */
  readonly programs: ReadonlyMap<string, Program>;

  /** `programs`: by function id. */
  constructor(programs: ReadonlyMap<string, Program>) {
    this.programs = programs;
    this.deployments = new Deployments(programs);
  }

  /** In order of their ends. */
  get endedRuns(): readonly RunMirror[] {
    const ended = [...this.runs.values()].filter(({ endedIn }) => endedIn !== null);
    return ended.sort((a, b) => (a.endedIn ?? 0) - (b.endedIn ?? 0));
  }

  /**
   * Whether a run may still take events: its first call waits for its time. That of one which is throttled
   * looks the same from here.
   */
  isGathering({ run, flow, key, jobs }: RunMirror): boolean {
    if (run.status !== "queued" || !mayGather(flow, key)) return false;
    return [...jobs.values()].every((job) => job.kind !== "call" || job.state.at === "delayed");
  }

  /** Takes in one change; the oracle has looked at it before. */
  apply(change: Change): void {
    switch (change.type) {
      case "event.put":
        return this.#putEvent(change.event);
      case "event.delete":
        return void this.events.delete(change.eventId);
      case "run.put":
        return this.#putRun(change.run);
      case "run.delete":
      case "run.retire":
        return void this.runs.delete(change.runId);
      case "output.put":
        return void this.outputs.set(change.runId, change.output);
      case "step.put":
        return void this.runs.get(change.runId)?.steps.set(change.step.id, change.step.memo);
      case "job.put":
        return void this.runs.get(change.job.runId)?.jobs.set(change.job.id, change.job);
      case "job.delete":
        return void this.runs.get(change.runId)?.jobs.delete(change.jobId);
      case "wait.put":
        if (isCancelWait(change.wait.jobId)) return;
        return void this.runs.get(change.wait.runId)?.waits.set(change.wait.jobId, change.wait);
      case "wait.delete":
        return void this.runs.get(change.runId)?.waits.delete(change.jobId);
      case "app.put":
      case "app.delete":
        return this.deployments.apply(change);
      default:
        return;
    }
  }

  #putEvent(record: EventRecord): void {
    const event = {
      record,
      key: keyOf(record),
      order: this.everStored.size,
      storedIn: this.commits,
    };
    this.events.set(record.id, event);
    this.everStored.set(record.id, event);
  }

  #putRun(run: RunRecord): void {
    for (const parent of run.parent === null ? run.coParents : [run.parent, ...run.coParents])
      this.invoked.set(`${parent.runId}/${parent.jobId}`, run.id);
    const known = this.runs.get(run.id);
    if (known === undefined) {
      const program = this.programs.get(run.functionId);
      if (program === undefined)
        throw new Error(`run ${run.id} is of function ${run.functionId}, which no app has`);
      this.runs.set(run.id, {
        run,
        program,
        ...this.#taken(run),
        jobs: new Map(),
        waits: new Map(),
        steps: new Map(),
        lastDiscovery: null,
        bornIn: this.commits,
        endedIn: null,
      });
      this.started.push(run);
    } else {
      if (known.run.eventIds[0] !== run.eventIds[0]) Object.assign(known, this.#taken(run));
      known.run = run;
    }
    const mirror = this.runs.get(run.id);
    if (mirror !== undefined && run.endedAt !== null) mirror.endedIn ??= this.commits;
  }

  /** What a run takes from its first event, and from its function at that time. */
  #taken(run: RunRecord): { readonly key: number; readonly flow: ProgramFlow } {
    const key = this.everStored.get(run.eventIds[0] ?? "")?.key ?? Number.NaN;
    return { key, flow: this.deployments.flowOf(run.functionId) };
  }
}

/** Whether a wait is for an event that cancels its run, rather than of a step. */
export function isCancelWait(jobId: string): boolean {
  return jobId.startsWith("cancel:");
}

/** `data.key` of an event; NaN, which equals nothing, when it has none. */
function keyOf(event: EventRecord): number {
  const data: unknown = JSON.parse(event.data);
  if (typeof data !== "object" || data === null || !("key" in data)) return Number.NaN;
  return typeof data.key === "number" ? data.key : Number.NaN;
}

/** Steps in order, as one text. */
export function textOf(steps: ReadonlyMap<string, string>): string {
  return [...steps].map(([id, memo]) => `${id}=${memo}`).join(" ");
}
