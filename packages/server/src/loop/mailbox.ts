// Takes the messages that lie in the mailboxes of the shards owned here: those of an earlier process
// once, those of other processes whenever there may be some. A message may be taken twice; the batch
// decides it once. It must not know what messages say.
import type { Store } from "@pawl/store/store";
import { messageOf } from "../server-error.ts";
import type { Clock, TimerHandle } from "./clock.ts";
import type { CommitLoop } from "./commit-loop.ts";
import type { Log } from "./log.ts";
import { isOwnMail } from "./mail-id.ts";

/** Messages taken at once. */
const pageSize = 500;

export interface MailboxParts {
  readonly store: Pick<Store, "due">;
  readonly loop: Pick<CommitLoop, "takeMail">;
  /** Of the mailboxes; null: all. */
  readonly shards: readonly number[] | null;
  /** Messages of this process to itself are on their way already. */
  readonly epoch: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Time between two looks, ms. */
  readonly pollMs: number;
}

/** Takes all there is; resolves with how many messages when they are decided and committed. */
export async function takeMail(
  parts: Pick<MailboxParts, "store" | "loop" | "shards" | "epoch"> & {
    readonly stopped: () => boolean;
  },
): Promise<number> {
  const { store, loop, shards, epoch, stopped } = parts;
  // What could not be decided or committed lies there still: it is looked at another time.
  const tried = new Set<string>();
  for (let limit = pageSize; !stopped(); ) {
    const page = await store.due<"mail">({ kind: "mail", shards, limit });
    const mails = page.filter(({ mailId }) => !isOwnMail(mailId, epoch) && !tried.has(mailId));
    if (mails.length === 0 && page.length < limit) break;
    for (const { mailId } of mails) tried.add(mailId);
    await loop.takeMail(mails);
    limit = pageSize + page.length - mails.length;
  }
  return tried.size;
}

/** Looks for mail again and again. A process that owns all shards has nobody to hear from. */
export class Mailbox {
  readonly #parts: MailboxParts;
  #timer: TimerHandle | null = null;
  #isLooking = false;
  /** Somebody called while a look was under way, which may have missed the reason. */
  #again = false;
  #stopped = false;

  constructor(parts: MailboxParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#parts.shards !== null) this.wake();
  }

  /** Looks at once: another process said that it put something in. */
  wake(): void {
    if (this.#stopped) return;
    this.#again = true;
    if (!this.#isLooking) void this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const { clock, log, pollMs } = this.#parts;
    this.#isLooking = true;
    this.#timer?.cancel();
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        await takeMail({ ...this.#parts, stopped: () => this.#stopped });
      }
    } catch (error) {
      if (!this.#stopped)
        log.warn({ err: error }, `the mailboxes could not be read: ${messageOf(error)}`);
    }
    this.#isLooking = false;
    if (!this.#stopped) this.#timer = clock.after(pollMs, () => this.wake());
  }
}
