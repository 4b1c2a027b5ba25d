// What a run within a draft needs of the draft. It stands apart so that the two files that know
// each other import one way.
import type { Change } from "./changes.ts";
import type { Message } from "./commands.ts";
import type { Effect } from "./effects.ts";
import type { Random } from "./random.ts";
import type { GateRecord, Job, RunRecord } from "./records.ts";
import type { GateView, StateView } from "./state/view.ts";

type Unstamped<M> = M extends unknown ? Omit<M, "at" | "seed"> : never;

/** A message before the draft gave it its time and its seed. */
export type NewMessage = Unstamped<Message>;

export interface DraftHost {
  readonly at: number;
  readonly random: Random;
  readonly state: StateView;
  write(change: Change): void;
  effect(effect: Effect): void;
  /** Sends a command to another entity; it is taken in the same commit or put into a mailbox. */
  send(message: NewMessage): void;
  /** The counts of a gate with what this draft did so far. */
  gate(key: string): GateView;
  /** The same of `StateView.keepers`. */
  keepers(gate: string): ReadonlyMap<string, number>;
  /** Keeps the counts of a run's gates while jobs of this draft come, change and go. */
  countJob(run: RunRecord, before: Job | undefined, after: Job | undefined): void;
  /** What flow control remembers under a key, with what this draft wrote. */
  gateRecord(key: string): GateRecord | undefined;
  putGate(gate: GateRecord): void;
  deleteGate(key: string): void;
}
