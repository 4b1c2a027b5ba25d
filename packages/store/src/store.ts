// The seam between Pawl and a database: eight methods over data, none over intent. A store
// persists decisions and never takes them. Every implementation runs `contract.ts`.
import type { Change } from "@pawl/engine/changes";
import type { Message, RetentionBound } from "@pawl/engine/commands";
import type { Found, Need } from "@pawl/engine/needs";
import type {
  AppRecord,
  AttemptRecord,
  EventRecord,
  RetainedKind,
  RunRecord,
  RunStatus,
  WaitPathRecord,
} from "@pawl/engine/records";
import type { BulkRecord } from "@pawl/engine/bulk-records";
import type { ScheduleRecord } from "@pawl/engine/schedule-records";
import type { UserSpan } from "@pawl/engine/user-spans";
import type { JsonText } from "@pawl/protocol/json-text";
import type { Usage } from "./retained.ts";

/** Proof of ownership that every commit carries: a store refuses a fence older than its own. */
export interface Fence {
  readonly epoch: number;
}

/**
 * Only what lies in these shards; null: in any. A job lies in the shard of its run, every schedule
 * in that of the apps, a message in that of the mailbox it was put into.
 */
interface InShards {
  readonly shards: readonly number[] | null;
}

/** What is waiting to be done. */
export type DueQuery = InShards &
  (
    | /**
       * Jobs whose time is at or before `until`, earliest first: delayed calls, sleeps, timeouts.
       * Of the same ms by run; of one run in any order.
       */
      { readonly kind: "timers"; readonly until: number; readonly limit: number }
    /** Schedules that are due at or before `until`, earliest first; of the same ms by id. */
    | { readonly kind: "schedules"; readonly until: number; readonly limit: number }
    /** Calls in the queue of a gate, longest waiting first; ties as with timers. */
    | { readonly kind: "queue"; readonly gate: string; readonly limit: number }
    /** Calls leased by an epoch before this one: their process is gone. In order of position. */
    | { readonly kind: "lost"; readonly epoch: number; readonly limit: number }
    /** Messages in mailboxes, in the order in which their ids were first written. */
    | { readonly kind: "mail"; readonly limit: number }
  );

export interface DueJob {
  readonly runId: string;
  readonly jobId: string;
  /** Due time of a timer, `since` in a queue, end of the lease of a lost call. */
  readonly dueAt: number;
  /** Generation of a call, 0 for others. */
  readonly generation: number;
}

export interface DueSchedule {
  readonly scheduleId: string;
  readonly dueAt: number;
}

export interface DueMail {
  readonly mailId: string;
  readonly message: Message;
}

export interface DueResults {
  readonly timers: readonly DueJob[];
  readonly schedules: readonly DueSchedule[];
  readonly queue: readonly DueJob[];
  readonly lost: readonly DueJob[];
  readonly mail: readonly DueMail[];
}

/**
 * Which runs a question is about: those that pass every part. Null: any. The times are ms since the
 * epoch, `from` inclusive, `until` exclusive.
 */
export interface RunFilter {
  readonly statuses: readonly RunStatus[] | null;
  readonly functionIds: readonly string[] | null;
  readonly appIds: readonly string[] | null;
  /**
   * The time that places a run in the list. `queuedAt` is the time in the ULID of the run;
   * runs that were not started, or have not ended, are in no list by that time.
   */
  readonly by: "queuedAt" | "startedAt" | "endedAt";
  readonly from: number | null;
  readonly until: number | null;
}

/** A place in a list of runs; `at` is the run's `startedAt` or `endedAt`, and 0 in lists by id. */
export interface RunPosition {
  readonly at: number;
  readonly runId: string;
}

/** What all searches by expression have. */
interface Search {
  readonly expression: string;
  readonly at: number;
  /** Records to find, and to look at; also bounded by `searchCharsMax`. */
  readonly limit: number;
  readonly scanMax: number;
}

/**
 * Questions of people and of starting shells. Lists are newest first unless said otherwise: events
 * by `receivedAt` and then id, runs by the time they are listed by and then id. Apps, wait paths and queues come in order of their keys.
 */
