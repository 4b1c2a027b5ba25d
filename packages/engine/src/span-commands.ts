// The command of spans that apps send about their runs.
import type { CommandBase } from "./command-base.ts";
import type { UserSpan } from "./user-spans.ts";

/** Spans of one run have come, perhaps not for the first time. */
export interface SpansReceived extends CommandBase {
  readonly type: "spans.received";
  readonly runId: string;
  /** All of that run. */
  readonly spans: readonly UserSpan[];
}

/** What became of them. */
export interface SpansTaken {
  readonly taken: number;
  /** Were there already. */
  readonly repeated: number;
  readonly refused: number;
  /** Why the first was refused; null: none was. */
  readonly problem: string | null;
}
