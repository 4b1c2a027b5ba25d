// One run within a draft: the record, its jobs and steps as they will be. Writes to the same job
// are folded, so that a decision yields at most one change for each.
// Invariant: call jobs handed out twice never share (job id, generation), see `generationFloor`.
import type { Change } from "./changes.ts";
import type { DraftHost } from "./draft-host.ts";
import type { DeferRecord } from "./defer-records.ts";
import type {
  CallJob,
  EventRecord,
  Job,
  RunRecord,
  SignalJob,
  StepRecord,
  WaitRecord,
} from "./records.ts";
import { MetadataLayer } from "./state/metadata-layer.ts";
import type { RunView } from "./state/view.ts";
import { branchId } from "./waits/branch.ts";
import { signalKey } from "./waits/signal.ts";
import { hasEnded } from "./wake-up.ts";

export class RunDraft {
  readonly draft: DraftHost;
  readonly #view: RunView;
  #run: RunRecord;
  #dirty: boolean;
  /** Null: deleted in this draft. */
  readonly #jobs = new Map<string, Job | null>();
  readonly #newSteps = new Map<string, StepRecord>();
  readonly #newDefers = new Map<string, DeferRecord>();
  readonly #newWaits: WaitRecord[] = [];
  #events: readonly EventRecord[];
  #stateChars: number;
  #generationFloor: number;
  #metadata: MetadataLayer | null = null;

  constructor(draft: DraftHost, view: RunView, isNew: boolean) {
    this.draft = draft;
    this.#view = view;
    this.#run = view.run;
    this.#dirty = isNew;
    this.#events = view.events;
    this.#stateChars = view.stateChars;
    this.#generationFloor = view.run.generation;
  }

  get id(): string {
    return this.#run.id;
  }

  get run(): RunRecord {
    return this.#run;
  }

  get events(): readonly EventRecord[] {
    return this.#events;
  }

  get ended(): boolean {
    return hasEnded(this.#run.status);
  }

  get stateChars(): number {
    return this.#stateChars;
  }

  get stepCount(): number {
    return this.#view.steps.size + this.#newSteps.size;
  }

  /** What the next new call job must start with. */
  get generationFloor(): number {
    return this.#generationFloor;
  }

  update(patch: Partial<RunRecord>): void {
    this.#run = { ...this.#run, ...patch };
    this.#dirty = true;
  }

  step(id: string): StepRecord | undefined {
    return this.#newSteps.get(id) ?? this.#view.steps.get(id);
  }

  *steps(): Generator<StepRecord> {
    yield* this.#view.steps.values();
    yield* this.#newSteps.values();
  }

  /** Records a finished step. The caller has made sure that the id is free. */
  addStep(step: Omit<StepRecord, "seq">): void {
    const record = { ...step, seq: this.stepCount };
    this.#newSteps.set(step.id, record);
    this.#stateChars += step.memo.length;
  }

  /** What is noted about the run. The command has named it as a need. */
  get metadata(): MetadataLayer {
    const { metadata } = this.#view;
    if (metadata === null) throw new Error(`metadata of run ${this.id} was not loaded`);
    return (this.#metadata ??= new MetadataLayer(metadata));
  }

  defer(id: string): DeferRecord | undefined {
    return this.#newDefers.get(id) ?? this.#view.defers.get(id);
  }

  /** In order of arrival. */
  *defers(): Generator<DeferRecord> {
    for (const defer of this.#view.defers.values()) yield this.#newDefers.get(defer.id) ?? defer;
    for (const defer of this.#newDefers.values()) if (!this.#view.defers.has(defer.id)) yield defer;
  }

  /** How many there are, in any status. */
  get deferCount(): number {
    return Array.from(this.defers()).length;
  }

  putDefer(defer: DeferRecord): void {
    this.#newDefers.set(defer.id, defer);
  }

  job(id: string): Job | undefined {
    const own = this.#jobs.get(id);
    if (own !== undefined) return own ?? undefined;
    return this.#view.jobs.get(id);
  }

  *jobs(): Generator<Job> {
    for (const [id, job] of this.#view.jobs) if (!this.#jobs.has(id)) yield job;
    for (const job of this.#jobs.values()) if (job !== null) yield job;
  }

  putJob(job: Job): void {
    this.draft.countJob(this.#run, this.job(job.id), job);
    this.#jobs.set(job.id, job);
  }

  deleteJob(id: string): void {
    const job = this.job(id);
    if (job === undefined) return;
    this.draft.countJob(this.#run, job, undefined);
    this.#jobs.set(id, null);
    if (job.kind === "call") this.#raiseFloor(job);
    if (job.kind === "wait") this.deleteWait(id);
    if (job.kind === "signal") this.#freeSignal(job);
    if (job.kind !== "waitMany") return;
    for (const [place, branch] of job.branches.entries()) {
      if (branch.received === null) this.deleteWait(branchId(id, place));
    }
  }

  addWait(wait: WaitRecord): void {
    this.#newWaits.push(wait);
  }

  /** Waits registered in this draft. */
  get newWaits(): readonly WaitRecord[] {
    return this.#newWaits;
  }

  deleteWait(id: string): void {
    const at = this.#newWaits.findIndex((wait) => wait.jobId === id);
    if (at >= 0) this.#newWaits.splice(at, 1);
    else this.draft.write({ type: "wait.delete", runId: this.id, jobId: id });
  }

  /** Replaces the events that start the run: a batch or a debounced run before its first call. */
  setEvents(events: readonly EventRecord[]): void {
    this.#events = events;
    this.update({ eventIds: events.map((event) => event.id) });
  }

  /** Hands over what changed. A record of an unfinished run is written only when it must be. */
  seal(write: (change: Change) => void): void {
    let floor = this.#run.generation;
    for (const [id, job] of this.#jobs) {
      const before = this.#view.jobs.get(id);
      if (job === null && before?.kind === "call") floor = Math.max(floor, before.generation + 1);
    }
    if (floor !== this.#run.generation && !this.ended) this.update({ generation: floor });
    if (this.#dirty) write({ type: "run.put", run: this.#run });
    for (const step of this.#newSteps.values()) write({ type: "step.put", runId: this.id, step });
    for (const defer of this.#newDefers.values())
      write({ type: "defer.put", runId: this.id, defer });
    for (const [id, job] of this.#jobs) {
      if (job !== null) write({ type: "job.put", job });
      else if (this.#view.jobs.has(id)) write({ type: "job.delete", runId: this.id, jobId: id });
    }
    for (const wait of this.#newWaits) write({ type: "wait.put", wait });
    for (const change of this.#metadata?.changes(this.id) ?? []) write(change);
  }

  /** The name of a signal is free again, unless somebody else has taken it over. */
  #freeSignal(job: SignalJob): void {
    const key = signalKey(job.signal);
    const record = this.draft.gateRecord(key);
    if (record?.kind === "signal" && record.runId === this.id && record.jobId === job.id) {
      this.draft.deleteGate(key);
    }
    for (const other of this.jobs()) {
      if (other.kind === "signal" && other.signal === job.signal) return;
    }
    this.update({ holds: this.#run.holds.filter((hold) => hold !== key) });
  }

  #raiseFloor(job: CallJob): void {
    this.#generationFloor = Math.max(this.#generationFloor, job.generation + 1);
  }
}
