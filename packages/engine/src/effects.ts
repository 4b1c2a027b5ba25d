// What a shell does after a commit. Effects are hints about the committed state: each can be
// found again from the store (a leased call, a due timer, a queue), so a crash loses none.

export type Effect =
  /** Hand this leased call to a driver. Its outcome comes back as a command. */
  | {
      readonly type: "call";
      readonly runId: string;
      readonly jobId: string;
      readonly generation: number;
    }
  /** A job is due at this time. */
  | {
      readonly type: "timer";
      readonly runId: string;
      readonly jobId: string;
      readonly dueAt: number;
    }
  /** A schedule is due at this time. */
  | { readonly type: "tick"; readonly scheduleId: string; readonly dueAt: number }
  /** A gate may have room for calls that wait in its queue. */
  | { readonly type: "pull"; readonly gate: string }
  /** Stop carrying this call: its answer no longer matters. */
  | {
      readonly type: "abort";
      readonly runId: string;
      readonly jobId: string;
      readonly generation: number;
    };
