// Virtual time: what happens next, in order of time and then of planning. Between two entries
// everything that needs no time comes to rest, so the order of all that happens follows from the
// seed alone. It must not know what the entries do.
import type { TimerHandle } from "@pawl/server/loop/clock";

interface Entry {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | null;
}

/** A wake-up that the garbage collector may take: the promise of somebody who is dead. */
export const never: Promise<never> = new Promise(() => undefined);

export class Agenda {
  readonly #heap: Entry[] = [];
  #elapsedMs = 0;
  #order = 0;
  #turns = 0;

  /** Virtual ms since the beginning. */
  get elapsedMs(): number {
    return this.#elapsedMs;
  }

  /** Entries that ran. */
  get turns(): number {
    return this.#turns;
  }

  after(delayMs: number, run: () => void): TimerHandle {
    const entry: Entry = {
      atMs: this.#elapsedMs + Math.max(0, delayMs),
      order: this.#order++,
      run,
    };
    this.#push(entry);
    return { cancel: () => (entry.run = null) };
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  /** Lets the next thing happen and all that follows at once. False: nothing is planned. */
  async turn(): Promise<boolean> {
    for (let entry = this.#pop(); entry !== undefined; entry = this.#pop()) {
      if (entry.run === null) continue;
      this.#elapsedMs = entry.atMs;
      this.#turns++;
      entry.run();
      await settled();
      return true;
    }
    return false;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(entry, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = entry;
  }

  #pop(): Entry | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(entry: Entry): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      const left = heap[2 * index + 1];
      const right = heap[2 * index + 2];
      if (left === undefined) break;
      const child = right !== undefined && isBefore(right, left) ? right : left;
      if (!isBefore(child, entry)) break;
      heap[index] = child;
      index = child === left ? 2 * index + 1 : 2 * index + 2;
    }
    heap[index] = entry;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Resolves when no microtask is left: a turn of the event loop begins after all of them. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
