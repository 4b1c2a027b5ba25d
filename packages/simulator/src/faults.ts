// What may go wrong, and the luck that decides when. Every fault that happens is counted, so that
// a test can prove that the simulation met each kind.
import type { Agenda } from "./agenda.ts";
import { Dice } from "./dice.ts";
import type { SimulationLog } from "./simulation-log.ts";

/** Every kind of fault. */
export const faultKinds = [
  /** A call never reaches the app. */
  "callLost",
  /** The app gets a call twice. */
  "callRepeated",
  /** The app worked, but its answer is lost. */
  "answerLost",
  /** The server gave up the call; the answer comes afterwards, by another way. */
  "answerLate",
  /** An answer takes its time, and others pass it. */
  "answerSlow",
  /** An answer comes twice. */
  "answerRepeated",
  /** The app dies in the middle of a call, before or after it ran a step. */
  "appCrashed",
  /** The app never answers. */
  "appHung",
  /** A checkpoint does not reach the server. */
  "checkpointLost",
  /** The server took a checkpoint, but the app does not hear of it. */
  "checkpointUnanswered",
  /** A checkpoint reaches the server twice. */
  "checkpointRepeated",
  /** A request with events does not reach the server. */
  "sendLost",
  /** The server took the events, but the sender does not hear of it and sends them again. */
  "sendUnanswered",
  /** A commit fails and nothing was written. */
  "commitRefused",
  /** A commit is reported as failed although it was written. */
  "commitUnacknowledged",
  /** A commit takes long. */
  "commitSlow",
  /** Reading from the store fails. */
  "readFailed",
  /** The process is gone before a commit is written. */
  "crashBeforeCommit",
  /** The process is gone while a commit is on its way to the disk. */
  "crashInCommit",
  /** The process is gone after a commit was written, before anything followed from it. */
  "crashAfterCommit",
  /** The process is gone while it reads, in recovery as well. */
  "crashWhileReading",
  /** The process is gone among the effects of one commit: some calls are sent, others not. */
  "crashWhileSending",
  /** The process is gone while it waits. */
  "crashWhileIdle",
  /** A process is taken for dead, replaced, and goes on none the less. */
  "processIsolated",
  /** The system's clock is set forward. */
  "clockForward",
  /** The system's clock is set back. */
  "clockBack",
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** Probability of each kind, each time that it could happen; absent: never. */
export type FaultPlan = Partial<Record<FaultKind, number>>;

export interface FaultLimits {
  /** Faults in all, after which nothing goes wrong any more. */
  readonly faultsMax: number;
  /** Virtual ms from the beginning, after which nothing goes wrong any more. */
  readonly untilMs: number;
}

export class Faults {
  readonly counts = new Map<FaultKind, number>();
  readonly #plan: FaultPlan;
  readonly #limits: FaultLimits;
  readonly #dice = new Map<FaultKind, Dice>();
  readonly #agenda: Agenda;
  readonly #log: SimulationLog;
  #total = 0;
  #ended = false;

  constructor(
    seed: number,
    plan: FaultPlan,
    limits: FaultLimits,
    world: { agenda: Agenda; log: SimulationLog },
  ) {
    this.#plan = plan;
    this.#limits = limits;
    this.#agenda = world.agenda;
    this.#log = world.log;
    for (const kind of faultKinds) this.#dice.set(kind, new Dice(seed, kind));
  }

  /** Nothing can go wrong in this scenario at all. */
  get areNone(): boolean {
    return Object.keys(this.#plan).length === 0;
  }

  /** How many there were. */
  get happened(): number {
    return this.#total;
  }

  /** The time of faults is over. */
  get areOver(): boolean {
    return (
      this.#ended ||
      this.#agenda.elapsedMs >= this.#limits.untilMs ||
      this.#total >= this.#limits.faultsMax
    );
  }

  /** From now on nothing goes wrong. */
  end(): void {
    this.#ended = true;
  }

  /** Whether this goes wrong now. A yes is counted: the caller must make it happen. */
  strikes(kind: FaultKind, where: string): boolean {
    const probability = this.#plan[kind];
    if (probability === undefined || this.areOver) return false;
    if (this.#dice.get(kind)?.chance(probability) !== true) return false;
    this.#total++;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#log.write(`fault ${kind}: ${where}`);
    return true;
  }

  /** An integer in [min, max] for the details of a fault. */
  amount(kind: FaultKind, min: number, max: number): number {
    return this.#dice.get(kind)?.between(min, max) ?? min;
  }
}
