// Performs bulk actions: a page of runs at a time with pauses between, so that it never delays the
// others. What is found is committed before it is acted on, and acting twice on a run changes nothing the second
// time, so a process that dies in the middle is followed by one that goes on. What an action means
// for a run is the engine's decision.
import type { Seed } from "@pawl/engine/command-base";
import type { Reply } from "@pawl/engine/decision";
import type { BulkRecord } from "@pawl/engine/bulk-records";
import { sha256Hex } from "@pawl/protocol/sha256";
import type { Store } from "@pawl/store/store";
import { messageOf } from "../server-error.ts";
import type { CommandInput } from "./batch.ts";
import type { Clock, TimerHandle } from "./clock.ts";
import type { Log } from "./log.ts";
import { findRuns } from "./run-selection.ts";

export interface BulkLimits {
  /** Runs that are looked at in one go. */
  readonly pageSize: number;
  /** Runs of them that are in memory, acted on, at the same time. */
  readonly atOnce: number;
  /** Time between two pages, ms. */
  readonly pauseMs: number;
  /** How long ended actions are kept, ms: as completed runs; null keeps them for ever. */
  readonly keepMs: number | null;
}

export const defaultBulkLimits: Omit<BulkLimits, "keepMs"> = {
  pageSize: 100,
  atOnce: 10,
  pauseMs: 100,
};

/** Between two tries while the store does not answer, ms. */
const retryMs = 1_000;

export interface BulkParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: BulkLimits;
  /** Hands a command to the loop; settles when it was decided and committed. */
  readonly report: (command: CommandInput) => Promise<Reply>;
}

export class BulkRunner {
  readonly #parts: BulkParts;
  #timer: TimerHandle | null = null;
  #working = false;
  /** An action came while a page was under way. */
  #hasNews = false;
  #stopped = false;
  #unwatch = (): void => undefined;

  constructor(parts: BulkParts) {
    this.#parts = parts;
  }

  /** Goes on with what an earlier process left, and with whatever is wanted from now on. */
  start(): void {
    this.#unwatch = this.#parts.store.watch((changes) => {
      if (changes.some((change) => change.type === "bulk.put")) this.#wake();
    });
    this.#wake();
  }

  /** Begins nothing new. */
  stop(): void {
    this.#stopped = true;
    this.#unwatch();
    this.#timer?.cancel();
  }

  #wake(): void {
    this.#hasNews = true;
    if (!this.#working && this.#timer === null) this.#after(0);
  }

  #after(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = this.#parts.clock.after(delayMs, () => {
      this.#timer = null;
      void this.#step();
    });
  }

  /** One page of each action that goes on. */
  async #step(): Promise<void> {
    this.#working = true;
    this.#hasNews = false;
    let delayMs: number | null = null;
    try {
      const bulks = await this.#parts.store.list<"bulks">({ type: "bulks" });
      await this.#forgetOld(bulks);
      for (const bulk of bulks.filter(isOpen).toReversed()) {
        if (this.#stopped) return;
        await this.#advance(bulk);
        delayMs = this.#parts.limits.pauseMs;
      }
    } catch (error) {
      if (this.#stopped) return;
      this.#parts.log.warn({ err: error }, `a bulk action waits: ${messageOf(error)}`);
      delayMs = retryMs;
    } finally {
      this.#working = false;
    }
    if (delayMs === null && this.#hasNews) delayMs = this.#parts.limits.pauseMs;
    if (delayMs !== null) this.#after(delayMs);
  }

  async #advance(bulk: BulkRecord): Promise<void> {
    if (bulk.underWay.length > 0) return this.#act(bulk);
    const { store, clock, limits } = this.#parts;
    const place = { behind: bulk.cursor, limit: limits.pageSize, at: clock.now() };
    const { runIds, examined, cursor } = await findRuns(store, bulk.selection, place);
    if (cursor === null) return void (await this.#progress(bulk, { step: "ended" }));
    const { behind } = place;
    const found = await this.#progress(bulk, { step: "found", behind, cursor, examined, runIds });
    if (found !== null && found.underWay.length > 0) await this.#act(found);
  }

  /** Acts on the runs of a page, and counts what became of them. */
  async #act(bulk: BulkRecord): Promise<void> {
    const problems: (string | null)[] = [];
    const { atOnce } = this.#parts.limits;
    for (let from = 0; from < bulk.underWay.length; from += atOnce) {
      const runIds = bulk.underWay.slice(from, from + atOnce);
      problems.push(...(await Promise.all(runIds.map((runId) => this.#actOn(bulk, runId)))));
    }
    const failures = problems.filter((problem) => problem !== null);
    await this.#progress(bulk, {
      step: "done",
      cursor: bulk.cursor ?? "",
      done: problems.length - failures.length,
      failed: failures.length,
      problem: failures.at(-1) ?? null,
    });
  }

  /** Why a run could not be acted on; null: it was, now or before. */
  async #actOn(bulk: BulkRecord, runId: string): Promise<string | null> {
    const reply = await this.#parts.report(commandFor(bulk, runId));
    if (reply.ok) return null;
    // A run that went with one of the others is as it was wanted.
    const isMoot = reply.code === "run_ended" && (await this.#isCancelled(runId));
    return isMoot ? null : reply.message;
  }

  async #isCancelled(runId: string): Promise<boolean> {
    const [found] = await this.#parts.store.load([{ kind: "run", runId }]);
    return found !== undefined && "run" in found && found.run?.run.status === "cancelled";
  }

  /** The action as it is then; null: it is gone. */
  async #progress(
    { id }: BulkRecord,
    progress: Extract<CommandInput, { type: "bulk.progressed" }>["progress"],
  ): Promise<BulkRecord | null> {
    const reply = await this.#parts.report({ type: "bulk.progressed", bulkId: id, progress });
    return reply.ok && reply.value.type === "bulk" ? reply.value.bulk : null;
  }

  async #forgetOld(bulks: readonly BulkRecord[]): Promise<void> {
    const { keepMs } = this.#parts.limits;
    if (keepMs === null) return;
    const before = this.#parts.clock.now() - keepMs;
    for (const { id, endedAt } of bulks) {
      if (endedAt !== null && endedAt < before) {
        await this.#parts.report({ type: "bulk.removed", bulkId: id });
      }
    }
  }
}

/** Whether there is something to do. What was stopped still ends the page that it is in. */
function isOpen({ state, underWay }: BulkRecord): boolean {
  return state === "active" || underWay.length > 0;
}

function commandFor(bulk: BulkRecord, runId: string): CommandInput {
  if (bulk.kind === "rerun") {
    return { type: "run.rerun", runId, newRun: repeatOf(bulk, runId), fromStep: null, gate: null };
  }
  return { type: "run.cancelled", runId, reason: `bulk action ${bulk.id}` };
}

/** The run that repeats another follows from action and run: it is made once. */
function repeatOf({ id, createdAt }: BulkRecord, runId: string): { at: number; seed: Seed } {
  const hash = sha256Hex(`${id}/${runId}`);
  const word = (at: number): number => Number.parseInt(hash.slice(8 * at, 8 * at + 8), 16);
  return { at: createdAt, seed: [word(0), word(1), word(2), word(3)] };
}
