// Wakes jobs and schedules whose time has come. The store knows every timer; memory holds only those that are
// due soon, in a window that moves on, so that a million sleepers cost rows and no memory.
//
// Invariants: every stored timer due before `horizon` is in the heap or on its way to the loop;
// at most `countMax` timers plus one page are in memory; nothing fires before its time by the
// clock's own reading, and the engine checks again.
//
// It must not know what a timer is for, nor what firing it leads to.
import { messageOf } from "../server-error.ts";
import type { CommandInput } from "./batch.ts";
import type { Clock, TimerHandle } from "./clock.ts";
import type { Log } from "./log.ts";
import { TimerHeap, type Timed } from "./timer-heap.ts";
import type { TimerSource } from "./timer-source.ts";

export interface TimerLimits {
  /** How far ahead timers are read from the store. */
  readonly windowMs: number;
  /** Longest time between two looks at the clock: how late a timer is when the clock jumps. */
  readonly tickMs: number;
  /** Timers read from the store at once. */
  readonly pageSize: number;
  /** Timers in memory, above which new ones stay in the store alone. */
  readonly countMax: number;
  /** Timers given to the loop and not yet answered. */
  readonly firingMax: number;
}

export const defaultTimerLimits: TimerLimits = {
  windowMs: 60_000,
  tickMs: 1_000,
  pageSize: 1_000,
  countMax: 10_000,
  firingMax: 1_000,
};

export interface TimersParts<T> {
  readonly source: TimerSource<T>;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: TimerLimits;
  /** Hands the command of a timer to the loop; settles when it was decided and committed. */
  readonly report: (command: CommandInput) => Promise<unknown>;
}

/** A timer that the engine could not take (a bug) is tried again after this. */
const faultDelayMs = 60_000;

export class Timers<T extends { readonly dueAt: number }> {
  readonly #parts: TimersParts<T>;
  readonly #heap = new TimerHeap<T>();
  /** Due times of what is in the heap, by key; a heap entry with another time is out of date. */
  readonly #known = new Map<string, number>();
  readonly #firing = new Set<string>();
  /** Timers due before this are in memory. */
  #horizon = Number.NEGATIVE_INFINITY;
  /** There may be more in the store right behind the horizon. */
  #partial = true;
  /** While a page is being read: its end; what is committed meanwhile may not be in it. */
  #reading: number | null = null;
  /** Earliest timer that found no room while a page was being read. */
  #overflow = Number.POSITIVE_INFINITY;
  /** Due times of timers that were fired and answered for, and that the store may still show. */
  #answered = new Map<string, number>();
  /** The page being read may lack what `readAgain` is about. */
  #outdated = false;
  #handle: TimerHandle | null = null;
  #stopped = false;

  constructor(parts: TimersParts<T>) {
    this.#parts = parts;
  }

  /** Timers held in memory. */
  get size(): number {
    return this.#known.size + this.#firing.size;
  }

  /** Reads what is due soon; overdue timers fire in pages. Call once. */
  start(): void {
    this.#tick();
  }

