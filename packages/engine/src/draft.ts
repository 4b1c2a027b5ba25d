// The working copy of one decision: reads fall through to the state, writes are gathered and come
// out as changes. Nothing outside is touched, so a decision that throws leaves no trace.
import type { Change } from "./changes.ts";
import type { Command, Message } from "./commands.ts";
import type { Decision, Reply } from "./decision.ts";
import type { DraftHost, NewMessage } from "./draft-host.ts";
import type { Effect } from "./effects.ts";
import { Random } from "./random.ts";
import type { EventRecord, GateRecord, Job, RunRecord } from "./records.ts";
import { roomFor } from "./flow/concurrency.ts";
import { functionOfQueue, gateOfQueue, keptGates, placedGates } from "./gate.ts";
import { RunDraft } from "./run-draft.ts";
import type { GateView, RunView, StateView } from "./state/view.ts";

export class Draft implements DraftHost {
  readonly at: number;
  readonly random: Random;
  readonly state: StateView;
  readonly #changes: Change[] = [];
  readonly #effects: Effect[] = [];
  readonly #messages: Message[] = [];
  readonly #runs = new Map<string, RunDraft | undefined>();
  /** Places taken (or given back) in this draft, by gate. */
  readonly #placed = new Map<string, number>();
  /** Of gates at which calls began or ceased to keep places, as they are now. */
  readonly #keepers = new Map<string, Map<string, number>>();
  /** Places in queues, by queue and by gate. */
  readonly #inQueue = new Map<string, number>();
  readonly #queued = new Map<string, number>();
  /** The same by function. */
  readonly #backlogs = new Map<string, number>();
  /** Idempotency keys taken in this draft, and by which run. */
  readonly #heldKeys = new Map<string, string>();
  /** Null: deleted in this draft. */
  readonly #gateRecords = new Map<string, GateRecord | null>();

  constructor(state: StateView, command: Command) {
    this.state = state;
    this.at = command.at;
    this.random = new Random(command.seed);
  }

