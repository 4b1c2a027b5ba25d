// Judges signals: a name has one waiter at most, who is the one that gets it; each sending is given
// to one step at most; whoever waits is found; names are freed when their wait ends.
import type { GateRecord, StepRecord } from "@pawl/engine/records";
import { stepsOf, type StepNode } from "../app/program.ts";
import type { Mirror, RunMirror } from "./mirror.ts";
import type { Accuse } from "./violation.ts";
import type { WitnessClock } from "./waits.ts";

type SignalNode = Extract<StepNode, { kind: "signal" }>;
type Holder = Extract<GateRecord, { kind: "signal" }>;

export class SignalJudge {
  readonly #mirror: Mirror;
  readonly #clock: WitnessClock;
  readonly #accuse: Accuse;
  /** By signal. */
  readonly #holders = new Map<string, Holder>();
  /** Whoever held a name at some time of this commit, by run and job. */
  readonly #heldNow = new Set<string>();
  /** Waits whose name others have taken over, by run and job. */
  readonly #replaced = new Set<string>();
  /** The run that got each sending. */
  readonly #given = new Map<number, string>();

  constructor(mirror: Mirror, clock: WitnessClock, accuse: Accuse) {
    this.#mirror = mirror;
    this.#clock = clock;
    this.#accuse = accuse;
  }

  holderOf(signal: string): Holder | undefined {
    return this.#holders.get(signal);
  }

  /** A record of flow control is written. */
  held(gate: GateRecord): void {
    if (gate.kind !== "signal") return;
    const signal = signalOf(gate.key);
    const before = this.#holders.get(signal);
    if (before !== undefined) {
      if (this.#nodeOf(gate)?.onConflict !== "replace")
        this.#accuse("signal-broken", `${nameOf(gate)} took signal ${signal} of ${nameOf(before)}`);
      this.#replaced.add(nameOf(before));
    }
    this.#holders.set(signal, gate);
    this.#heldNow.add(nameOf(gate));
  }

  freed(key: string): void {
    this.#holders.delete(signalOf(key));
  }

  /** A step that waits for a signal is recorded. */
  concluded(run: RunMirror, node: SignalNode, step: StepRecord): void {
    const where = `step ${node.id} of run ${run.run.id}`;
    const job = run.jobs.get(step.id);
    if (step.memo === "null") {
      if (job?.kind !== "signal" || this.#clock.latest() < job.dueAt)
        this.#accuse("signal-broken", `${where} timed out early`);
      return;
    }
    // proof: what the server writes; anything else is accused by its parts
    const { data } = JSON.parse(step.memo) as { data?: { signal?: unknown; data?: unknown } };
    const number = Number(data?.data);
    if (data?.signal !== node.signal || !Number.isInteger(number))
      this.#accuse("memo-unexplained", `${where} became ${step.memo}`);
    if (!this.#heldNow.has(`${run.run.id}/${step.id}`))
      this.#accuse("signal-broken", `${where} got signal ${node.signal} without holding its name`);
    const other = this.#given.get(number);
    if (other !== undefined)
      this.#accuse("signal-broken", `${where} and run ${other} both got sending ${number}`);
    this.#given.set(number, run.run.id);
  }

  /** A run ended: if by a conflict, somebody must have held the name. */
  ended(runId: string, output: string): void {
    // Not in the outputs of others, which may tell of it: only as what the run itself failed with.
    const { error } = JSON.parse(output) as { error?: { code?: unknown } }; // proof: outputs are so
    if (error?.code !== "signal_conflict") return;
    const run = this.#mirror.runs.get(runId);
    const wanted = [...(run === undefined ? [] : stepsOf(run.program).values())].filter(
      (node): node is SignalNode => node.kind === "signal" && node.onConflict === "fail",
    );
    const held = [...this.#heldNow].some((name) =>
      wanted.some(({ signal }) => this.#nodeNamed(name)?.signal === signal),
    );
    if (!held) this.#accuse("signal-broken", `run ${runId} failed for a name that nobody held`);
  }

  /** The server said that a run got the sending. */
  taken(number: number, runId: string): void {
    const given = this.#given.get(number);
    if (given !== runId)
      this.#accuse("acknowledged-lost", `sending ${number} went to ${given}, not to ${runId}`);
  }

  /** The server said that nobody waits. `before`: who did when it was asked. */
  inVain(signal: string, number: number, before: Holder | undefined): void {
    if (this.#given.has(number))
      this.#accuse("signal-broken", `sending ${number} was given, and then said not to be`);
    const holder = this.#holders.get(signal);
    if (holder === undefined || before === undefined || nameOf(holder) !== nameOf(before)) return;
    const job = this.#mirror.runs.get(holder.runId)?.jobs.get(holder.jobId);
    if (job?.kind === "signal" && this.#clock.latest() < job.dueAt)
      this.#accuse("signal-broken", `${nameOf(holder)} waits for ${signal}, but was not found`);
  }

  /** A commit is complete: names and waits say the same. */
  settle(): void {
    this.#heldNow.clear();
    const holding = new Set<string>();
    for (const [signal, holder] of this.#holders) {
      const job = this.#mirror.runs.get(holder.runId)?.jobs.get(holder.jobId);
      if (job?.kind !== "signal" || job.signal !== signal)
        this.#accuse("signal-broken", `${nameOf(holder)} holds signal ${signal} and does not wait`);
      holding.add(nameOf(holder));
      this.#heldNow.add(nameOf(holder));
    }
    for (const { run, jobs } of this.#mirror.runs.values()) {
      for (const job of jobs.values()) {
        const name = `${run.id}/${job.id}`;
        if (job.kind !== "signal" || holding.has(name) || this.#replaced.has(name)) continue;
        this.#accuse("signal-broken", `${name} waits for a signal without holding its name`);
      }
    }
  }

  #nodeOf({ runId, jobId }: Holder): SignalNode | undefined {
    return this.#nodeNamed(`${runId}/${jobId}`);
  }

  #nodeNamed(name: string): SignalNode | undefined {
    const [runId = "", jobId = ""] = name.split("/");
    const run = this.#mirror.runs.get(runId);
    const node = run === undefined ? undefined : stepsOf(run.program).get(jobId);
    return node?.kind === "signal" ? node : undefined;
  }
}

function nameOf({ runId, jobId }: Holder): string {
  return `${runId}/${jobId}`;
}

function signalOf(key: string): string {
  return key.replace(/^signal:/, "");
}
