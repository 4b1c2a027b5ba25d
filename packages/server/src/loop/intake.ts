// What waits to be decided, and in which order: commands as they arrived, and the suspects of a
// failed batch, which are tried one at a time so that a culprit fails alone. It must not know why
// a batch failed.
import type { Message } from "@pawl/engine/commands";
import type { Reply } from "@pawl/engine/decision";
import type { DueMail } from "@pawl/store/store";
import type { Batch, Entry } from "./batch.ts";
import { isOwnMail } from "./mail-id.ts";

const ignore = (): void => undefined;

/** A stored message as something to decide, for whose outcome nobody waits. */
export function mailEntry(work: Message, mail: NonNullable<Entry["mail"]>): Entry {
  return {
    work,
    mail,
    external: false,
    resolve: ignore,
    reject: ignore,
    suspect: false,
    failures: 0,
  };
}

/** Whether an entry only says that a call is the next of its queue. */
export function isAdmission({ work }: Entry): boolean {
  return work.type === "call.admitted";
}

/** Whether an entry comes of the time alone. */
function isTimer({ work }: Entry): boolean {
  return work.type === "timer.due" || work.type === "schedule.due";
}

export class Intake {
  /** In order of arrival. */
  #waiting: Entry[] = [];
  #waitingExternal = 0;
  #suspects: Entry[] = [];
  /** Suspects and arrivals take turns, so that neither keeps the other from being tried. */
  #suspectsTurn = true;

  get size(): number {
    return this.#waiting.length + this.#suspects.length;
  }

  /** Of those that wait, how many came from outside. */
  get externalCount(): number {
    return this.#waitingExternal;
  }

  push(entry: Entry): void {
    if (entry.external) this.#waitingExternal++;
    this.#waiting.push(entry);
  }

  /** Before all others. */
  unshift(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    for (const entry of entries) if (entry.external) this.#waitingExternal++;
    this.#waiting = [...entries, ...this.#waiting];
  }

  addSuspect(entry: Entry): void {
    entry.suspect = true;
    this.#suspects.push(entry);
  }

  /** Forgets messages that have no cause any more. */
  drop(condition: (entry: Entry) => boolean): void {
    this.#waiting = this.#waiting.filter((entry) => !condition(entry));
  }

  /**
   * Takes out what only says that a call is the next of its queue. After a failed commit others may
   * be: each queue has to be read again, or calls would go before those that are ahead of them.
   */
  takeAdmissions(): Entry[] {
    const taken = this.#waiting.filter(isAdmission);
    if (taken.length > 0) this.#waiting = this.#waiting.filter((entry) => !isAdmission(entry));
    return taken;
  }

  /**
   * A commit failed, but may have been written all the same: `stored` says which messages are
   * still to be taken. Of those, the ones that the process of this epoch put off wait here.
   */
  reconcileMail(stored: readonly DueMail[], epoch: number): void {
    const ids = new Set(stored.map(({ mailId }) => mailId));
    const all = [...this.#suspects, ...this.#waiting];
    const isTaken = ({ mail }: Entry): boolean => mail !== null && !ids.has(mail.id);
    this.#suspects = this.#suspects.filter((entry) => !isTaken(entry));
    this.#waiting = this.#waiting.filter((entry) => !isTaken(entry));
    for (const entry of all) if (isTaken(entry)) entry.resolve(done);
    const known = new Set(all.map(({ mail }) => mail?.id));
    const missed = stored.filter(({ mailId }) => isOwnMail(mailId, epoch) && !known.has(mailId));
    this.unshift(missed.map(({ mailId, message }) => mailEntry(message, { id: mailId, batch: 0 })));
  }

  /** Everything that waits; nothing does afterwards. */
  clear(): Entry[] {
    const all = [...this.#suspects, ...this.#waiting];
    this.#waiting = [];
    this.#suspects = [];
    this.#waitingExternal = 0;
    return all;
  }

  /** What joins the open batch now; nothing beside a suspect. */
  next(open: Batch): Entry[] {
    const held = this.#heldBack();
    const count = this.#waiting.length - held.length;
    if (this.#suspects.length > 0 && (this.#suspectsTurn || count === 0)) {
      return open.isEmpty ? this.#suspects.splice(0, 1) : [];
    }
    if (open.taken[0]?.suspect === true) return [];
    const { room } = open;
    if (count === 0 || room <= 0) return [];
    if (held.length > 0) this.#waiting = this.#waiting.filter((entry) => !isTimer(entry));
    const entries = this.#waiting.splice(0, room);
    this.#waiting.push(...held);
    for (const entry of entries) if (entry.external) this.#waitingExternal--;
    return entries;
  }

  /** A timer may end what a message is about: while one is a suspect, those that wait let it go first. */
  #heldBack(): readonly Entry[] {
    return this.#suspects.some(({ mail }) => mail !== null) ? this.#waiting.filter(isTimer) : [];
  }

  /** A batch was closed: the other kind is next. */
  takeTurns(): void {
    this.#suspectsTurn = !this.#suspectsTurn;
  }
}

const done: Reply = { ok: true, value: { type: "done" } };
