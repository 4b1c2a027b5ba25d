// Judges schedules made at runtime by what is stored: each tick of the plan is taken, left out or
// missed, once, in order, and overlap holds. It computes the ticks itself, from the plan.
import type { Change } from "@pawl/engine/changes";
import type { EventRecord, RunRecord } from "@pawl/engine/records";
import type { RuntimeSchedule, ScheduleDefinition } from "@pawl/engine/schedule-records";
import { defaultSettings } from "@pawl/engine/settings";
import type { Mirror } from "./mirror.ts";
import type { Accuse } from "./violation.ts";

/** What the judge knows of one schedule. */
interface Watched {
  readonly definition: ScheduleDefinition;
  readonly everyMs: number;
  readonly isPaused: boolean;
  record: RuntimeSchedule | null;
  /** Times of the ticks that have their event, in order of their events. */
  readonly ticks: number[];
  /** The ticks of each run, by its id. */
  readonly runs: Map<string, Set<number>>;
}

export class ScheduleJudge {
  readonly #mirror: Mirror;
  readonly #accuse: Accuse;
  readonly #watched = new Map<string, Watched>();
  /** Schedule and tick by the event's id. */
  readonly #events = new Map<string, { readonly watched: Watched; readonly tick: number }>();
  /** Whether runs may have ended of which schedules have not heard. */
  #hadMail = false;
  readonly #wentOn = new Set<Watched>();

  constructor(mirror: Mirror, accuse: Accuse) {
    this.#mirror = mirror;
    this.#accuse = accuse;
  }

