// The store as one simulated process sees it: the memory store, whose data outlive the process,
// with what a disk and a network may do in between. A process that is dead gets no answer to
// anything, which is all that its end means to it.
import type { Change } from "@pawl/engine/changes";
import type { Found, Need } from "@pawl/engine/needs";
import { StoreError } from "@pawl/store/store-error";
import type { DueQuery, DueResults, Fence, ListQuery, ListResults, Store } from "@pawl/store/store";
import { never, type Agenda } from "../agenda.ts";
import type { FaultKind, Faults } from "../faults.ts";

export interface SimStoreParts {
  readonly inner: Store;
  readonly agenda: Agenda;
  readonly faults: Faults;
  /** How long a commit takes, ms. */
  readonly commitMs: number;
  /** Whose store this is, for the log. */
  readonly name: string;
  readonly isDead: () => boolean;
  readonly crash: () => void;
  /** The process turns in circles: it asks again and again while no time passes. */
  readonly spins: () => void;
}

/** Calls of the store within one instant, above which a process turns in circles. */
const callsPerTurnMax = 5_000;

/** A commit that is on its way when its process dies reaches the disk this often, of 1 000. */
const reachesDiskPermille = 500;

export class SimStore implements Store {
  readonly #parts: SimStoreParts;
  /** Calls in this turn of the agenda. */
  #calls = 0;
  #turn = 0;

  constructor(parts: SimStoreParts) {
    this.#parts = parts;
  }

  async open(): Promise<Fence> {
    await this.#read("open");
    return this.#parts.inner.open();
  }

  async load(needs: readonly Need[]): Promise<readonly Found[]> {
    await this.#read("load");
    return this.#parts.inner.load(needs);
  }

  async due<K extends DueQuery["kind"]>(
    query: Extract<DueQuery, { kind: K }>,
  ): Promise<DueResults[K]> {
    await this.#read(`due ${query.kind}`);
    return this.#parts.inner.due<K>(query);
  }

  async list<T extends ListQuery["type"]>(
    query: Extract<ListQuery, { type: T }>,
  ): Promise<ListResults[T]> {
    await this.#read(`list ${query.type}`);
    return this.#parts.inner.list<T>(query);
  }

  async commit(changes: readonly Change[], fence: Fence): Promise<void> {
    const { inner, agenda, faults, name, isDead, commitMs } = this.#parts;
    await this.#alive();
    await this.#mayCrash("crashBeforeCommit");
    const slow = faults.strikes("commitSlow", name) ? faults.amount("commitSlow", 100, 5_000) : 0;
    const crash = faults.strikes("crashInCommit", name);
    if (commitMs + slow > 0 && !crash) await agenda.sleep(commitMs + slow);
    if (crash || isDead()) await this.#dieInCommit(changes, fence);
    if (faults.strikes("commitRefused", name))
      throw new StoreError("store_failed", "nothing was written");
    await inner.commit(changes, fence);
    await this.#mayCrash("crashAfterCommit");
    if (faults.strikes("commitUnacknowledged", name))
      throw new StoreError("store_failed", "the outcome is unknown");
  }

  watch(listener: (changes: readonly Change[]) => void): () => void {
    return this.#parts.inner.watch(listener);
  }

  close(): Promise<void> {
    return this.#parts.inner.close();
  }

  async #dieInCommit(changes: readonly Change[], fence: Fence): Promise<never> {
    const { inner, faults, crash } = this.#parts;
    crash();
    if (faults.amount("crashInCommit", 1, 1_000) <= reachesDiskPermille) {
      // A later owner may have taken over meanwhile: then the store refuses, and nobody hears it.
      await inner.commit(changes, fence).catch(() => undefined);
    }
    return never;
  }

  async #read(what: string): Promise<void> {
    const { faults, name } = this.#parts;
    await this.#alive();
    await this.#mayCrash("crashWhileReading");
    if (faults.strikes("readFailed", `${name} ${what}`))
      throw new StoreError("store_failed", "could not be read");
  }

  async #mayCrash(kind: FaultKind): Promise<void> {
    const { faults, name, crash } = this.#parts;
    if (!faults.strikes(kind, name)) return;
    crash();
    await never;
  }

  async #alive(): Promise<void> {
    const { agenda, isDead, spins, crash } = this.#parts;
    if (this.#turn !== agenda.turns) this.#calls = 0;
    this.#turn = agenda.turns;
    if (++this.#calls > callsPerTurnMax) {
      spins();
      crash();
    }
    if (isDead()) await never;
  }
}
