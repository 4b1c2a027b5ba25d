// What an explanation is made from. It must not know where it was loaded from.
import type { StoredRun } from "../needs.ts";
import type { AttemptRecord } from "../records.ts";
import type { StateView } from "../state/view.ts";
import type { JsonText } from "@pawl/protocol/json-text";
import type { CallTimes } from "./explanation.ts";

/** The run and what is known about it, as the store has it. */
export interface ExplainInput {
  /** Now, ms since the epoch. */
  readonly at: number;
  readonly stored: StoredRun;
  /** Failed attempts, oldest first. */
  readonly attempts: readonly AttemptRecord[];
  /** Null while the run has not ended. */
  readonly output: JsonText | null;
  /** How many calls go before it in the same queue, for each queued call by job id. */
  readonly ahead: ReadonlyMap<string, number>;
  /** Null: no call of the function was measured yet. */
  readonly callTimes: CallTimes | null;
}

/** The state of everything that a run may wait for. */
export interface ExplainState extends Pick<
  StateView,
  "settings" | "app" | "functionById" | "gate" | "queues" | "longestWait" | "keepers"
> {
  /** Ids of runs that have places at a gate, at most `limit`. */
  holders(gate: string, limit: number): readonly string[];
}
