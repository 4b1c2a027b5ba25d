// Puts the moving parts of a server together: store, commit loop, timers, gates, dispatcher. Each
// effect finds the part that performs it here. It must not know HTTP, nor what commands mean.
import type { Change } from "@pawl/engine/changes";
import type { CallTimes } from "@pawl/engine/explain/explanation";
import type { Reply } from "@pawl/engine/decision";
import type { Effect } from "@pawl/engine/effects";
import type { HotState } from "@pawl/engine/state/hot-state";
import { bulkShard, owns, retentionShard, type OwnedShards } from "@pawl/engine/shard";
import type { Settings } from "@pawl/engine/settings";
import type { DueSchedule, Fence, Store } from "@pawl/store/store";
import { Dispatcher, type DispatcherParts } from "../driver/dispatcher.ts";
import { DriverRegistry, type Driver } from "../driver/driver.ts";
import { defaultRequestOptions, type RequestOptions } from "../driver/request.ts";
import { ServerError } from "../server-error.ts";
import { bootState, rebuildState, shardList, type Rebuilt } from "./boot.ts";
import { defaultBatchLimits, type Act, type BatchLimits, type CommandInput } from "./batch.ts";
import { BulkRunner, defaultBulkLimits, type BulkLimits } from "./bulk-runner.ts";
import type { Clock } from "./clock.ts";
import { CommitLoop } from "./commit-loop.ts";
import { Gates } from "./gates.ts";
import type { Log } from "./log.ts";
import { Mailbox } from "./mailbox.ts";
import { recover } from "./recovery.ts";
import { defaultRetentionLimits, Retention, type RetentionLimits } from "./retention.ts";
import type { SeedSource } from "./seeds.ts";
import { jobTimers, scheduleTimers, type JobTimer } from "./timer-source.ts";
import { defaultTimerLimits, Timers, type TimerLimits } from "./timers.ts";

export interface RuntimeParts {
  /** Not opened yet; the runtime opens and closes it. */
  readonly store: Store;
  /** The epoch is replaced by the one that the store gives. */
  readonly settings: Settings;
  readonly drivers: readonly Driver[];
  readonly clock: Clock;
  readonly seeds: SeedSource;
  readonly log: Log;
  /** The store can no longer be written by this process; everything has stopped. */
  readonly onFatal: (error: ServerError) => void;
  /** Asked while draining, after the last commit; the store still answers. Must end by itself. */
  readonly beforeClose?: () => Promise<void>;
  readonly onCall?: DispatcherParts["onCall"];
  readonly request?: Partial<RequestOptions>;
  readonly batchLimits?: Partial<BatchLimits>;
  readonly timerLimits?: Partial<TimerLimits>;
  readonly retention?: Partial<RetentionLimits>;
  readonly bulkLimits?: Partial<BulkLimits>;
  /** Commands from outside that may wait to be decided. */
  readonly waitingMax?: number;
  /** The shards that this process owns, for as long as it lives; all of them when absent. */
  readonly owned?: OwnedShards;
  /** A commit put a message into the mailbox of a shard of another process. */
  readonly mailed?: (shard: number) => void;
}

const waitingMaxDefault = 4_096;
/** How often the mailboxes are looked at, should nobody say that there is mail. */
const mailPollMs = 1_000;
/** How long the last commits may take once the grace of a drain is over. */
const lastCommitsMs = 5_000;

/** An app in the middle of a call may still store its steps while the server drains. */
const takenWhileDraining: ReadonlySet<CommandInput["type"]> = new Set(["checkpoint.received"]);

export interface Counts {
  readonly callsUnderWay: number;
  readonly commandsWaiting: number;
  readonly timersInMemory: number;
  readonly runsInMemory: number;
}

/**
 * Opens the store and starts. Resolves as soon as commands may be submitted; what an earlier
 * process left is taken over in the background (`recovered`). Rejects with a `StoreError` when the
 * store cannot be had; it is closed again then.
 */
export async function startRuntime(parts: RuntimeParts): Promise<Runtime> {
  const fence = await parts.store.open();
  try {
    const settings = { ...parts.settings, epoch: fence.epoch };
    return new Runtime(parts, settings, fence, await bootState(parts.store, settings, parts.owned));
  } catch (error) {
    await parts.store.close();
    throw error;
  }
}

