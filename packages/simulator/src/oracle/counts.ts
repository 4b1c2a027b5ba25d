// Judges how many starts come of the sends: it counts rates, singletons and idempotency itself, from
// the order in which starts were written, and compares each outcome. It must not know how the engine
// remembers any of them.
import { defaultSettings } from "@pawl/engine/settings";
import type { RunRecord } from "@pawl/engine/records";
import { mayGather, type Mirror } from "./mirror.ts";
import type { Accuse } from "./violation.ts";

const minute = 60_000;

export class CountJudge {
  readonly #mirror: Mirror;
  readonly #accuse: Accuse;
  /** Up to when the starts of a function have used its rate, ms since the epoch. */
  readonly #usedUntil = new Map<string, number>();
  /** The last start by function and key, of functions that start once. */
  readonly #onces = new Map<string, number>();

  constructor(mirror: Mirror, accuse: Accuse) {
    this.#mirror = mirror;
    this.#accuse = accuse;
  }

  /** A run is about to be written; all before it are in the mirror. */
  written(run: RunRecord): void {
    // Only what an event or an invocation starts passes flow control, and does so once.
    if (run.originalRunId !== null) return;
    const known = this.#mirror.runs.get(run.id)?.run;
    if (known !== undefined) return this.#checkLateSkip(run, known.status);
    const expected = this.#refusalOf(run);
    const reason = run.status === "skipped" ? (run.endReason ?? "") : null;
    const isExpected = expected === null ? reason === null : reason?.startsWith(expected) === true;
    if (!isExpected)
      this.#accuse(
        "count-wrong",
        `run ${run.id} of ${run.functionId} is ${run.status} (${reason ?? "no reason"}); it should be ${expected ?? "started"}`,
      );
    if (reason === null) this.#checkOnce(run);
  }

  /** Reason of the skip that is due; null: none is. */
  #refusalOf(run: RunRecord): "rate limit" | "singleton" | null {
    const { startsPerMinute, singleton } = this.#mirror.deployments.flowOf(run.functionId);
    if (startsPerMinute !== undefined && !this.#usesRate(run, startsPerMinute)) return "rate limit";
    if (singleton !== "skip") return null;
    // One that gathers is skipped at once only when its events are complete at once.
    if (this.#gathers(run) && run.status !== "skipped") return null;
    return this.#isInTheWay(run) ? "singleton" : null;
  }

  /** A run that has gathered its events may start no more if another holds its place by then. */
  #checkLateSkip(run: RunRecord, before: RunRecord["status"]): void {
    if (run.status !== "skipped" || before === "skipped") return;
    const { singleton } = this.#mirror.deployments.flowOf(run.functionId);
    if (singleton !== "skip" || !this.#isInTheWay(run))
      this.#accuse("count-wrong", `run ${run.id} is skipped, and nothing is in its way`);
  }

  /** Whether another run goes on; of those that gather and are throttled nobody can tell. */
  #isInTheWay(run: RunRecord): boolean {
    const isUnclear = this.#mirror.deployments.flowOf(run.functionId).throttleMs !== undefined;
    return (isUnclear && this.#gathers(run) && run.status === "skipped") || this.#hasOpen(run);
  }

  /** Whether a new run takes events, so that the singleton is asked for later. */
  #gathers(run: RunRecord): boolean {
    return mayGather(this.#mirror.deployments.flowOf(run.functionId), this.#keyOf(run));
  }

  /** So many at once, after that one each time that a part of the minute is over. */
  #usesRate({ functionId, queuedAt }: RunRecord, starts: number): boolean {
    const intervalMs = minute / starts;
    const usedUntil = this.#usedUntil.get(functionId) ?? 0;
    if (usedUntil - queuedAt > intervalMs * (starts - 1)) return false;
    this.#usedUntil.set(functionId, Math.max(usedUntil, queuedAt) + intervalMs);
    return true;
  }

  #hasOpen(run: RunRecord): boolean {
    const key = this.#keyOf(run);
    for (const other of this.#mirror.runs.values()) {
      const isOther = other.run.functionId === run.functionId && Object.is(other.key, key);
      if (!isOther || other.run.id === run.id || other.endedIn !== null) continue;
      if (!this.#mirror.isGathering(other)) return true;
    }
    return false;
  }

  #checkOnce(run: RunRecord): void {
    if (this.#mirror.deployments.flowOf(run.functionId).once !== true) return;
    const name = `${run.functionId}/${this.#keyOf(run)}`;
    const before = this.#onces.get(name);
    this.#onces.set(name, run.queuedAt);
    if (before !== undefined && Math.abs(run.queuedAt - before) < defaultSettings.idempotencyMs)
      this.#accuse("count-wrong", `run ${run.id} is a second one of ${name}, which starts once`);
  }

  #keyOf(run: RunRecord): number {
    return this.#mirror.everStored.get(run.eventIds[0] ?? "")?.key ?? Number.NaN;
  }
}