  /** A run that is in memory; undefined when there is no such run. */
  run(runId: string): RunDraft | undefined {
    if (this.#runs.has(runId)) return this.#runs.get(runId);
    const view = this.state.run(runId);
    const run = view === undefined ? undefined : new RunDraft(this, view, false);
    this.#runs.set(runId, run);
    return run;
  }

  newRun(run: RunRecord, events: readonly EventRecord[]): RunDraft {
    const view = {
      run,
      jobs: new Map(),
      steps: new Map(),
      defers: new Map(),
      events,
      stateChars: 0,
      metadata: null,
    };
    return this.begin(view);
  }

  /** Makes a run of what it is to be at first. */
  begin(view: RunView): RunDraft {
    const draft = new RunDraft(this, view, true);
    this.#runs.set(view.run.id, draft);
    return draft;
  }

  write(change: Change): void {
    this.#changes.push(change);
  }

  effect(effect: Effect): void {
    this.#effects.push(effect);
  }

  send(message: NewMessage): void {
    this.#messages.push({ ...message, at: this.at, seed: this.random.seed() });
  }

  gate(key: string): GateView {
    const { inFlight, queued } = this.state.gate(key);
    return {
      inFlight: inFlight + (this.#placed.get(key) ?? 0),
      queued: queued + (this.#queued.get(key) ?? 0),
    };
  }

  countJob(run: RunRecord, before: Job | undefined, after: Job | undefined): void {
    const { epoch } = this.state.settings;
    for (const gate of placedGates(run, before, epoch)) add(this.#placed, gate, -1);
    for (const gate of placedGates(run, after, epoch)) add(this.#placed, gate, 1);
    for (const gate of keptGates(run, before, epoch)) this.#countKeeper(gate, run.functionId, -1);
    for (const gate of keptGates(run, after, epoch)) this.#countKeeper(gate, run.functionId, 1);
    this.#countQueue(queueOfJob(before), -1);
    this.#countQueue(queueOfJob(after), 1);
  }

  /** Calls of a function that wait in queues, those of this draft included. */
  backlog(functionId: string): number {
    return this.state.backlog(functionId) + (this.#backlogs.get(functionId) ?? 0);
  }

  keepers(gate: string): ReadonlyMap<string, number> {
    return this.#keepers.get(gate) ?? this.state.keepers(gate);
  }

  gateRecord(key: string): GateRecord | undefined {
    const own = this.#gateRecords.get(key);
    return own === undefined ? this.state.gateRecord(key) : (own ?? undefined);
  }

  /** The run that holds an idempotency key; undefined when it is free. */
  idempotency(key: string): string | undefined {
    return this.#heldKeys.get(key) ?? this.state.idempotency(key, this.at);
  }

  /** Takes an idempotency key. */
  holdKey(key: string, runId: string): void {
    this.#heldKeys.set(key, runId);
    const expiresAt = this.at + this.state.settings.idempotencyMs;
    this.write({ type: "idempotency.put", key, runId, expiresAt });
  }

  putGate(gate: GateRecord): void {
    this.#gateRecords.set(gate.key, gate);
    this.write({ type: "gate.put", gate });
  }

  deleteGate(key: string): void {
    this.#gateRecords.set(key, null);
    this.write({ type: "gate.delete", key });
  }

  decide(reply: Reply): Decision {
    for (const run of this.#runs.values()) run?.seal((change) => this.#changes.push(change));
    for (const gate of this.#gatesToPull()) this.#effects.push({ type: "pull", gate });
    return {
      changes: this.#changes,
      effects: this.#effects,
      messages: this.#messages,
      reply,
    };
  }

  done(): Decision {
    return this.decide({ ok: true, value: { type: "done" } });
  }

  /** Gates at which calls wait, and that have room since this draft or may have had before. */
  #gatesToPull(): Set<string> {
    const gates = new Set<string>();
    for (const [gate, placed] of this.#placed) {
      if (placed < 0 && this.gate(gate).queued > 0) gates.add(gate);
    }
    // Others were held to the limit of who kept a place and is out now.
    for (const [gate, keepers] of this.#keepers) {
      const isLess = [...this.state.keepers(gate).keys()].some((id) => !keepers.has(id));
      if (isLess && this.gate(gate).queued > 0) gates.add(gate);
    }
    for (const [queue, count] of this.#inQueue) {
      const gate = gateOfQueue(queue);
      if (count > 0 && roomFor(this.#counted, queue) > 0) gates.add(gate);
      // Others may have been held back for it.
      if (count < 0 && this.gate(gate).queued > 0 && this.state.longestWait(gate)?.queue === queue)
        gates.add(gate);
    }
    return gates;
  }

  /** The state with the counts of this draft. */
  get #counted() {
    return {
      settings: this.state.settings,
      functionById: (id: string) => this.state.functionById(id),
      gate: (key: string) => this.gate(key),
      queues: (key: string) => this.state.queues(key),
      longestWait: (key: string) => this.state.longestWait(key),
      keepers: (key: string) => this.keepers(key),
    };
  }

  #countKeeper(gate: string, functionId: string, delta: number): void {
    const keepers = this.#keepers.get(gate) ?? new Map(this.state.keepers(gate));
    add(keepers, functionId, delta);
    if (keepers.get(functionId) === 0) keepers.delete(functionId);
    this.#keepers.set(gate, keepers);
  }

  #countQueue(queue: string | null, delta: number): void {
    if (queue === null) return;
    add(this.#inQueue, queue, delta);
    add(this.#queued, gateOfQueue(queue), delta);
    add(this.#backlogs, functionOfQueue(queue), delta);
  }
}

function queueOfJob(job: Job | undefined): string | null {
  return job?.kind === "call" && job.state.at === "queued" ? job.state.gate : null;
}

function add(counts: Map<string, number>, key: string, delta: number): void {
  counts.set(key, (counts.get(key) ?? 0) + delta);
}