export class Runtime {
  readonly store: Store;
  /** With the epoch of this process. */
  readonly settings: Settings;
  /** Resolves when all that an earlier process left is taken over. Never rejects. */
  readonly recovered: Promise<void>;
  readonly #parts: RuntimeParts;
  readonly #loop: CommitLoop;
  readonly #timers: Timers<JobTimer>;
  readonly #schedules: Timers<DueSchedule>;
  readonly #gates: Gates;
  readonly #retention: Retention;
  readonly #mailbox: Mailbox;
  readonly #bulk: BulkRunner;
  readonly #drivers: DriverRegistry;
  readonly #dispatcher: Dispatcher;
  #stopping = false;
  #ended: Promise<void> | null = null;

  constructor(parts: RuntimeParts, settings: Settings, fence: Fence, hot: HotState) {
    const { store, clock, log, owned = null } = parts;
    const shards = shardList(owned);
    this.#parts = parts;
    this.store = store;
    this.settings = settings;
    this.#drivers = new DriverRegistry(parts.drivers);
    const report = (command: CommandInput): Promise<Reply> => this.#loop.report(command);
    const request = { ...defaultRequestOptions, ...parts.request };
    const { onCall = () => undefined } = parts;
    this.#dispatcher = new Dispatcher({
      drivers: this.#drivers,
      clock,
      log,
      request,
      report,
      onCall,
    });
    const limits = { ...defaultTimerLimits, ...parts.timerLimits };
    this.#timers = new Timers({ source: jobTimers(store, shards), clock, log, report, limits });
    this.#schedules = new Timers({
      source: scheduleTimers(store, shards),
      clock,
      log,
      report,
      limits,
    });
    const retention = { ...defaultRetentionLimits, ...parts.retention };
    this.#retention = new Retention({ clock, log, report, limits: retention });
    const keepMs = retention.policies.completed.ageMs;
    const bulkLimits = { ...defaultBulkLimits, keepMs, ...parts.bulkLimits };
    this.#bulk = new BulkRunner({ store, clock, log, report, limits: bulkLimits });
    this.#gates = new Gates({
      store,
      shards,
      clock,
      log,
      report,
      hot: () => this.#loop.hot,
      afterCommit: () => this.#loop.afterCommit(),
    });
    this.#loop = new CommitLoop(hot, {
      store,
      clock,
      log,
      fence,
      seeds: parts.seeds,
      limits: { ...defaultBatchLimits, ...parts.batchLimits },
      prepare: (effect, state) => this.#prepare(effect, state),
      mailed: parts.mailed ?? (() => undefined),
      rebuild: () => rebuildState(store, settings, owned),
      startedOver: (rebuilt) => this.#startedOver(rebuilt),
      onFatal: (error) => this.#failed(error),
      waitingMax: parts.waitingMax ?? waitingMaxDefault,
    });
    const { epoch } = fence;
    const loop = this.#loop;
    this.#mailbox = new Mailbox({ store, loop, shards, epoch, clock, log, pollMs: mailPollMs });
    this.recovered = this.#start(epoch);
  }

  /** What is decided, ahead of what is committed: to look at, not to keep. */
  get hot(): HotState {
    return this.#loop.hot;
  }

  get counts(): Counts {
    return {
      callsUnderWay: this.#dispatcher.size,
      commandsWaiting: this.#loop.waitingCount,
      timersInMemory: this.#timers.size + this.#schedules.size,
      runsInMemory: this.hot.runCount,
    };
  }

  /** Another process put a message into a mailbox of this one; without it the next look finds it. */
  wakeMailbox(): void {
    this.#mailbox.wake();
  }

  /** How long calls of a function took lately; null: none ended since the start. */
  callTimes(functionId: string): CallTimes | null {
    return this.#dispatcher.times.of(functionId);
  }

  /** How many calls of each function are under way. */
  callsByFunction(): ReadonlyMap<string, number> {
    return this.#dispatcher.countByFunction();
  }

  /** See `CommitLoop.submit`. */
  submit(command: CommandInput): Promise<Reply> {
    return this.#loop.submit(command);
  }

  /** Calls the listener with the changes of each commit, after it. Returns how to stop. */
  onCommit(listener: (changes: readonly Change[]) => void): () => void {
    return this.store.watch(listener);
  }

  /**
   * Takes nothing new, waits at most `graceMs` for the calls under way, commits what they bring,
   * and closes the store. Calls not finished by then are found as lost by the next start.
   */
  drain(options: { readonly graceMs: number }): Promise<void> {
    this.#ended ??= this.#drain(options.graceMs);
    return this.#ended;
  }

  /** Drops what is not committed and closes the store. Safe to call twice, also while draining. */
  async stop(): Promise<void> {
    this.#halt();
    this.#ended ??= this.#close();
    await this.#ended;
  }

  #start(epoch: number): Promise<void> {
    const { store, clock, log } = this.#parts;
    this.#gates.start();
    if (owns(this.hot.owned, retentionShard)) this.#retention.start();
    const mailTaken = (): void => {
      this.#timers.start();
      this.#schedules.start();
      this.#mailbox.start();
      if (owns(this.hot.owned, bulkShard)) this.#bulk.start();
    };
    const shards = shardList(this.hot.owned);
    const stopped = (): boolean => this.#stopping;
    return recover({ store, shards, loop: this.#loop, epoch, clock, log, mailTaken, stopped });
  }

  /**
   * A commit failed. In case that it was written all the same, what should have followed from it
   * is done now: calls that nobody waits for are
   * given up, those that nobody sent are handed out again, timers and queues are looked at.
   */
  #startedOver({ leased }: Rebuilt): void {
    this.#dispatcher.abortAllBut(leased);
    for (const call of leased) {
      if (this.#dispatcher.holds(call)) continue;
      const { runId, jobId, generation } = call;
      this.#loop.report({ type: "call.lost", runId, jobId, generation }).catch((error: unknown) => {
        if (this.#stopping) return; // the next process finds it
        this.#parts.log.error({ err: error, runId, jobId }, "a lost call could not be given back");
      });
    }
    this.#timers.readAgain();
    this.#schedules.readAgain();
    this.#gates.start();
  }

  #prepare(effect: Effect, state: HotState): Act {
    switch (effect.type) {
      case "call":
        return this.#dispatcher.prepare(effect, state);
      case "timer":
        return () => this.#timers.add(effect);
      case "tick":
        return () => this.#schedules.add(effect);
      case "pull":
        return () => this.#gates.pull(effect.gate);
      case "abort":
        return () => this.#dispatcher.abort(effect);
    }
  }

  async #drain(graceMs: number): Promise<void> {
    const draining = new ServerError("draining", "The server is stopping. Try again in a moment.");
    this.#loop.refuse(draining, takenWhileDraining);
    this.#stopStarting();
    await this.#within(graceMs, this.#dispatcher.idle());
    this.#loop.refuse(draining, new Set());
    this.#dispatcher.abortAll();
    await this.#within(lastCommitsMs, this.#loop.idle());
    await this.#parts.beforeClose?.();
    this.#halt();
    await this.#close();
  }

  /** From here on nothing begins by itself. */
  #stopStarting(): void {
    this.#stopping = true;
    this.#timers.stop();
    this.#schedules.stop();
    this.#gates.stop();
    this.#retention.stop();
    this.#mailbox.stop();
    this.#bulk.stop();
    this.#dispatcher.stop();
  }

  #halt(): void {
    this.#stopStarting();
    this.#loop.stop();
    this.#dispatcher.abortAll();
  }

  async #close(): Promise<void> {
    await Promise.all([this.store.close(), this.#drivers.close()]);
  }

  #failed(error: ServerError): void {
    this.#halt();
    this.#parts.onFatal(error);
  }

  async #within(ms: number, work: Promise<void>): Promise<void> {
    let waited = (): void => undefined;
    const timer = this.#parts.clock.after(ms, () => waited());
    await Promise.race([work, new Promise<void>((resolve) => (waited = resolve))]);
    timer.cancel();
  }
}
