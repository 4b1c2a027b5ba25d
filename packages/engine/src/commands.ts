// Everything that can happen to the system. A command carries its own time and randomness, so
// that deciding it is a function of the state and the command alone.
import type { Answer } from "@pawl/protocol/answer";
import type { JsonText } from "@pawl/protocol/json-text";
import type { Opcode } from "@pawl/protocol/opcode";
import type {
  AppRecord,
  EventRecord,
  FunctionRecord,
  RetainedKind,
  RunLimits,
  OnCancel,
  RunParent,
  WaitKey,
  WaitPathRecord,
  WaitPosition,
} from "./records.ts";
import type { BulkCommand } from "./bulk-commands.ts";
import type { SpansReceived } from "./span-commands.ts";
import type { CommandBase, Seed } from "./command-base.ts";
import type { EndpointCommand } from "./endpoint-commands.ts";
import type { TargetedUpdate } from "./metadata-records.ts";
import type { RunOrigin, ScheduleDefinition } from "./schedule-records.ts";

/** An app registered. `functions` are complete but for what the engine keeps. */
export interface AppSynced extends CommandBase {
  readonly type: "app.synced";
  readonly app: Omit<AppRecord, "functions" | "away" | "error" | "createdAt" | "updatedAt">;
  readonly functions: readonly Omit<FunctionRecord, "version" | "appId" | "pausedAt" | "limits">[];
}

export interface AppRemoved extends CommandBase {
  readonly type: "app.removed";
  readonly appId: string;
}

/** A sync did not succeed: the app is kept (or made, as a placeholder) with the reason. */
export interface AppSyncFailed extends CommandBase {
  readonly type: "app.syncFailed";
  readonly appId: string;
  readonly url: string;
  readonly error: string;
}

export interface EventsReceived extends CommandBase {
  readonly type: "events.received";
  readonly events: readonly EventRecord[];
  /** The ids come from the sender's seed: the same ids again are the same events, sent again. */
  readonly resendable: boolean;
}

export interface CallAnswered extends CommandBase {
  readonly type: "call.answered";
  readonly runId: string;
  readonly jobId: string;
  readonly generation: number;
  /** When the driver sent the request. */
  readonly sentAt: number;
  readonly answer: Answer;
}

/** A call will bring no answer: its process died or its lease ran out. Not a failed attempt. */
export interface CallLost extends CommandBase {
  readonly type: "call.lost";
  readonly runId: string;
  readonly jobId: string;
  readonly generation: number;
}

export interface CheckpointReceived extends CommandBase {
  readonly type: "checkpoint.received";
  readonly runId: string;
  /** The job that the app believes it is answering; null when it did not say. */
  readonly jobId: string | null;
  /** The dispatch id that the app was called with; null when it did not say. */
  readonly requestId: string | null;
  readonly opcodes: readonly Opcode[];
}

/** The time of a job has come: start, backoff, sleep, timeout of a wait or of an invoke. */
export interface TimerDue extends CommandBase {
  readonly type: "timer.due";
  readonly runId: string;
  readonly jobId: string;
}

/** The time of a schedule's next tick has come. */
export interface ScheduleDue extends CommandBase {
  readonly type: "schedule.due";
  readonly scheduleId: string;
}

interface OneSchedule extends CommandBase {
  /** Id of the record of a runtime schedule. */
  readonly scheduleId: string;
}

/** People make a schedule, or say anew what it is. */
export interface ScheduleSet extends OneSchedule {
  readonly type: "schedule.set";
  readonly definition: ScheduleDefinition;
  /** Null: a new one goes on, one that is there stays as it is. */
  readonly paused: boolean | null;
  /** Refused when there is one with this id. */
  readonly onlyNew: boolean;
}

/** People change parts of a schedule. */
export interface ScheduleChanged extends OneSchedule {
  readonly type: "schedule.changed";
  readonly patch: Partial<ScheduleDefinition>;
}

export interface ScheduleRemoved extends OneSchedule {
  readonly type: "schedule.removed";
}

export interface SchedulePaused extends OneSchedule {
  readonly type: "schedule.paused";
  readonly reason: string | null;
}

