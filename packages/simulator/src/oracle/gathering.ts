// Judges runs that gather events before they begin: batches are in order of arrival and of one kind,
// a start that is put off runs with the last event by its time, and neither has a second beside it
// that gathers as well. It must not know what the engine calls such a run's place.
import type { EventRecord, Job, RunRecord } from "@pawl/engine/records";
import type { ProgramFlow } from "../app/flow.ts";
import type { Mirror } from "./mirror.ts";
import type { Accuse } from "./violation.ts";

/** A run that gathers, or has gathered. */
interface Gathering {
  readonly functionId: string;
  readonly name: string;
  readonly queuedAt: number;
  /** The greatest `ts` of its events. */
  latest: number;
  /** The commit in which it began. */
  readonly bornIn: number;
  /** The event with which its first call was put off the last time. */
  putOffWith: string | null;
  /** Events that were stored when it ceased to gather; null: it still does. */
  closedAt: number | null;
}

export class GatheringJudge {
  readonly #mirror: Mirror;
  readonly #accuse: Accuse;
  readonly #runs = new Map<string, Gathering>();

  constructor(mirror: Mirror, accuse: Accuse) {
    this.#mirror = mirror;
    this.#accuse = accuse;
  }

  /** A run is about to be written. */
  written(run: RunRecord): void {
    const flow = this.#mirror.programs.get(run.functionId)?.flow ?? {};
    if (run.originalRunId !== null) return;
    if (run.status === "skipped") return this.#ceases(run.id);
    if (flow.batch !== undefined) this.#checkBatch(run, flow);
    if (!this.#gathers(run, flow)) return;
    const known = this.#runs.get(run.id);
    if (known === undefined) return this.#begins(run, flow);
    const ts = this.#event(run)?.record.ts ?? 0;
    if (flow.debounce !== undefined && ts < known.latest)
      this.#accuse("flow-broken", `run ${run.id} was put off with an event older than its own`);
    known.latest = Math.max(known.latest, ts);
    if (run.endedAt !== null) this.#ceases(run.id);
  }

  /** A call is written: the first one waits while its run gathers. */
  called(job: Job): void {
    const run = this.#runs.get(job.runId);
    if (job.kind !== "call" || run === undefined || run.closedAt !== null) return;
    const [eventId = null] = this.#mirror.runs.get(job.runId)?.run.eventIds ?? [];
    // Put off without a new event: until the time of the one it has, which is dated ahead.
    if (job.state.at !== "delayed" || run.putOffWith === eventId) {
      return this.#ceases(job.runId);
    }
    run.putOffWith = eventId;
    const { debounce, batch } = this.#mirror.programs.get(run.functionId)?.flow ?? {};
    const waitsMs = debounce?.timeoutMs ?? (batch === undefined ? Infinity : batchTimeoutMs);
    if (job.state.dueAt <= run.queuedAt + waitsMs) return;
    if (job.state.dueAt === this.#mirror.everStored.get(eventId ?? "")?.record.ts)
      this.#ceases(job.runId);
    else this.#accuse("flow-broken", `run ${job.runId} waits for events beyond its time`);
  }

  /** Whether a start that was put off rightly is without this event: it had a later one, or got it at once. */
  wasPassedOver(functionId: string, event: EventRecord): boolean {
    const stored = this.#mirror.everStored.get(event.id);
    if (stored === undefined) return false;
    if (this.#mirror.programs.get(functionId)?.flow?.debounce === undefined) return false;
    return [...this.#runs.values()].some(
      ({ name, bornIn, latest, closedAt }) =>
        name === `${functionId}/${stored.key}` &&
        bornIn <= stored.storedIn &&
        latest >= event.ts &&
        stored.order <= (closedAt ?? Infinity),
    );
  }

  #ceases(runId: string): void {
    const run = this.#runs.get(runId);
    if (run !== undefined) run.closedAt ??= this.#mirror.everStored.size;
  }

  #begins(run: RunRecord, flow: ProgramFlow): void {
    const event = this.#event(run);
    const perKey = flow.debounce !== undefined || flow.batchOf === undefined;
    const name = perKey ? `${run.functionId}/${event?.key}` : run.functionId;
    const isSlotFull = flow.batch === 1;
    for (const [otherId, other] of isSlotFull ? [] : this.#runs) {
      if (other.name === name && other.closedAt === null)
        this.#accuse("flow-broken", `run ${run.id} gathers events beside run ${otherId}`);
    }
    const { functionId, queuedAt } = run;
    const latest = event?.record.ts ?? 0;
    const bornIn = this.#mirror.commits;
    const open = { putOffWith: null, closedAt: null };
    this.#runs.set(run.id, { functionId, name, queuedAt, latest, bornIn, ...open });
  }

  #gathers(run: RunRecord, flow: ProgramFlow): boolean {
    // Its first call waits for the throttle as well, which looks the same from here.
    if (flow.throttleMs !== undefined) return false;
    if (flow.debounce !== undefined) return true;
    return flow.batch !== undefined && (flow.batchOf !== "if" || this.#event(run)?.key === 0);
  }

  #checkBatch(run: RunRecord, { batchOf }: ProgramFlow): void {
    const events = run.eventIds.flatMap((id) => this.#mirror.everStored.get(id) ?? []);
    const [first, ...others] = events;
    let before = first?.order ?? 0;
    for (const { key, order } of others) {
      if (order < before)
        this.#accuse("order-broken", `batch ${run.id} is not in order of arrival`);
      before = order;
      const isOfKind =
        batchOf === "none" || (batchOf === "if" ? key === 0 : Object.is(key, first?.key));
      if (!isOfKind || (batchOf === "if" && first?.key !== 0))
        this.#accuse("flow-broken", `batch ${run.id} has an event with key ${key}`);
    }
  }

  #event(run: RunRecord) {
    return this.#mirror.everStored.get(run.eventIds[0] ?? "");
  }
}

/** As registered (`app/flow.ts`). */
const batchTimeoutMs = 5_000;
