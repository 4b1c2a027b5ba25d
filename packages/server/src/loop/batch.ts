// Building one batch: commands and the messages that follow from them, decided one after another
// against the hot state, their changes gathered for one commit. It loads what is missing and asks
// the engine; it must not know when batches are committed, nor what acting on an effect means.
import type { Change } from "@pawl/engine/changes";
import type { Command, Message } from "@pawl/engine/commands";
import { decide } from "@pawl/engine/decide";
import type { Decision, Reply } from "@pawl/engine/decision";
import type { Effect } from "@pawl/engine/effects";
import { needId, type Need } from "@pawl/engine/needs";
import { requirements } from "@pawl/engine/requirements";
import { owns, shardOfMessage } from "@pawl/engine/shard";
import type { HotState } from "@pawl/engine/state/hot-state";
import type { Store } from "@pawl/store/store";
import { messageOf, ServerError } from "../server-error.ts";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import type { SeedSource } from "./seeds.ts";

type Unstamped<C> = C extends Command ? Omit<C, "at" | "seed"> : never;

/** A command before the loop gave it its time and its seed. */
export type CommandInput = Unstamped<Command>;

/** How large one batch may grow; what does not fit is taken in the next. */
export interface BatchLimits {
  /** Commands taken into one batch, messages not counted. */
  readonly commandsMax: number;
  /** Commands taken at once: their needs are loaded together. */
  readonly takeMax: number;
  /** Changes after which no command is taken any more. */
  readonly changesMax: number;
  /** Changes after which messages are put off; the last decision may exceed it. */
  readonly changesWithMessagesMax: number;
  /** Rounds of messages that follow from messages. */
  readonly roundsMax: number;
  /** Needs asked of the store in one load. */
  readonly needsMax: number;
}

export const defaultBatchLimits: BatchLimits = {
  commandsMax: 1_024,
  takeMax: 128,
  changesMax: 8_192,
  changesWithMessagesMax: 16_384,
  roundsMax: 32,
  needsMax: 2_048,
};

/** Something waiting to be decided, and who is told of the outcome. */
export interface Entry {
  /** A message keeps the time and seed it was given by the decision it follows from. */
  readonly work: CommandInput | Message;
  /** From outside: refused when the store refuses. Others are kept and tried again. */
  readonly external: boolean;
  /** The stored message this is, and the batch that stored it (0: an earlier process). */
  readonly mail: { readonly id: string; readonly batch: number } | null;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: ServerError) => void;
  /** It was in a batch that failed, and is tried again with nothing beside it. */
  suspect: boolean;
  /** Commits that failed with nothing else in them. */
  failures: number;
}

/** To be done once the batch is committed. */
export type Act = () => void;

export interface BatchParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly seeds: SeedSource;
  readonly log: Log;
  readonly limits: BatchLimits;
  /**
   * Makes an effect ready right after its decision, from the state as decided: what an app is
   * shown must not contain what a later, possibly failing, commit brings. Must not throw.
   */
  readonly prepare: (effect: Effect, state: HotState) => Act;
  /** Names a message that is put off; ascending. */
  readonly nextMailId: () => string;
  /** A commit put a message into the mailbox of a shard that is owned elsewhere. Must not throw. */
  readonly mailed: (shard: number) => void;
}

/** The hot state no longer agrees with what was decided: it has to be made anew. */
export class BrokenState extends Error {
  override readonly name = "BrokenState";
  readonly guilty: Entry;

  constructor(guilty: Entry, cause: unknown) {
    super(`a change could not be applied: ${messageOf(cause)}`, { cause });
    this.guilty = guilty;
  }
}

interface Item {
  readonly command: Command;
  readonly origin: Entry;
  readonly isMessage: boolean;
}

/** Loads for one command before its needs count as endless; two are usual. */
const loadsPerCommandMax = 16;

export class Batch {
  readonly number: number;
  readonly changes: Change[] = [];
  readonly acts: Act[] = [];
  /** Every entry taken, decided or not. */
  readonly taken: Entry[] = [];
  readonly outcomes: { readonly entry: Entry; readonly reply: Reply | ServerError }[] = [];
  /** Messages put off that this process takes next; they are in `changes` as mail. */
  readonly carried: { readonly id: string; readonly message: Message }[] = [];
  readonly #parts: BatchParts;
  readonly #hot: HotState;

  constructor(number: number, hot: HotState, parts: BatchParts) {
    this.number = number;
    this.#hot = hot;
    this.#parts = parts;
  }

  get isEmpty(): boolean {
    return this.taken.length === 0;
  }

  /** How many commands may be taken now. */
  get room(): number {
    const { commandsMax, takeMax, changesMax } = this.#parts.limits;
    if (this.changes.length >= changesMax) return 0;
    return Math.min(takeMax, commandsMax - this.taken.length);
  }