/** The schedule goes on; ticks missed meanwhile are those of its catch-up. */
export interface ScheduleResumed extends OneSchedule {
  readonly type: "schedule.resumed";
}

/** People want a start now, whatever the time; overlap holds. */
export interface ScheduleTriggered extends OneSchedule {
  readonly type: "schedule.triggered";
}

/** A run that the schedule started has ended. */
export interface ScheduleRunEnded extends OneSchedule {
  readonly type: "schedule.runEnded";
  readonly runId: string;
}

/** A gate has room and this call is next in its queue. */
export interface CallAdmitted extends CommandBase {
  readonly type: "call.admitted";
  readonly runId: string;
  readonly jobId: string;
}

/** An event matched a wait, or a branch of a step that waits for several events. */
export interface WaitMatched extends CommandBase {
  readonly type: "wait.matched";
  readonly runId: string;
  readonly jobId: string;
  readonly event: EventRecord;
}

/** More waits may match an event than one decision takes: go on behind `after`. */
export interface WaitsContinued extends CommandBase {
  readonly type: "waits.continued";
  readonly event: EventRecord;
  readonly key: WaitKey | null;
  readonly after: WaitPosition;
}

/** Somebody sends a signal to the run that waits for it. */
export interface SignalSent extends CommandBase {
  readonly type: "signal.sent";
  readonly signal: string;
  readonly data: JsonText;
  /** The sidecar of the `pawl` SDK about `{signal, data}` (VALUES.md of the SDK); null: none. */
  readonly types: JsonText | null;
  /** Sent again under the same id within 24 h it is answered as before and resumes nothing. */
  readonly id: string | null;
}

/** Start a function by name: from a step of a run, or from the API. */
export interface RunInvoked extends CommandBase {
  readonly type: "run.invoked";
  readonly functionSlug: string;
  /** The id that the new run gets, chosen by whoever waits for it; null for a fresh one. */
  readonly newRunId: string | null;
  readonly event: EventRecord;
  readonly parent: RunParent | null;
  /** The event's own id names the invocation: the same again starts nothing, for `idempotencyMs`. */
  readonly once?: boolean;
}

/** Start a function by its trigger, in the shard of its gate (`flow/placement.ts`). */
export interface RunTriggered extends CommandBase {
  readonly type: "run.triggered";
  /** The key of the gate that decides the start. */
  readonly gate: string;
  readonly functionId: string;
  readonly event: EventRecord;
  /** The tick, and the id under which its schedule knows the run. */
  readonly origin?: RunOrigin & { readonly runId: string };
}

/** A run that somebody waits for has ended. */
export interface ChildEnded extends CommandBase {
  readonly type: "child.ended";
  readonly runId: string;
  readonly jobId: string;
  readonly childRunId: string;
  /** The memo of the invoke step: `{"data": …}` or `{"error": …}`. */
  readonly memo: JsonText;
  readonly failed: boolean;
}

/** An invocation joined a run that was there: that is the one its invoker waits for. */
export interface ChildJoined extends CommandBase {
  readonly type: "child.joined";
  readonly runId: string;
  readonly jobId: string;
  readonly childRunId: string;
  readonly onCancel: OnCancel;
}

/** A run that invoked this one was cancelled. */
export interface ParentCancelled extends CommandBase {
  readonly type: "parent.cancelled";
  /** The invoked run, by the id that its invoker knows. */
  readonly runId: string;
  readonly parentRunId: string;
  /** The invoke step. */
  readonly jobId: string;
  /** Why the first of the chain was cancelled. */
  readonly cause: string;
}

/** Where a repeated run sets in. */
export interface FromStep {
  /** The hashed id of a finished step, or the id as its author wrote it. */
  readonly stepId: string;
  /** Arguments instead of its own: an array of them, or the only one. Null: its own. */
  readonly input: JsonText | null;
}

/** Somebody starts an ended run again. */
export interface RunRerun extends CommandBase {
  readonly type: "run.rerun";
  readonly runId: string;
  /**
   * What the id of the new run is made of: a second command with the same does nothing. Null: the
   * command's own time and seed.
   */
  readonly newRun: { readonly at: number; readonly seed: Seed } | null;
  /** Null: from the beginning. */
  readonly fromStep: FromStep | null;
  /** The key of the gate that decides the start, where that lies in another shard; null: asked first. */
  readonly gate: string | null;
}

