// How a contract test gets at a store, asks it one thing, and leaves nothing behind.
import { test } from "node:test";
import type { Change } from "@pawl/engine/changes";
import type { Found, Need } from "@pawl/engine/needs";
import { StoreError } from "../store-error.ts";
import type { StoreErrorCode } from "../store-error.ts";
import type { Fence, Store } from "../store.ts";

/** A new, empty database and the stores over it. */
export interface MadeStore {
  /** Not yet opened. */
  readonly store: Store;
  /** Closes the store that is open and makes another over the same database; not yet opened. */
  reopen(): Promise<Store>;
  /** Closes what is open and removes the database. */
  cleanup(): Promise<void>;
}

export type MakeStore = () => Promise<MadeStore>;

/** A database under test: its open store and the fence of it. */
export class Subject {
  readonly #made: MadeStore;
  store: Store;
  fence: Fence;

  constructor(made: MadeStore, fence: Fence) {
    this.#made = made;
    this.store = made.store;
    this.fence = fence;
  }

  async commit(...changes: readonly Change[]): Promise<void> {
    await this.store.commit(changes, this.fence);
  }

  /** The answer to one need. */
  async find<K extends Need["kind"]>(
    need: Extract<Need, { kind: K }>,
  ): Promise<Extract<Found, { need: { kind: K } }>> {
    const [found] = await this.store.load([need]);
    return found as Extract<Found, { need: { kind: K } }>; // proof: one answer a need, of its kind
  }

  /** Closes the store and opens another over the same database. */
  async reopen(): Promise<void> {
    this.store = await this.#made.reopen();
    this.fence = await this.store.open();
  }
}

/** Registers a test over a new database. */
export function storeTest(
  make: MakeStore,
  title: string,
  run: (subject: Subject) => Promise<void>,
): void {
  test(title, async () => {
    const made = await make();
    try {
      await run(new Subject(made, await made.store.open()));
    } finally {
      await made.cleanup();
    }
  });
}

/** For `assert.rejects`: the error is a `StoreError` of this code. */
export function hasCode(code: StoreErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof StoreError && error.code === code;
}
