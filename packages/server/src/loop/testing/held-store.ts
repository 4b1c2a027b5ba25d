// A store whose commits tests can watch, hold back and make fail.
import type { Change } from "@pawl/engine/changes";
import { StoreError, type StoreErrorCode } from "@pawl/store/store-error";
import type { Fence, Store } from "@pawl/store/store";

export class HeldStore implements Store {
  /** The changes of each commit that was begun. */
  readonly commits: (readonly Change[])[] = [];
  loads = 0;
  /** The next commits fail with these; null lets one pass. */
  failures: (StoreErrorCode | null)[] = [];
  /** Fails every commit that holds a matching change. */
  refuse: ((change: Change) => boolean) | null = null;
  #held: (() => void)[] | null = null;
  readonly #store: Store;
  readonly open: Store["open"];
  readonly due: Store["due"];
  readonly list: Store["list"];
  readonly watch: Store["watch"];
  readonly close: Store["close"];

  constructor(store: Store) {
    this.#store = store;
    this.open = store.open.bind(store);
    this.due = store.due.bind(store);
    this.list = store.list.bind(store);
    this.watch = store.watch.bind(store);
    this.close = store.close.bind(store);
  }

  /** From now on commits wait for `release`. */
  hold(): void {
    this.#held ??= [];
  }

  /** Lets the commits that wait go on; later ones wait again. */
  release(): void {
    for (const go of this.#held?.splice(0) ?? []) go();
  }

  /** Lets all commits go on. */
  releaseAll(): void {
    const held = this.#held;
    this.#held = null;
    for (const go of held ?? []) go();
  }

  load: Store["load"] = (needs) => {
    this.loads++;
    return this.#store.load(needs);
  };

  async commit(changes: readonly Change[], fence: Fence): Promise<void> {
    this.commits.push([...changes]);
    const held = this.#held;
    if (held !== null) await new Promise<void>((resolve) => held.push(resolve));
    const code = this.failures.shift() ?? null;
    if (code !== null) throw new StoreError(code, `made to fail with ${code}`);
    const { refuse } = this;
    if (refuse !== null && changes.some(refuse))
      throw new StoreError("store_failed", "made to refuse a change");
    await this.#store.commit(changes, fence);
  }
}