export interface RunCancelled extends CommandBase {
  readonly type: "run.cancelled";
  readonly runId: string;
  readonly reason: string;
}

/** Somebody notes something about a run, its steps, attempts or spans. All of it is kept, or none. */
export interface MetadataReceived extends CommandBase {
  readonly type: "metadata.received";
  readonly runId: string;
  readonly updates: readonly TargetedUpdate[];
}

/** People hold a function: first calls of its runs wait until it is resumed. */
export interface FunctionPaused extends CommandBase {
  readonly type: "function.paused";
  readonly functionId: string;
}

export interface FunctionResumed extends CommandBase {
  readonly type: "function.resumed";
  readonly functionId: string;
}

/** Sets one limit of a function's runs in place of the setting's; null: the setting's again. */
export interface FunctionLimited extends CommandBase {
  readonly type: "function.limited";
  readonly functionId: string;
  readonly limit: keyof RunLimits;
  readonly value: number | null;
}

/** `pawl doctor --fix`: give an unfinished run that waits for nothing its next wake-up. */
export interface RunRepaired extends CommandBase {
  readonly type: "run.repaired";
  readonly runId: string;
}

/** People want to search events by these paths: index them from now on. */
export interface PathsIndexed extends CommandBase {
  readonly type: "paths.indexed";
  /** As `formatPath` writes them; known ones change nothing. */
  readonly paths: readonly Pick<WaitPathRecord, "event" | "path">[];
}

/**
 * How much of a kind is kept. Of what is not needed, the oldest goes first: all that ended (events:
 * arrived) before `before`, and of what did before `spareFrom` as much as count or bytes are beyond
 * their limits.
 */
export interface RetentionBound {
  readonly of: RetainedKind;
  /** Ms since the epoch; 0: age is no reason. */
  readonly before: number;
  readonly spareFrom: number;
  /** Null: any. */
  readonly countMax: number | null;
  readonly bytesMax: number | null;
}

/**
 * Forget what is beyond the bounds, and idempotency keys and rates that no longer hold. Of each
 * at most `limit` records, and `limitBytes` of payload: a run counts with its steps, attempts and
 * output. One that is larger than a step is retired first, which takes it out of every list, and
 * then loses its parts in steps of that size.
 */
export interface RetentionDue extends CommandBase {
  readonly type: "retention.due";
  readonly bounds: readonly RetentionBound[];
  readonly limit: number;
  readonly limitBytes: number;
}

export type Command =
  | AppSynced
  | AppRemoved
  | AppSyncFailed
  | EventsReceived
  | CallAnswered
  | CallLost
  | CheckpointReceived
  | TimerDue
  | ScheduleDue
  | ScheduleSet
  | ScheduleChanged
  | ScheduleRemoved
  | SchedulePaused
  | ScheduleResumed
  | ScheduleTriggered
  | ScheduleRunEnded
  | CallAdmitted
  | WaitMatched
  | WaitsContinued
  | SignalSent
  | RunInvoked
  | RunTriggered
  | ChildEnded
  | ChildJoined
  | ParentCancelled
  | RunCancelled
  | MetadataReceived
  | RunRerun
  | BulkCommand
  | SpansReceived
  | EndpointCommand
  | FunctionPaused
  | FunctionResumed
  | FunctionLimited
  | RunRepaired
  | PathsIndexed
  | RetentionDue;

export type CommandType = Command["type"];

/**
 * A command for another entity. If its shard is owned here it is taken in the same commit, or put off
 * to a later one as mail; else it is mail for the owner of the shard.
 */
export type Message = Extract<
  Command,
  {
    type:
      | "events.received"
      | "wait.matched"
      | "waits.continued"
      | "run.invoked"
      | "run.triggered"
      | "child.ended"
      | "child.joined"
      | "parent.cancelled"
      | "run.rerun"
      | "run.cancelled"
      | "call.admitted"
      | "schedule.runEnded";
  }
>;
