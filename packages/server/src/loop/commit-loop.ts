// The heart of the server: gathers commands, has them decided, commits them in groups, and only
// then lets anybody know. While one batch commits, the next is already being decided.
//
// Invariants: at most one commit is in flight; batches commit in the order they were decided; no
// reply is sent and no effect performed before its batch is committed; after a failed commit
// nothing of it or of what was decided on top of it remains.
//
// It must not know what commands mean, how effects are performed, or which store this is.
import type { Reply } from "@pawl/engine/decision";
import { entityKey, shardOf } from "@pawl/engine/shard";
import type { HotState } from "@pawl/engine/state/hot-state";
import type { DueMail, Fence } from "@pawl/store/store";
import { fromStoreFailure, ServerError, type ServerErrorCode } from "../server-error.ts";
import { Batch, BrokenState, type BatchParts, type CommandInput, type Entry } from "./batch.ts";
import type { Rebuilt } from "./boot.ts";
import { Intake, isAdmission, mailEntry } from "./intake.ts";
import { mailIdOf } from "./mail-id.ts";

export interface LoopParts extends Omit<BatchParts, "nextMailId"> {
  readonly fence: Fence;
  /** Makes the hot state anew from the store, after a commit failed. */
  readonly rebuild: () => Promise<Rebuilt>;
  /** The state was made anew: effects of a commit that was written after all are to be made good. */
  readonly startedOver: (rebuilt: Rebuilt) => void;
  /** The store can no longer be written by this process; the loop has stopped. */
  readonly onFatal: (error: ServerError) => void;
  /** Commands from outside that may wait to be decided; more are refused as `overloaded`. */
  readonly waitingMax: number;
}

/** After these the store will not recover under this process. */
const fatalCodes: ReadonlySet<ServerErrorCode> = new Set([
  "store_fenced",
  "store_damaged",
  "store_closed",
]);

/** Commits with one command of our own, and nothing else, that may fail before it is given up. */
const failuresMax = 5;
const pauseMinMs = 50;
const pauseMaxMs = 1_000;

const ignore = (): void => undefined;

export class CommitLoop {
  readonly #parts: LoopParts;
  readonly #batchParts: BatchParts;
  #hot: HotState;
  readonly #intake = new Intake();
  #open: Batch | null = null;
  #committing: Batch | null = null;
  #failed: Batch[] = [];
  /** The failed batch that is at fault; others were decided on top of it. */
  #culprit: Batch | null = null;
  #failure: ServerError | null = null;
  #guilty: Entry | null = null;
  #batchNumber = 0;
  #committedBatch = 0;
  #mailNumber = 0;
  #pauseMs = 0;
  #working = false;
  #wake: () => void = ignore;
  #refusal: ServerError | null = null;
  #exempt: ReadonlySet<CommandInput["type"]> = new Set();
  #stopped: ServerError | null = null;
  #afterCommit: (() => void)[] = [];
  #whenIdle: (() => void)[] = [];

  constructor(hot: HotState, parts: LoopParts) {
    this.#hot = hot;
    this.#parts = parts;
    this.#batchParts = { ...parts, nextMailId: () => this.#nextMailId() };
  }

  /** The state as decided, ahead of what is committed. Another object after a failed commit. */
  get hot(): HotState {
    return this.#hot;
  }

  /** Commands waiting to be decided. */
  get waitingCount(): number {
    return this.#intake.size;
  }

  /**
   * Has a command from outside decided; the reply comes once its changes are on disk. Rejects
   * with a `ServerError`: `overloaded`, `draining`, `stopped`, `engine_fault`, or the store's code;
   * nothing was done then, but for a store that failed after it had written.
   */
  submit(input: CommandInput): Promise<Reply> {
    const refusal = this.#stopped ?? this.#refusalOf(input) ?? this.#elsewhere(input);
    if (refusal !== null) return Promise.reject(refusal);
    return this.#enqueue(input, true);
  }

  /**
   * The same for the outcome of an effect. It is never refused, and is tried again when the store
   * fails; rejects with `engine_fault`, `stopped`, or when it alone cannot be stored. `call.admitted`
   * is not tried again: the queue is read anew when the loop has started over.
   */
  report(input: CommandInput): Promise<Reply> {
    const refusal = this.#stopped ?? this.#elsewhere(input);
    if (refusal !== null) return Promise.reject(refusal);
    return this.#enqueue(input, false);
  }

