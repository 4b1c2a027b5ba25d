// The runs in memory, and the counts of their gates that follow from them. A run stays while it
// has a place at a gate or an uncommitted change; ended runs go first, parked ones when there are many.
// Invariant: a gate's counts equal the calls that have a place at it in this epoch, and those in the
// queues before it.
import type { StoredRun } from "../needs.ts";
import type { DeferRecord } from "../defer-records.ts";
import type { EventRecord, Job, RunRecord, StepRecord } from "../records.ts";
import { hasEnded } from "../wake-up.ts";
import type { MetadataPlace, MetadataRecord } from "../metadata-records.ts";
import { functionOfQueue, gateOfQueue, keptGates, placedGates, placesOf } from "../gate.ts";
import { RunMetadata } from "./metadata-layer.ts";
import type { GateView, LongestWait, RunView } from "./view.ts";

/** Parked runs (no place at a gate, not ended) kept in memory in the hope that they wake soon. */
const parkedRunsMax = 1_000;

interface Gate {
  inFlight: number;
  queued: number;
  /** Calls by queue, the one that waits longest for a turn first; none with 0. */
  readonly queues: Map<string, number>;
  /** Calls that wait before other gates and keep a place here, by function; none with 0. */
  readonly keepers: Map<string, number>;
  /** Places taken since the gate is in use. */
  passes: number;
  /** What `passes` was when a queue last had a turn, or began. */
  readonly passesBefore: Map<string, number>;
}

export class HotRun implements RunView {
  run: RunRecord;
  readonly jobs = new Map<string, Job>();
  readonly steps = new Map<string, StepRecord>();
  readonly defers = new Map<string, DeferRecord>();
  events: readonly EventRecord[];
  stateChars = 0;
  metadata: RunMetadata | null = null;
  /** Call jobs with a place at a gate. */
  placed = 0;
  /** The last batch that changed it; 0 when it is as the store knows it. */
  batch = 0;

  constructor(run: RunRecord, events: readonly EventRecord[]) {
    this.run = run;
    this.events = events;
  }

  addStep(step: StepRecord): void {
    this.steps.set(step.id, step);
    this.stateChars += step.memo.length;
  }
}

export class HotRuns {
  /** Null: the store has no such run. */
  readonly #runs = new Map<string, HotRun | null>();
  /** Runs that may leave, oldest first. */
  readonly #ended = new Set<HotRun>();
  readonly #parked = new Set<HotRun>();
  /** Runs that are not there, with the batch that deleted them; 0: the store said so. */
  readonly #absent = new Map<string, number>();
  readonly #gates = new Map<string, Gate>();
  /** Calls in queues by function. */
  readonly #backlogs = new Map<string, number>();
  readonly #epoch: number;

  constructor(epoch: number) {
    this.#epoch = epoch;
  }

  get size(): number {
    return this.#runs.size;
  }

  known(runId: string): boolean {
    return this.#runs.has(runId);
  }

  get(runId: string): HotRun | undefined {
    return this.#runs.get(runId) ?? undefined;
  }

  gate(key: string): GateView {
    const gate = this.#gates.get(key);
    return gate === undefined ? emptyGate : { inFlight: gate.inFlight, queued: gate.queued };
  }

  gateKeys(): Iterable<string> {
    return this.#gates.keys();
  }

  queues(key: string): ReadonlyMap<string, number> {
    return this.#gates.get(key)?.queues ?? none;
  }

  keepers(key: string): ReadonlyMap<string, number> {
    return this.#gates.get(key)?.keepers ?? none;
  }

  longestWait(key: string): LongestWait | null {
    const gate = this.#gates.get(key);
    const [queue] = gate?.queues.keys() ?? [];
    if (gate === undefined || queue === undefined) return null;
    return { queue, passed: gate.passes - (gate.passesBefore.get(queue) ?? 0) };
  }

  /** Calls of a function that wait in queues. */
  backlog(functionId: string): number {
    return this.#backlogs.get(functionId) ?? 0;
  }