  /** Timers may have come into the store without `add`: everything that is due soon is read again. */
  readAgain(): void {
    if (this.#handle === null) return; // not started, so nothing was read
    this.#horizon = Number.NEGATIVE_INFINITY;
    this.#partial = true;
    this.#answered.clear();
    if (this.#reading === null) this.#tick();
    else this.#outdated = true;
  }

  stop(): void {
    this.#stopped = true;
    this.#handle?.cancel();
  }

  /** A commit brought a timer. */
  add(timer: T): void {
    const { dueAt } = timer;
    if (this.#stopped) return;
    // Beyond the window it is found in the store when its time is near.
    if (dueAt >= this.#horizon && (this.#reading === null || dueAt >= this.#reading)) return;
    if (this.#known.size >= this.#parts.limits.countMax) {
      this.#overflow = Math.min(this.#overflow, dueAt);
      this.#endWindow();
      return;
    }
    const first = this.#heap.peek();
    this.#hold(this.#timed(timer));
    if (first === undefined || dueAt < first.dueAt) this.#schedule();
  }

  /** A timer that found no room ends the window: it and all behind it are read again. */
  #endWindow(): void {
    if (this.#overflow >= this.#horizon) return;
    this.#horizon = this.#overflow;
    this.#partial = true;
  }

  #timed(timer: T): Timed<T> {
    return { key: this.#parts.source.keyOf(timer), dueAt: timer.dueAt, timer };
  }

  #hold(timed: Timed<T>): void {
    if (this.#known.get(timed.key) === timed.dueAt) return;
    this.#known.set(timed.key, timed.dueAt);
    this.#heap.push(timed);
  }

  #tick(): void {
    if (this.#stopped) return;
    this.#fire();
    if (this.#needsRefill()) void this.#refill();
    this.#schedule();
  }

  #fire(): void {
    const now = this.#parts.clock.now();
    const { firingMax } = this.#parts.limits;
    for (
      let timed = this.#heap.peek();
      timed !== undefined && timed.dueAt <= now;
      timed = this.#heap.peek()
    ) {
      if (this.#firing.size >= firingMax) return;
      this.#heap.pop();
      if (this.#known.get(timed.key) !== timed.dueAt) continue;
      this.#known.delete(timed.key);
      void this.#send(timed);
    }
  }

  async #send(timed: Timed<T>): Promise<void> {
    const { key, dueAt, timer } = timed;
    this.#firing.add(key);
    let again = dueAt;
    try {
      await this.#parts.report(this.#parts.source.commandOf(timer));
      this.#answered.set(key, dueAt);
    } catch (error) {
      this.#parts.log.error({ err: error, timer }, "a timer could not be taken");
      again = this.#parts.clock.now() + faultDelayMs;
    }
    this.#firing.delete(key);
    // The clock went back while the command was on its way: the engine found it too early.
    if (this.#parts.clock.now() < again && !this.#known.has(key))
      this.#hold({ ...timed, dueAt: again });
    if (this.#firing.size === 0 || this.#parts.limits.firingMax - this.#firing.size === 1)
      this.#tick();
  }

  #needsRefill(): boolean {
    if (this.#reading !== null) return false;
    const { windowMs, pageSize } = this.#parts.limits;
    const now = this.#parts.clock.now();
    if (!this.#partial) return now >= this.#horizon - windowMs / 2;
    // With a page on its way to the loop the store would mostly repeat what is known.
    if (this.#known.size < pageSize / 4) return this.#firing.size < pageSize;
    return now >= this.#horizon && (this.#heap.peek()?.dueAt ?? 0) > now;
  }

  async #refill(): Promise<void> {
    const { windowMs, pageSize } = this.#parts.limits;
    const until = this.#parts.clock.now() + windowMs;
    const limit = pageSize + this.size;
    this.#reading = until + 1;
    this.#overflow = Number.POSITIVE_INFINITY;
    try {
      const page = await this.#parts.source.read(until, limit);
      this.#reading = null;
      this.#absorb(page, page.length >= limit, until);
      if (this.#outdated) this.#horizon = Number.NEGATIVE_INFINITY;
      this.#partial ||= this.#outdated;
      this.#outdated = false;
      this.#tick();
    } catch (error) {
      this.#reading = null;
      if (this.#stopped) return;
      this.#parts.log.warn({ err: error }, `timers could not be read: ${messageOf(error)}`);
      this.#schedule(); // the next tick tries again
    }
  }

  #absorb(page: readonly T[], full: boolean, until: number): void {
    const last = page[page.length - 1];
    this.#partial = full;
    // More may be due in the very millisecond at which a full page ends.
    this.#horizon = full && last !== undefined ? last.dueAt : until + 1;
    this.#endWindow();
    const answered = this.#answered;
    this.#answered = new Map();
    for (const timer of page) {
      const timed = this.#timed(timer);
      if (answered.get(timed.key) === timed.dueAt) this.#putOff(timed);
      else if (!this.#firing.has(timed.key)) this.#hold(timed);
    }
  }

  /** What was fired and is still there would be fired without end: another process may own it. */
  #putOff(timed: Timed<T>): void {
    this.#answered.set(timed.key, timed.dueAt);
    if (this.#known.has(timed.key)) return;
    this.#hold({ ...timed, dueAt: this.#parts.clock.now() + faultDelayMs });
  }

  #schedule(): void {
    this.#handle?.cancel();
    if (this.#stopped) return;
    const { tickMs, firingMax } = this.#parts.limits;
    const now = this.#parts.clock.now();
    let delayMs = tickMs;
    // Above the limit the next answer of the loop brings the next look.
    if (this.#firing.size < firingMax)
      delayMs = Math.min(delayMs, (this.#heap.peek()?.dueAt ?? now + tickMs) - now);
    if (this.#partial && this.#horizon > now) delayMs = Math.min(delayMs, this.#horizon - now);
    this.#handle = this.#parts.clock.after(Math.max(delayMs, 0), () => this.#tick());
  }
}
