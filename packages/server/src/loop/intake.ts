// What waits to be decided, and in which order: commands as they arrived, and the suspects of a
// failed batch, which are tried one at a time so that a culprit fails alone. It must not know why
// a batch failed.
import type { Batch, Entry } from "./batch.ts";

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

  /** Forgets entries that have no cause any more; nobody waits for them. */
  drop(condition: (entry: Entry) => boolean): void {
    this.#waiting = this.#waiting.filter((entry) => !condition(entry));
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
    if (this.#suspects.length > 0 && (this.#suspectsTurn || this.#waiting.length === 0)) {
      return open.isEmpty ? this.#suspects.splice(0, 1) : [];
    }
    if (open.taken[0]?.suspect === true) return [];
    const { room } = open;
    if (this.#waiting.length === 0 || room <= 0) return [];
    const entries = this.#waiting.splice(0, room);
    for (const entry of entries) if (entry.external) this.#waitingExternal--;
    return entries;
  }

  /** A batch was closed: the other kind is next. */
  takeTurns(): void {
    this.#suspectsTurn = !this.#suspectsTurn;
  }
}
