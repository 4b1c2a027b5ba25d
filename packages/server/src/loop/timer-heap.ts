// A binary min-heap of timers by due time. It must not know clocks.

/** A timer and when it is to fire, which may be later than it was due. */
export interface Timed<T> {
  readonly key: string;
  readonly dueAt: number;
  readonly timer: T;
}

export class TimerHeap<T> {
  readonly #timers: Timed<T>[] = [];

  get size(): number {
    return this.#timers.length;
  }

  /** The timer that is due first; undefined when there is none. */
  peek(): Timed<T> | undefined {
    return this.#timers[0];
  }

  push(timed: Timed<T>): void {
    const timers = this.#timers;
    let index = timers.length;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = timers[parentIndex];
      if (parent === undefined || parent.dueAt <= timed.dueAt) break;
      timers[index] = parent;
      index = parentIndex;
    }
    timers[index] = timed;
  }

  /** Removes and returns the timer that is due first. */
  pop(): Timed<T> | undefined {
    const first = this.#timers[0];
    const last = this.#timers.pop();
    if (last !== undefined && this.#timers.length > 0) this.#sink(last);
    return first;
  }

  #sink(timed: Timed<T>): void {
    const timers = this.#timers;
    let index = 0;
    for (;;) {
      const left = timers[2 * index + 1];
      const right = timers[2 * index + 2];
      if (left === undefined) break;
      const child = right !== undefined && right.dueAt < left.dueAt ? right : left;
      if (child.dueAt >= timed.dueAt) break;
      timers[index] = child;
      index = child === left ? 2 * index + 1 : 2 * index + 2;
    }
    timers[index] = timed;
  }
}