  /** Somebody is about to make a schedule; `isPaused`: and to pause it now and then. */
  planned(id: string, definition: ScheduleDefinition, everyMs: number, isPaused: boolean): void {
    this.#watched.set(id, {
      definition,
      everyMs,
      isPaused,
      record: null,
      ticks: [],
      runs: new Map(),
    });
  }

  /** A batch was written and is in the mirror. */
  committed(changes: readonly Change[], hasMail: boolean): void {
    for (const change of changes) {
      if (change.type === "event.put") this.#took(change.event);
      if (change.type === "run.put") this.#ran(change.run);
    }
    for (const change of changes) {
      if (change.type === "schedule.put" && change.schedule.kind === "runtime")
        this.#written(change.schedule, hasMail);
    }
    this.#wentOn.clear();
    for (const [id, watched] of this.#watched) {
      const going = this.#goingTicks(watched);
      if (going.size > 0) this.#wentOn.add(watched);
      const { overlap } = watched.definition;
      if (overlap === "allow" || (overlap === "cancel_previous" && hasMail)) continue;
      if (going.size > 1)
        this.#accuse("overlap-broken", `runs of ticks ${[...going].join(", ")} of ${id} go on`);
    }
    this.#hadMail = hasMail;
  }

  /** Whether no schedule has anything to do any more. */
  get isAtRest(): boolean {
    return [...this.#watched.values()].every(
      ({ record }) =>
        record === null ||
        (record.nextAt === null && record.queued === null && record.pausedAt === null),
    );
  }

  finish(isCalm: boolean): void {
    for (const [id, watched] of this.#watched) {
      if (watched.record !== null) this.#finish(id, watched, watched.record, isCalm);
    }
  }

  #took(event: EventRecord): void {
    const watched = this.#watched.get(scheduleOf(event));
    if (watched === undefined) return;
    const { ticks } = watched;
    const before = ticks.at(-1) ?? 0;
    if (ticks.includes(event.ts)) this.#accuse("tick-repeated", `tick ${event.ts} came again`);
    else if (event.ts < before)
      this.#accuse("tick-wrong", `tick ${event.ts} came behind tick ${before}`);
    else if (!this.#grid(watched, 0).includes(event.ts))
      this.#accuse("tick-wrong", `there is no tick at ${event.ts}`);
    const { catchUp, overlap, jitterMs } = watched.definition;
    const lateMaxMs = defaultSettings.scheduleOnTimeMs + jitterMs;
    if (catchUp === "none" && overlap !== "queue_one" && event.receivedAt - event.ts > lateMaxMs)
      this.#accuse("tick-wrong", `tick ${event.ts} was taken at ${event.receivedAt}`);
    ticks.push(event.ts);
    this.#events.set(event.id, { watched, tick: event.ts });
  }

  #ran(run: RunRecord): void {
    if (run.originalRunId !== null) return this.#repeated(run);
    for (const eventId of run.eventIds) {
      const found = this.#events.get(eventId);
      if (found === undefined) continue;
      const ticks = found.watched.runs.get(run.id) ?? new Set();
      found.watched.runs.set(run.id, ticks.add(found.tick));
    }
  }

  /** What people start again is nobody's tick: it holds up no other and is cancelled by none. */
  #repeated(run: RunRecord): void {
    if (run.schedule !== null || run.holds.some((hold) => hold.startsWith("schedule:")))
      this.#accuse("overlap-broken", `run ${run.id}, started again, counts for its schedule`);
  }

  /** A tick is left out only while a run goes on, or when a pause gives it up. */
  #written(record: RuntimeSchedule, hasMail: boolean): void {
    const watched = this.#watched.get(record.id);
    if (watched === undefined) return;
    const before = watched.record;
    watched.record = record;
    if (record.skipped === (before?.skipped ?? 0)) return;
    const isGivenUp = before?.queued !== null && record.pausedAt !== null;
    const wasGoing = this.#wentOn.has(watched) || this.#goingTicks(watched).size > 0;
    if (!wasGoing && !isGivenUp && !hasMail && !this.#hadMail)
      this.#accuse("tick-lost", `${record.id} left a tick out, but no run of it went on`);
  }

  /** The ticks whose runs have not ended. */
  #goingTicks({ runs }: Watched): ReadonlySet<number> {
    const going = new Set<number>();
    for (const [runId, ticks] of runs) {
      const run = this.#mirror.runs.get(runId);
      if (run !== undefined && run.endedIn === null) for (const tick of ticks) going.add(tick);
    }
    return going;
  }

  /** The ticks of the plan behind `after`. */
  #grid({ definition, everyMs }: Watched, after: number): readonly number[] {
    const { timing, startAt, endAt } = definition;
    const from = startAt ?? 0;
    const first = timing.kind === "every" ? from : Math.ceil(from / everyMs) * everyMs;
    const ticks: number[] = [];
    for (let tick = first; tick <= (endAt ?? 0); tick += everyMs)
      if (tick > after) ticks.push(tick);
    return ticks;
  }

  #finish(id: string, watched: Watched, record: RuntimeSchedule, isCalm: boolean): void {
    const { overlap, catchUp } = watched.definition;
    const { fired, skipped, missed, lastAt, runIds } = record;
    const grid = this.#grid(watched, record.createdAt);
    const counts = `${fired} fired, ${skipped} skipped, ${missed} missed, of ${grid.length}`;
    if (fired + skipped + missed !== grid.length || fired !== watched.ticks.length)
      this.#accuse("tick-lost", `${id}: ${counts}; ${watched.ticks.length} events`);
    const mayMiss = catchUp !== "all" && (!isCalm || watched.isPaused);
    if (missed > 0 && !mayMiss) this.#accuse("tick-lost", `${id}: ${counts}`);
    const maySkip = overlap === "skip" || overlap === "queue_one";
    if (skipped > 0 && !maySkip) this.#accuse("tick-lost", `${id}: ${counts}`);
    if (catchUp !== "none" && lastAt !== (grid.at(-1) ?? null))
      this.#accuse("tick-lost", `${id}: the last tick taken is ${lastAt}, not ${grid.at(-1)}`);
    if (runIds.length > 0)
      this.#accuse("left-over", `${id} still waits for the end of ${runIds.join(", ")}`);
  }
}

/** The schedule that an event names in its data; empty: none. */
function scheduleOf(event: EventRecord): string {
  const data: unknown = JSON.parse(event.data);
  if (typeof data !== "object" || data === null || !("schedule" in data)) return "";
  return typeof data.schedule === "string" ? data.schedule : "";
}