export type ListQuery =
  | { readonly type: "apps" }
  | { readonly type: "waitPaths" }
  /** How many calls of runs in these shards wait in each gate's queue; null: of all. */
  | { readonly type: "queues"; readonly shards: readonly number[] | null }
  /** How many calls go before one in the queue of a gate: its place, from 0. */
  | {
      readonly type: "queueAhead";
      readonly gate: string;
      readonly since: number;
      readonly runId: string;
      readonly jobId: string;
    }
  | {
      readonly type: "events";
      readonly name: string | null;
      readonly receivedFrom: number | null;
      readonly receivedUntil: number | null;
      /** Only events behind this one in the list; if it is gone, behind the time in its id. */
      readonly before: string | null;
      readonly limit: number;
    }
  /**
   * The events of such a list for which an expression over `event` is true, looking at no more than
   * `scanMax` of them. The expression compiles; `at` is its `now()`.
   */
  | (Search & {
      readonly type: "searchEvents";
      readonly name: string | null;
      readonly receivedFrom: number | null;
      readonly receivedUntil: number | null;
      readonly before: string | null;
    })
  | { readonly type: "event"; readonly eventId: string }
  | { readonly type: "runsOfEvent"; readonly eventId: string; readonly limit: number }
  | {
      readonly type: "runs";
      readonly filter: RunFilter;
      /** Only runs behind this place in the list, whether or not its run is still there. */
      readonly behind: RunPosition | null;
      readonly oldestFirst: boolean;
      readonly limit: number;
    }
  /** The runs of such a list for which an expression over `event`, `output` and `run` is true. */
  | (Search & {
      readonly type: "searchRuns";
      readonly filter: RunFilter;
      readonly behind: RunPosition | null;
      readonly oldestFirst: boolean;
    })
  | { readonly type: "runCount"; readonly filter: RunFilter }
  /** Ids of runs that have not ended, ascending, behind `after`: for `pawl doctor`. */
  | { readonly type: "unfinished"; readonly after: string | null; readonly limit: number }
  /** Failed attempts of a run, oldest first. */
  | { readonly type: "attempts"; readonly runId: string }
  | { readonly type: "output"; readonly runId: string }
  /** Spans of user code in a run, those that began first ahead; at the same time by id. */
  | { readonly type: "userSpans"; readonly runId: string }
  /**
   * Schedules whose ids go on behind a prefix, in order of their ids, as text; behind `after`,
   * whether or not it is still there.
   */
  | {
      readonly type: "schedules";
      readonly prefix: string;
      readonly after: string | null;
      readonly limit: number;
    }
  | { readonly type: "scheduleCount"; readonly prefix: string }
  /** All bulk actions, newest first by id. */
  | { readonly type: "bulks" }
  /** How much there is of everything. Reads the whole database where it must: for `pawl doctor`. */
  | { readonly type: "sizes" }
  /** What would go, were `retention.due` to take all that is beyond each of the bounds. */
  | { readonly type: "beyond"; readonly bounds: readonly RetentionBound[] };

/** The answer to a search: complete up to `next`. */
export interface Searched<T, Place> {
  /** In the order of the list. */
  readonly found: readonly T[];
  /** Records that were looked at, found or not. */
  readonly scanned: number;
  /** The last place looked at, to go on behind it; null: the list has no more. */
  readonly next: Place | null;
}

/** How much there is of one kind, and since when. */
export interface KindSize extends Usage {
  /** When the oldest ended, arrived (events) or was queued (runs that go on), ms; null: there is none. */
  readonly oldest: number | null;
}

export interface Sizes {
  /** Records by table. */
  readonly tables: Readonly<Record<string, number>>;
  /** Bytes on disk by table, indexes included; null for a store without a disk. */
  readonly tableBytes: Readonly<Record<string, number>> | null;
  /**
   * Runs by status, and events. Bytes are those of payloads in UTF-8 and `recordBytes` for each
   * record; an ended run counts what it had when it ended, or when metadata came later; events are in no run's bytes.
   */
  readonly kinds: Readonly<Record<RunStatus | "events", KindSize>>;
  /** Bytes on disk in all, or of payloads. */
  readonly bytes: number;
  /** What of them is the log, and what is free for new records; 0 for a store without a disk. */
  readonly logBytes: number;
  readonly freeBytes: number;
}

/**
 * What a starting server asks, once each and before anything else: a store answers these without
 * getting ready for the questions of people.
 */
export const startQuestions = [
  "apps",
  "waitPaths",
  "queues",
  "scheduleCount",
  "bulks",
] as const satisfies readonly ListQuery["type"][];

export interface ListResults {
  readonly apps: readonly AppRecord[];
  readonly waitPaths: readonly WaitPathRecord[];
  readonly queues: readonly { readonly gate: string; readonly queued: number }[];
  readonly queueAhead: number;
  readonly events: readonly EventRecord[];
  readonly searchEvents: Searched<EventRecord, string>;
  readonly searchRuns: Searched<RunRecord, RunPosition>;
  readonly event: EventRecord | null;
  readonly runsOfEvent: readonly RunRecord[];
  readonly runs: readonly RunRecord[];
  readonly runCount: number;
  readonly unfinished: readonly string[];
  readonly attempts: readonly AttemptRecord[];
  readonly output: JsonText | null;
  readonly userSpans: readonly UserSpan[];
  readonly schedules: readonly ScheduleRecord[];
  readonly scheduleCount: number;
  readonly bulks: readonly BulkRecord[];
  readonly sizes: Sizes;
  readonly beyond: readonly (Usage & { readonly of: RetainedKind })[];
}

export interface Store {
  /**
   * Makes the database ready (creates it, migrates it) and takes ownership: the new epoch is one
   * above every earlier one. Rejects with a `StoreError`; nothing is half open then.
   */
  open(): Promise<Fence>;
  /**
   * Answers each need, in order. Sees every commit that was acknowledged before the call. Waits
   * are in order of run and then job, as text; jobs and metadata of a run in any order.
   */
  load(needs: readonly Need[]): Promise<readonly Found[]>;
  /**
   * Writes the changes, in order, all or none, synced to disk when the promise resolves. Rejects
   * with a `StoreError`; after any but `store_damaged`, `store_fenced` and `store_closed` the next
   * commit may be tried. Strings must be well-formed Unicode: a lone surrogate may come back as
   * U+FFFD.
   */
  commit(changes: readonly Change[], fence: Fence): Promise<void>;
  due<K extends DueQuery["kind"]>(query: Extract<DueQuery, { kind: K }>): Promise<DueResults[K]>;
  list<T extends ListQuery["type"]>(
    query: Extract<ListQuery, { type: T }>,
  ): Promise<ListResults[T]>;
  /** Calls the listener with the changes of each commit of this store, after it. Returns how to stop. */
  watch(listener: (changes: readonly Change[]) => void): () => void;
  /** Waits for what is under way and lets go. Safe to call twice. */
  close(): Promise<void>;
}
