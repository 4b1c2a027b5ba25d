// The store that forgets: for tests, simulation and `--in-memory`. Deterministic: no clock, no
// timers, no I/O; every promise settles in the next microtask. Stores made with the same data see
// one database, so "crash and open again" is a new store on the old data.
import type { Change } from "@pawl/engine/changes";
import type { Found, Need } from "@pawl/engine/needs";
import { applyChange } from "./memory/apply.ts";
import { answerDue } from "./memory/due.ts";
import { answerList } from "./memory/list.ts";
import { answerNeed } from "./memory/load.ts";
import { countRuns } from "./memory/retained.ts";
import { createMemoryData } from "./memory/memory-data.ts";
import type { MemoryData } from "./memory/memory-data.ts";
import { StoreError } from "./store-error.ts";
import type { DueQuery, DueResults, Fence, ListQuery, ListResults, Store } from "./store.ts";
import { Listeners } from "./listeners.ts";

export interface MemoryStoreOptions {
  /** The database; a new one when absent. See `createMemoryData`. */
  readonly data?: MemoryData;
  /**
   * Called twice around each commit; may throw, which rejects the commit. Thrown `before`, nothing
   * was written. Thrown `after`, the changes are there and only the acknowledgement is lost, as
   * when a process dies between the two. Meant for injected faults.
   */
  readonly onCommit?: (changes: readonly Change[], when: "before" | "after") => void;
}

/** A store in memory. Not durable; otherwise it keeps the whole contract. */
export function createMemoryStore(options: MemoryStoreOptions = {}): Store {
  return new MemoryStore(options);
}

class MemoryStore implements Store {
  readonly #data: MemoryData;
  readonly #onCommit: MemoryStoreOptions["onCommit"];
  readonly #listeners = new Listeners();
  #isOpen = false;

  constructor(options: MemoryStoreOptions) {
    this.#data = options.data ?? createMemoryData();
    this.#onCommit = options.onCommit;
  }

  async open(): Promise<Fence> {
    if (this.#isOpen) throw new StoreError("store_failed", "This store in memory is already open.");
    this.#isOpen = true;
    return { epoch: ++this.#data.epoch };
  }

  async load(needs: readonly Need[]): Promise<readonly Found[]> {
    this.#assertOpen();
    return needs.map((need) => answerNeed(this.#data, need));
  }

  async commit(changes: readonly Change[], fence: Fence): Promise<void> {
    this.#assertOpen();
    if (fence.epoch !== this.#data.epoch) throw fenced(fence.epoch, this.#data.epoch);
    this.#onCommit?.(changes, "before");
    for (const change of changes) applyChange(this.#data, change);
    countRuns(this.#data);
    this.#onCommit?.(changes, "after");
    this.#listeners.tell(changes);
  }

  async due<K extends DueQuery["kind"]>(
    query: Extract<DueQuery, { kind: K }>,
  ): Promise<DueResults[K]> {
    this.#assertOpen();
    return answerDue(this.#data, query) as DueResults[K]; // proof: the answer is of the query's kind
  }

  async list<T extends ListQuery["type"]>(
    query: Extract<ListQuery, { type: T }>,
  ): Promise<ListResults[T]> {
    this.#assertOpen();
    return answerList(this.#data, query) as ListResults[T]; // proof: the answer is of the query's type
  }

  watch(listener: (changes: readonly Change[]) => void): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#isOpen = false;
  }

  #assertOpen(): void {
    if (!this.#isOpen) throw new StoreError("store_closed", "The store in memory is not open.");
  }
}

function fenced(epoch: number, owner: number): StoreError {
  return new StoreError(
    "store_fenced",
    `The store in memory now belongs to epoch ${owner}; epoch ${epoch} must stop writing.`,
  );
}
