// A store that fails when a test says so: before or after it has written, or in reading. It must
// not know what is in its way.
import type { Change } from "@pawl/engine/changes";
import { StoreError } from "@pawl/store/store-error";
import type { Fence, Store } from "@pawl/store/store";

/**
 * - `done`: as it should be.
 * - `refused`: nothing is written, and the caller is told.
 * - `lost`: nothing is written, and the caller never hears of it: the process dies before.
 * - `unheard`: written, but the caller never hears of it: the process dies after.
 */
export type Fate = "done" | "refused" | "lost" | "unheard";

export interface Faults {
  /** The fate of the n-th commit, from 1. */
  readonly commit: (n: number) => Fate;
  /** Whether the n-th read (open, load, due, list), from 1, succeeds. */
  readonly read: (n: number) => boolean;
}

export class FaultyStore implements Store {
  readonly #store: Store;
  readonly #faults: Faults;
  #reads = 0;
  #commits = 0;
  readonly watch: Store["watch"];
  readonly close: Store["close"];

  constructor(store: Store, faults: Faults) {
    this.#store = store;
    this.#faults = faults;
    this.watch = store.watch.bind(store);
    this.close = store.close.bind(store);
  }

  open: Store["open"] = () => this.#store.open();
  load: Store["load"] = (needs) => this.#read(() => this.#store.load(needs));
  due: Store["due"] = (query) => this.#read(() => this.#store.due(query));
  list: Store["list"] = (query) => this.#read(() => this.#store.list(query));

  async commit(changes: readonly Change[], fence: Fence): Promise<void> {
    const fate = this.#faults.commit(++this.#commits);
    if (fate === "refused") throw new StoreError("store_failed", "made to fail");
    if (fate !== "lost") await this.#store.commit(changes, fence);
    if (fate !== "done") await new Promise<never>(() => undefined);
  }

  async #read<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#faults.read(++this.#reads)) throw new StoreError("store_failed", "made to fail");
    return work();
  }
}
