// Sends the traces of ended runs to an OTLP collector: a bounded queue of run ids, taken in batches
// by one worker beside everything else. A collector that is slow or gone costs traces, which are
// counted, and nothing more. It must not know how spans are written.
// Invariant: at most one batch is under way, and nobody but `flush` waits for it.
import type { Change } from "@pawl/engine/changes";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Clock, TimerHandle } from "../loop/clock.ts";
import type { Log } from "../loop/log.ts";
import type { EndedRun } from "../query/queries.ts";
import { messageOf } from "../server-error.ts";
import type { OtlpOptions } from "./otlp-options.ts";
import type { Sender } from "./sender.ts";

export interface RunExportParts {
  readonly options: OtlpOptions;
  /** Null: the run is gone, or has not ended. */
  readonly endedRun: (runId: string) => Promise<EndedRun | null>;
  /** Asked once, when the first run has ended. */
  readonly loadSender: () => Promise<Sender>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Since the start of the process. */
export interface ExportCounts {
  readonly spansSent: number;
  /** Given to the collector, which did not take them. */
  readonly spansDropped: number;
  /** Runs that found the queue full, or could not be read. */
  readonly runsDropped: number;
  readonly runsWaiting: number;
}

/** How long ended runs gather before they are sent together. */
const gatherMs = 500;
/** Spans in one request, about. */
const spansPerRequest = 512;
/** Trouble is told this often at most. */
const tellMs = 60_000;

export class RunExport {
  readonly #parts: RunExportParts;
  readonly #waiting = new Set<string>();
  #sender: Promise<Sender> | null = null;
  #timer: TimerHandle | null = null;
  #working: Promise<void> | null = null;
  #ending = false;
  #stopped = false;
  #spansSent = 0;
  #spansDropped = 0;
  #runsDropped = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(parts: RunExportParts) {
    this.#parts = parts;
  }

  get counts(): ExportCounts {
    return {
      spansSent: this.#spansSent,
      spansDropped: this.#spansDropped,
      runsDropped: this.#runsDropped,
      runsWaiting: this.#waiting.size,
    };
  }

  /** Takes in the changes of a commit: the runs that it ended wait to be sent. */
  committed(changes: readonly Change[]): void {
    for (const change of changes)
      if (change.type === "run.put" && change.run.endedAt !== null) this.#add(change.run.id);
  }

  /** Sends what waits, for `withinMs` at most; what is left then is dropped. The end of its life. */
  async flush(withinMs: number): Promise<void> {
    this.#ending = true;
    this.#timer?.cancel();
    let over = (): void => undefined;
    const timer = this.#parts.clock.after(withinMs, () => over());
    await Promise.race([this.#finish(), new Promise<void>((resolve) => (over = resolve))]);
    timer.cancel();
    this.#stopped = true;
    this.#drop(this.#waiting.size, "the server stops");
    this.#waiting.clear();
    void this.#sender?.then((sender) => sender.close()).catch(() => undefined); // nobody is left to tell
  }

  async #finish(): Promise<void> {
    await this.#working;
    await this.#work();
  }

  #add(runId: string): void {
    if (this.#stopped || this.#waiting.has(runId)) return;
    const { queueMax } = this.#parts.options;
    if (this.#waiting.size >= queueMax) {
      return this.#drop(1, `the queue is full (--otlp-queue-max ${String(queueMax)})`);
    }
    this.#waiting.add(runId);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#ending || this.#timer !== null || this.#working !== null) return;
    this.#timer = this.#parts.clock.after(gatherMs, () => {
      this.#timer = null;
      this.#working = this.#work().finally(() => {
        this.#working = null;
        if (this.#waiting.size > 0) this.#schedule();
      });
    });
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    let spans: ReadableSpan[] = [];
    for (const runId of this.#waiting) {
      if (this.#isOver()) return;
      this.#waiting.delete(runId);
      for (const span of await this.#spansOf(runId)) {
        spans.push(span);
        if (spans.length < spansPerRequest) continue;
        if (this.#isOver()) return;
        await this.#send(spans);
        spans = [];
      }
    }
    if (spans.length > 0) await this.#send(spans);
  }

  /** Asked again after each wait: `flush` may have given up meanwhile. */
  #isOver(): boolean {
    return this.#stopped;
  }

  async #spansOf(runId: string): Promise<readonly ReadableSpan[]> {
    try {
      const [ended, sender] = await Promise.all([this.#parts.endedRun(runId), this.#loaded()]);
      return ended === null ? [] : sender.spansOf(ended);
    } catch (error) {
      this.#drop(1, messageOf(error));
      return [];
    }
  }

  async #send(spans: readonly ReadableSpan[]): Promise<void> {
    const sender = await this.#loaded();
    const problem = await sender.send(spans);
    if (problem === null) this.#spansSent += spans.length;
    else {
      this.#spansDropped += spans.length;
      this.#tell(problem);
    }
  }

  #loaded(): Promise<Sender> {
    return (this.#sender ??= this.#parts.loadSender());
  }

  #drop(runs: number, problem: string): void {
    if (runs === 0) return;
    this.#runsDropped += runs;
    this.#tell(problem);
  }

  #tell(problem: string): void {
    const { clock, log, options } = this.#parts;
    if (clock.now() - this.#toldAt < tellMs) return;
    this.#toldAt = clock.now();
    const { spansDropped, runsDropped } = this.counts;
    const { origin } = new URL(options.url);
    log.warn(
      { spansDropped, runsDropped, collector: origin },
      `traces of runs do not reach the OTLP collector at ${origin}: ${problem}; ${String(spansDropped)} span(s) and ${String(runsDropped)} run(s) were dropped so far`,
    );
  }
}