  /** Adds calls to a queue. */
  addQueued(queue: string, count: number): void {
    const key = gateOfQueue(queue);
    const gate = this.#gate(key);
    gate.queued += count;
    add(gate.queues, queue, count);
    if (!gate.queues.has(queue)) gate.passesBefore.delete(queue);
    else if (!gate.passesBefore.has(queue)) gate.passesBefore.set(queue, gate.passes);
    add(this.#backlogs, functionOfQueue(queue), count);
    this.#dropIfIdle(key, gate);
  }

  /**
   * Ids of runs that have places at a gate, at most `limit`. Looks at every run in memory: for
   * people, never for deciding.
   */
  holders(gate: string, limit: number): readonly string[] {
    const ids: string[] = [];
    for (const hot of this.#runs.values()) {
      if (ids.length >= limit) break;
      if (hot !== null && this.#hasPlace(hot, gate)) ids.push(hot.run.id);
    }
    return ids;
  }

  #hasPlace(hot: HotRun, gate: string): boolean {
    return [...hot.jobs.values()].some((job) =>
      placedGates(hot.run, job, this.#epoch).includes(gate),
    );
  }

  /** Takes in what the store said, unless memory knows better. */
  absorb(runId: string, stored: StoredRun | null): void {
    if (this.#runs.has(runId)) return;
    if (stored === null) {
      this.#runs.set(runId, null);
      this.#absent.set(runId, 0);
      return;
    }
    const hot = new HotRun(stored.run, stored.events);
    for (const step of stored.steps) hot.addStep(step);
    for (const defer of stored.defers) hot.defers.set(defer.id, defer);
    for (const job of stored.jobs) {
      hot.jobs.set(job.id, job);
      // Queued calls were counted at boot. A place of this epoch is met here only after the hot
      // state was made anew; an older lease has none: it is on its way to `call.lost`.
      this.#countPlaces(hot, undefined, job);
    }
    this.#runs.set(runId, hot);
    this.#settle(hot);
  }

  /** Whether nothing has to be loaded to know the metadata of a run. */
  knowsMetadata(runId: string): boolean {
    const hot = this.#runs.get(runId);
    return hot === null || (hot !== undefined && hot.metadata !== null);
  }

  /** Takes in what the store said, unless memory knows better or the run is not there. */
  absorbMetadata(runId: string, records: readonly MetadataRecord[]): void {
    const hot = this.#runs.get(runId);
    if (hot) hot.metadata ??= new RunMetadata(records);
  }

  putMetadata(record: MetadataRecord, batch: number): void {
    this.#metadataOf(record.runId, batch).put(record);
  }

  deleteMetadata(runId: string, place: MetadataPlace, batch: number): void {
    this.#metadataOf(runId, batch).delete(place);
  }

  #metadataOf(runId: string, batch: number): RunMetadata {
    const hot = this.#mustGet(runId);
    if (hot.metadata === null) throw new Error(`metadata of run ${runId} was not loaded`);
    hot.batch = batch;
    return hot.metadata;
  }

  /** `eventOf` finds an event that was received lately. */
  putRun(run: RunRecord, batch: number, eventOf: (id: string) => EventRecord): void {
    let hot = this.#runs.get(run.id);
    if (hot === undefined || hot === null) {
      const isSoughtInVain = hot === null;
      hot = new HotRun(run, this.#eventsOf(run, eventOf));
      if (isSoughtInVain) hot.metadata = new RunMetadata([]);
      this.#runs.set(run.id, hot);
      this.#absent.delete(run.id);
    } else if (!sameIds(hot.run.eventIds, run.eventIds)) {
      const known = new Map(hot.events.map((event) => [event.id, event]));
      hot.events = run.eventIds.map((id) => known.get(id) ?? eventOf(id));
    }
    hot.run = run;
    hot.batch = batch;
    this.#settle(hot);
  }

  /** A run that repeats another has its events, which may have arrived long ago. */
  #eventsOf(run: RunRecord, eventOf: (id: string) => EventRecord): readonly EventRecord[] {
    const original = run.originalRunId === null ? undefined : this.get(run.originalRunId);
    if (original !== undefined && sameIds(original.run.eventIds, run.eventIds))
      return original.events;
    return run.eventIds.map(eventOf);
  }

  putStep(runId: string, step: StepRecord, batch: number): void {
    const hot = this.#mustGet(runId);
    hot.addStep(step);
    hot.batch = batch;
  }

  putDefer(runId: string, defer: DeferRecord, batch: number): void {
    const hot = this.#mustGet(runId);
    hot.defers.set(defer.id, defer);
    hot.batch = batch;
  }

  putJob(job: Job, batch: number): void {
    const hot = this.#mustGet(job.runId);
    this.#count(hot, hot.jobs.get(job.id), job);
    hot.jobs.set(job.id, job);
    hot.batch = batch;
    this.#settle(hot);
  }

  deleteJob(runId: string, jobId: string, batch: number): void {
    const hot = this.#mustGet(runId);
    this.#count(hot, hot.jobs.get(jobId), undefined);
    hot.jobs.delete(jobId);
    hot.batch = batch;
    this.#settle(hot);
  }

  delete(runId: string, batch: number): void {
    const hot = this.#runs.get(runId);
    if (hot) this.#unsettle(hot);
    this.#runs.set(runId, null);
    this.#absent.set(runId, batch);
  }

  evict(committedBatch: number): void {
    for (const [runId, batch] of this.#absent) {
      // Until its deletion is committed, the store still has it.
      if (batch > committedBatch) continue;
      this.#runs.delete(runId);
      this.#absent.delete(runId);
    }
    for (const hot of this.#ended) this.#drop(hot, committedBatch);
    // Walked only while there are too many, from the oldest on.
    for (const hot of this.#parked) {
      if (this.#parked.size <= parkedRunsMax) break;
      this.#drop(hot, committedBatch);
    }
  }

  #drop(hot: HotRun, committedBatch: number): void {
    if (hot.batch > committedBatch) return;
    this.#unsettle(hot);
    this.#runs.delete(hot.run.id);
  }

  #count(hot: HotRun, before: Job | undefined, after: Job | undefined): void {
    this.#countPlaces(hot, before, after);
    this.#countPasses(hot, before, after);
    const from = queueOfJob(before);
    const to = queueOfJob(after);
    if (from === to) return;
    if (from !== null) this.addQueued(from, -1);
    // A call that is no more, cancelled for instance, was no turn.
    if (from !== null && after !== undefined) this.#hadTurn(from);
    if (to !== null) this.addQueued(to, 1);
  }

  #countPasses({ run }: HotRun, before: Job | undefined, after: Job | undefined): void {
    const had = placesOf(run, before, this.#epoch);
    if (placesOf(run, after, this.#epoch) <= had) return;
    for (const key of placedGates(run, after, this.#epoch).slice(had)) this.#gate(key).passes++;
  }

  /** A call has left a queue: those that are left wait anew, behind other queues. */
  #hadTurn(queue: string): void {
    const gate = this.#gates.get(gateOfQueue(queue));
    const count = gate?.queues.get(queue);
    if (gate === undefined || count === undefined) return;
    gate.queues.delete(queue);
    gate.queues.set(queue, count);
    gate.passesBefore.set(queue, gate.passes);
  }

  #countPlaces(hot: HotRun, before: Job | undefined, after: Job | undefined): void {
    const { run } = hot;
    const from = placedGates(run, before, this.#epoch);
    const to = placedGates(run, after, this.#epoch);
    hot.placed += Number(to.length > 0) - Number(from.length > 0);
    this.#addPlaces(to, 1);
    for (const gate of keptGates(run, after, this.#epoch))
      add(this.#gate(gate).keepers, run.functionId, 1);
    for (const gate of keptGates(run, before, this.#epoch))
      add(this.#gate(gate).keepers, run.functionId, -1);
    this.#addPlaces(from, -1);
  }

  #addPlaces(gates: readonly string[], delta: number): void {
    for (const key of gates) {
      const gate = this.#gate(key);
      gate.inFlight += delta;
      this.#dropIfIdle(key, gate);
    }
  }

  /** Keys have many values: only those in use are in memory. */
  #dropIfIdle(key: string, gate: Gate): void {
    if (gate.inFlight === 0 && gate.queued === 0) this.#gates.delete(key);
  }

  #settle(hot: HotRun): void {
    if (hasEnded(hot.run.status)) {
      this.#parked.delete(hot);
      this.#ended.add(hot);
    } else if (hot.placed === 0) {
      this.#parked.add(hot);
    } else {
      this.#parked.delete(hot);
    }
  }

  #unsettle(hot: HotRun): void {
    this.#ended.delete(hot);
    this.#parked.delete(hot);
  }

  #gate(key: string): Gate {
    let gate = this.#gates.get(key);
    if (gate === undefined) {
      gate = {
        inFlight: 0,
        queued: 0,
        queues: new Map(),
        keepers: new Map(),
        passes: 0,
        passesBefore: new Map(),
      };
      this.#gates.set(key, gate);
    }
    return gate;
  }

  #mustGet(runId: string): HotRun {
    const hot = this.#runs.get(runId);
    if (!hot) throw new Error(`run ${runId} was changed without being in memory`);
    return hot;
  }
}

const emptyGate: GateView = { inFlight: 0, queued: 0 };

const none: ReadonlyMap<string, number> = new Map();

function queueOfJob(job: Job | undefined): string | null {
  return job?.kind === "call" && job.state.at === "queued" ? job.state.gate : null;
}

function sameIds(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((id, i) => id === b[i]));
}

/** Adds to a count; entries with 0 go. */
function add(counts: Map<string, number>, key: string, delta: number): void {
  const count = (counts.get(key) ?? 0) + delta;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