  /** Takes stored messages of other processes; resolves when all were decided and committed. */
  async takeMail(mails: readonly DueMail[]): Promise<void> {
    const taken = mails.map(
      ({ mailId, message }) =>
        new Promise<void>((resolve) => {
          this.#intake.push({
            ...mailEntry(message, { id: mailId, batch: 0 }),
            resolve: () => resolve(),
            reject: () => resolve(),
          });
        }),
    );
    this.#start();
    await Promise.all(taken);
  }

  /** From now on refuses commands from outside, but for those that `except` names. */
  refuse(error: ServerError, except: ReadonlySet<CommandInput["type"]>): void {
    this.#refusal = error;
    this.#exempt = except;
  }

  /** Resolves at the next outcome of a commit; at once when there is nothing to commit. */
  afterCommit(): Promise<void> {
    if (!this.#working) return Promise.resolve();
    return new Promise((resolve) => this.#afterCommit.push(resolve));
  }

  /** Resolves when nothing waits, is being decided, or is being committed. */
  idle(): Promise<void> {
    if (!this.#working) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Rejects everything that is not committed. Does not wait for a commit in flight. */
  stop(error: ServerError = new ServerError("stopped", "The server has stopped.")): void {
    if (this.#stopped !== null) return;
    this.#stopped = error;
    const unfinished = [...this.#failed, this.#committing, this.#open].flatMap(
      (batch) => batch?.taken ?? [],
    );
    for (const entry of [...unfinished, ...this.#intake.clear()]) entry.reject(error);
    this.#wake();
  }

  /** Events may be taken anywhere: what they start is sent to where it belongs. */
  #elsewhere(input: CommandInput): ServerError | null {
    const { owned } = this.#hot;
    if (owned === null || input.type === "events.received") return null;
    const key = entityKey(input);
    if (key === null || owned.has(shardOf(key))) return null;
    const message = `${input.type} is about ${key} in shard ${shardOf(key)}, which another process owns. Nothing was done; ask that process.`;
    return new ServerError("shard_elsewhere", message);
  }

  #refusalOf(input: CommandInput): ServerError | null {
    if (this.#refusal !== null && !this.#exempt.has(input.type)) return this.#refusal;
    if (this.#intake.externalCount < this.#parts.waitingMax) return null;
    const message = `${this.#parts.waitingMax} commands are waiting already. Try again in a moment.`;
    return new ServerError("overloaded", message);
  }

  #enqueue(work: CommandInput, external: boolean): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#intake.push({
        work,
        external,
        mail: null,
        resolve,
        reject,
        suspect: false,
        failures: 0,
      });
      this.#start();
    });
  }

  #start(): void {
    if (this.#working) {
      this.#wake();
      return;
    }
    this.#working = true;
    // One microtask later, so that the commands of one tick share a commit.
    queueMicrotask(() => void this.#work());
  }

  /** Never rejects: every failure ends in `#fail`. */
  async #work(): Promise<void> {
    while (this.#stopped === null) {
      if (this.#failure !== null) {
        if (this.#committing === null) await this.#startOver(this.#failure);
        else await this.#woken();
        continue;
      }
      const open = (this.#open ??= this.#begin());
      const entries = this.#intake.next(open);
      if (entries.length > 0) await this.#take(open, entries);
      else if (this.#committing !== null) await this.#woken();
      else if (!open.isEmpty) this.#commit(open);
      else break;
    }
    // A batch that nothing entered is begun anew, so that what is clean by then can be evicted.
    this.#open = null;
    this.#working = false;
    this.#tell(this.#afterCommit);
    this.#tell(this.#whenIdle);
  }

  #begin(): Batch {
    this.#batchNumber++;
    this.#hot.begin(this.#batchNumber, this.#committedBatch);
    return new Batch(this.#batchNumber, this.#hot, this.#batchParts);
  }

  async #take(open: Batch, entries: readonly Entry[]): Promise<void> {
    try {
      await open.take(entries);
    } catch (failure) {
      if (failure instanceof BrokenState) {
        this.#parts.log.error(
          { err: failure, command: failure.guilty.work.type },
          "the hot state is made anew",
        );
        this.#guilty = failure.guilty;
        this.#fail(
          open,
          new ServerError("engine_fault", `${failure.message}. This is a bug in Pawl.`, {
            cause: failure,
          }),
        );
      } else {
        this.#fail(open, fromStoreFailure(failure));
      }
    }
  }

  #commit(batch: Batch): void {
    this.#open = null;
    this.#intake.takeTurns();
    const mail = batch.carried.map(({ id, message }) =>
      mailEntry(message, { id, batch: batch.number }),
    );
    this.#intake.unshift(mail);
    if (batch.changes.length === 0) {
      this.#settle(batch);
      return;
    }
    this.#committing = batch;
    this.#parts.store.commit(batch.changes, this.#parts.fence).then(
      () => {
        this.#committing = null;
        this.#settle(batch);
        this.#wake();
      },
      (failure: unknown) => {
        this.#committing = null;
        this.#fail(batch, fromStoreFailure(failure));
        this.#wake();
      },
    );
  }

  #settle(batch: Batch): void {
    if (this.#stopped !== null) return;
    this.#committedBatch = batch.number;
    this.#pauseMs = 0;
    for (const act of batch.acts) {
      try {
        act();
      } catch (fault) {
        this.#parts.log.error({ err: fault }, "an effect could not be performed");
      }
    }
    for (const { entry, reply } of batch.outcomes) {
      if (reply instanceof ServerError) entry.reject(reply);
      else entry.resolve(reply);
    }
    this.#tell(this.#afterCommit);
  }

  #fail(batch: Batch, error: ServerError): void {
    if (batch === this.#open) this.#open = null;
    this.#failed.push(batch);
    // Of a commit and a batch on top of it, the commit's failure explains more.
    if (this.#culprit === null || batch.number < this.#culprit.number) {
      this.#culprit = batch;
      this.#failure = error;
    }
  }

  /** Gives up the failed batches, makes the state anew, and keeps what nobody may lose. */
  async #startOver(error: ServerError): Promise<void> {
    if (fatalCodes.has(error.code)) {
      this.#end(error);
      return;
    }
    const batches = this.#open === null ? this.#failed : [...this.#failed, this.#open];
    this.#giveBack(
      batches.toSorted((a, b) => a.number - b.number),
      error,
    );
    this.#open = null;
    this.#failed = [];
    this.#culprit = null;
    this.#guilty = null;
    this.#tell(this.#afterCommit);
    while (this.#stopped === null && this.#failure !== null) {
      if (this.#failure.code !== "engine_fault") await this.#pause(this.#failure);
      try {
        const rebuilt = await this.#parts.rebuild();
        this.#hot = rebuilt.hot;
        this.#failure = null;
        this.#intake.reconcileMail(rebuilt.mail, this.#parts.fence.epoch);
        this.#parts.startedOver(rebuilt);
      } catch (failure) {
        this.#failure = fromStoreFailure(failure);
        if (fatalCodes.has(this.#failure.code)) this.#end(this.#failure);
      }
    }
  }

  #giveBack(batches: readonly Batch[], error: ServerError): void {
    const numbers = new Set(batches.map((batch) => batch.number));
    const neverStored = (entry: Entry): boolean =>
      entry.mail !== null && numbers.has(entry.mail.batch);
    const spared: Entry[] = [];
    for (const entry of batches.flatMap((batch) => batch.taken)) {
      if (neverStored(entry)) continue;
      if (entry === this.#guilty || (entry.external && this.#guilty === null)) entry.reject(error);
      else if (isAdmission(entry)) entry.reject(error);
      else if (this.#guilty !== null) spared.push(entry);
      else
        this.#suspect(
          entry,
          this.#culprit?.taken.length === 1 && this.#culprit.taken[0] === entry,
          error,
        );
    }
    for (const entry of this.#intake.takeAdmissions()) entry.reject(error);
    this.#intake.drop(neverStored);
    this.#intake.unshift(spared);
  }

  #suspect(entry: Entry, alone: boolean, error: ServerError): void {
    if (alone && error.code === "store_failed") entry.failures++;
    if (entry.failures < failuresMax) {
      this.#intake.addSuspect(entry);
      return;
    }
    this.#parts.log.error(
      { err: error, command: entry.work.type },
      "a command of our own cannot be stored",
    );
    entry.reject(error);
  }

  #pause(error: ServerError): Promise<void> {
    this.#pauseMs = Math.min(Math.max(pauseMinMs, this.#pauseMs * 2), pauseMaxMs);
    this.#parts.log.warn(
      { err: error, pauseMs: this.#pauseMs },
      "a commit failed; trying again after a pause",
    );
    return new Promise((resolve) => {
      const timer = this.#parts.clock.after(this.#pauseMs, resolve);
      this.#wake = () => {
        if (this.#stopped === null) return;
        timer.cancel();
        resolve();
      };
    });
  }

  #end(error: ServerError): void {
    this.stop(error);
    this.#parts.log.error({ err: error }, "the store can no longer be used; stopping");
    this.#parts.onFatal(error);
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #tell(listeners: (() => void)[]): void {
    for (const listener of listeners.splice(0)) listener();
  }

  /** Orders by process, then by age; see `isOwnMail`. */
  #nextMailId(): string {
    return mailIdOf(this.#parts.fence.epoch, ++this.#mailNumber);
  }
}