  /**
   * Decides the entries, in order, and all messages that follow. Rejects with what the store
   * rejected with, or with `BrokenState`; the batch is then worthless.
   */
  async take(entries: readonly Entry[]): Promise<void> {
    this.taken.push(...entries);
    let round: Item[] = entries.map((entry) => this.#stamp(entry));
    const { roundsMax, changesWithMessagesMax } = this.#parts.limits;
    for (let depth = 0; round.length > 0; depth++) {
      const next: Item[] = [];
      for (let index = 0; index < round.length; index++) {
        const item = round[index];
        if (item === undefined) break;
        const isFull = depth > roundsMax || this.changes.length >= changesWithMessagesMax;
        if (item.isMessage && (isFull || this.#isElsewhere(item))) {
          this.#putOff(item);
          continue;
        }
        // Only what is missing costs a turn of the event loop.
        if (this.#missing(item).length > 0) await this.#load(round, index);
        this.#decide(item, next);
      }
      round = next;
    }
  }

  #stamp(entry: Entry): Item {
    const { work } = entry;
    const command: Command =
      "at" in work ? work : { ...work, at: this.#parts.clock.now(), seed: this.#parts.seeds() };
    return { command, origin: entry, isMessage: false };
  }

  /** Whether another process owns the shard of a message. */
  #isElsewhere({ command }: Item): boolean {
    const { owned } = this.#hot;
    return owned !== null && !owned.has(shardOfMessage(command));
  }

  /** A fault in the needs shows again, and is reported, when the command is decided. */
  #missing(item: Item): readonly Need[] {
    const lies = mailNeed(item);
    if (lies !== null && !this.#hot.has(lies)) return [lies];
    try {
      return requirements(this.#hot, item.command);
    } catch {
      return [];
    }
  }

  /** Loads what the item at `index` lacks and, in the same trips, what those behind it lack. */
  async #load(round: readonly Item[], index: number): Promise<void> {
    const item = round[index];
    if (item === undefined) return;
    let missing = this.#missing(item);
    for (let loads = 0; missing.length > 0 && loads < loadsPerCommandMax; loads++) {
      const needs = new Map(missing.map((need) => [needId(need), need]));
      for (
        let behind = index + 1;
        behind < round.length && needs.size < this.#parts.limits.needsMax;
        behind++
      ) {
        const other = round[behind];
        if (other !== undefined)
          for (const need of this.#missing(other)) needs.set(needId(need), need);
      }
      this.#hot.absorb(await this.#parts.store.load([...needs.values()]));
      missing = this.#missing(item);
    }
  }

  #decide(item: Item, next: Item[]): void {
    const lies = mailNeed(item);
    if (lies !== null && !this.#hot.hasMail(lies.mailId)) {
      // Delivered twice: whoever decided it took it out of its mailbox in the same commit.
      this.outcomes.push({ entry: item.origin, reply: done });
      return;
    }
    const decision = this.#decisionOf(item);
    if (decision === null) {
      // Whatever it was sent by is decided already: the message waits for a process that can take it.
      if (item.isMessage) this.#mail(item);
      return;
    }
    this.#follow(item, decision, next);
    if (item.isMessage) return;
    if (lies !== null) this.#write({ type: "mail.delete", mailId: lies.mailId });
    this.outcomes.push({ entry: item.origin, reply: decision.reply });
  }

  /** Null: deciding failed, nothing was applied, and whoever asked will hear of it. */
  #decisionOf(item: Item): Decision | null {
    const { command, origin } = item;
    try {
      return decide(this.#hot, command);
    } catch (fault) {
      const runId = "runId" in command ? command.runId : null;
      this.#parts.log.error(
        { err: fault, command: command.type, runId },
        "a command could not be decided",
      );
      const isKept = item.isMessage || origin.mail !== null;
      const after = isKept ? "It stays in its mailbox until the next start" : "Nothing was done";
      const message = `Deciding ${command.type} failed: ${messageOf(fault)}. ${after}; this is a bug in Pawl.`;
      const error = new ServerError("engine_fault", message, { cause: fault });
      if (!item.isMessage) this.outcomes.push({ entry: origin, reply: error });
      return null;
    }
  }

  #follow(item: Item, decision: Decision, next: Item[]): void {
    try {
      for (const change of decision.changes) this.#write(change);
    } catch (fault) {
      throw new BrokenState(item.origin, fault);
    }
    for (const effect of decision.effects) this.acts.push(this.#parts.prepare(effect, this.#hot));
    for (const message of decision.messages)
      next.push({ command: message, origin: item.origin, isMessage: true });
  }

  #putOff(item: Item): void {
    const { id, shard, message } = this.#mail(item);
    if (owns(this.#hot.owned, shard)) this.carried.push({ id, message });
    else this.acts.push(() => this.#parts.mailed(shard));
  }

  #mail({ command }: Item): { id: string; shard: number; message: Message } {
    const message = command as Message; // proof: only messages become mail
    const id = this.#parts.nextMailId();
    const shard = shardOfMessage(message);
    this.#write({ type: "mail.put", mailId: id, shard, message });
    return { id, shard, message };
  }

  #write(change: Change): void {
    this.#hot.apply(change);
    this.changes.push(change);
  }
}

const done: Reply = { ok: true, value: { type: "done" } };

/** What has to be known of a stored message before it is decided: that nobody did so yet. */
function mailNeed({ origin, isMessage }: Item): Extract<Need, { kind: "mail" }> | null {
  return isMessage || origin.mail === null ? null : { kind: "mail", mailId: origin.mail.id };
}
